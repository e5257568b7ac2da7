import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** kept: no rule and no hold keeps it, and a sweep did not take it; vanished: a rule keeps it, and it is not there. */
export type DeviationKind = 'kept' | 'vanished' | 'overdue'

/** Where what is there and what the policies promise differ. */
export interface RetentionDeviation {
  readonly kind: DeviationKind
  /** Of an overdue sweep null, as are the point and its time. */
  readonly vmId: string | null
  readonly vmName: string | null
  readonly pointId: string | null
  readonly timeMs: number | null
  readonly policy: string | null
  readonly why: string
  /** When it was seen that it is gone; absent of other kinds. */
  readonly goneMs?: number
}

/** What was found of a repository at one time. */
export const retentionAudits = sqliteTable(
  'retention_audits',
  {
    repositoryId: text('repository_id').notNull(),
    ms: integer('ms').notNull(),
    /** Points that are there, or that vanished, and their VMs. */
    vms: integer('vms').notNull(),
    points: integer('points').notNull(),
    kept: integer('kept').notNull(),
    vanished: integer('vanished').notNull(),
    /** 1: no sweep came to its end for longer than it should. */
    overdue: integer('overdue').notNull(),
    /** When the last sweep was planned that came to its end; null: none did. */
    sweptMs: integer('swept_ms'),
    /** The first of them. */
    deviations: text('deviations', { mode: 'json' }).$type<readonly RetentionDeviation[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.repositoryId, table.ms] })],
)
