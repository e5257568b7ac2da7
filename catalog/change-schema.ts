import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ChangeFigures, ChangeSign } from '../policy/index.ts'

/** What a person made of a change that was flagged. */
export interface ChangeReview {
  readonly verdict: 'expected' | 'attack'
  readonly by: string
  readonly reason: string
  readonly ms: number
}

/** One row for each point that was compared, or could not be, with the one before it. It outlives the point. */
export const pointChanges = sqliteTable('point_changes', {
  pointId: text('point_id').primaryKey(),
  vmId: text('vm_id').notNull(),
  /** Of the point. */
  createdMs: integer('created_ms').notNull(),
  /** What it was compared with; null: it is the first, or it could not be compared. */
  beforeId: text('before_id'),
  beforeMs: integer('before_ms'),
  figures: text('figures', { mode: 'json' }).$type<ChangeFigures>(),
  /** Why it could not be compared. */
  problem: text('problem'),
  score: integer('score').notNull(),
  isSuspicious: integer('is_suspicious', { mode: 'boolean' }).notNull(),
  sign: text('sign').$type<ChangeSign>(),
  usualBytes: integer('usual_bytes'),
  measuredMs: integer('measured_ms').notNull(),
  review: text('review', { mode: 'json' }).$type<ChangeReview>(),
})
