import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ErrorNote, UnreadableObject } from './types.ts'

/** What looks into a repository found. Figures and `uuid` are those of the last one that came to its end. */
export const repositoryWatches = sqliteTable('repository_watches', {
  repositoryId: text('repository_id').primaryKey(),
  uuid: text('uuid'),
  triedMs: integer('tried_ms').notNull(),
  lookedMs: integer('looked_ms'),
  /** Why the last look did not come to its end. */
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
  series: integer('series').notNull(),
  points: integer('points').notNull(),
  unreadable: integer('unreadable').notNull(),
  /** Points that were there, were removed by nobody, and are not there. */
  vanished: integer('vanished').notNull(),
  vanishedMs: integer('vanished_ms'),
  /** Since which of the looks that followed each other `unreadable` is more than none. */
  unreadableSinceMs: integer('unreadable_since_ms'),
  /** The first of them, and why. */
  unreadableObject: text('unreadable_object', { mode: 'json' }).$type<UnreadableObject>(),
})

/**
 * One row. `seenMs`: the latest moment of a clock that could be believed; `movedMs`: since when it cannot. `driftMs`
 * without `movedMs`: of a move whose time has been taken for the right one since.
 */
export const clockWatch = sqliteTable('clock_watch', {
  id: integer('id').primaryKey(),
  seenMs: integer('seen_ms').notNull(),
  driftMs: integer('drift_ms').notNull(),
  movedMs: integer('moved_ms'),
})
