import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ReplicationAct, ReplicationState } from '../policy/index.ts'
import type { ErrorNote, StandbyRef } from './types.ts'

/** VMs and the standbys that follow them. Where a standby really stands is in its own record on its hypervisor. */
export const replications = sqliteTable('replications', {
  /** 32 hex digits: the operation by which everything of the standby is found. */
  id: text('id').primaryKey(),
  vmId: text('vm_id').notNull(),
  /** Where the standby is. */
  endpointId: text('endpoint_id').notNull(),
  /** Of the standby. */
  name: text('name').notNull(),
  rpoMs: integer('rpo_ms').notNull(),
  isPaused: integer('is_paused', { mode: 'boolean' }).notNull(),
  state: text('state').$type<ReplicationState>().notNull(),
  /** The run that acts on the pair, and what it does; the last one, once it has ended. */
  runId: text('run_id'),
  act: text('act').$type<ReplicationAct>(),
  headPoint: text('head_point'),
  /** Instant of the source that the standby holds. */
  headMs: integer('head_ms'),
  links: integer('links').notNull(),
  storedBytes: integer('stored_bytes').notNull(),
  standby: text('standby', { mode: 'json' }).$type<StandbyRef>(),
  triedMs: integer('tried_ms'),
  endedMs: integer('ended_ms'),
  /** Duration and data of the last cycle that came whole. */
  cycleMs: integer('cycle_ms'),
  cycleBytes: integer('cycle_bytes'),
  failures: integer('failures').notNull(),
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
  /** What became of the source at the last failover. */
  fence: text('fence').$type<'off' | 'unreachable'>(),
  /** When the standby took over, or the source came back. */
  movedMs: integer('moved_ms'),
  /** How old the state was that took over: what was written since is on the source alone. */
  lostMs: integer('lost_ms'),
  testedMs: integer('tested_ms'),
  testOutcome: text('test_outcome').$type<'answered' | 'silent' | 'failed'>(),
  createdMs: integer('created_ms').notNull(),
})
