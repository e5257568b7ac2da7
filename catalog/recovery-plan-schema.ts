import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { RecoveryMode, RecoverySpec } from '../policy/index.ts'
import type { RecoveryRunState, TierRecord } from './types.ts'

/** Tiers of VMs and the order in which they come back. */
export const recoveryPlans = sqliteTable('recovery_plans', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  spec: text('spec', { mode: 'json' }).$type<Omit<RecoverySpec, 'name'>>().notNull(),
  revision: integer('revision').notNull(),
  createdMs: integer('created_ms').notNull(),
  changedMs: integer('changed_ms').notNull(),
  /** When what its runs do was last changed: neither its name nor how often it is rehearsed. */
  definedMs: integer('defined_ms').notNull(),
})

/** One rehearsal or run of a plan, with what the plan said when it began. */
export const recoveryRuns = sqliteTable('recovery_runs', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  planId: text('plan_id').notNull(),
  planName: text('plan_name').notNull(),
  mode: text('mode').$type<RecoveryMode>().notNull(),
  spec: text('spec', { mode: 'json' }).$type<Omit<RecoverySpec, 'name'>>().notNull(),
  /** No point taken after this instant is used; null: the newest. */
  untilMs: integer('until_ms'),
  /** Manual steps are skipped. */
  withoutPeople: integer('without_people', { mode: 'boolean' }).notNull(),
  state: text('state').$type<RecoveryRunState>().notNull(),
  /** How it ended, in words. */
  why: text('why').notNull(),
  tiers: text('tiers', { mode: 'json' }).$type<readonly TierRecord[]>().notNull(),
  requestedUser: text('requested_user').notNull(),
  startedMs: integer('started_ms').notNull(),
  endedMs: integer('ended_ms'),
})
