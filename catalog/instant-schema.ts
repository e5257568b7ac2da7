import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { BootListDisks, BootListNote, ErrorNote, InstantState } from './types.ts'

/** VMs that run from a repository, and what became of them. */
export const instants = sqliteTable('instants', {
  runId: text('run_id').primaryKey(),
  workflowId: text('workflow_id').notNull(),
  repositoryId: text('repository_id').notNull(),
  pointId: text('point_id').notNull(),
  vmId: text('vm_id').notNull(),
  endpointId: text('endpoint_id').notNull(),
  /** Of the new VM. */
  name: text('name').notNull(),
  network: text('network').$type<'isolated' | 'connected'>().notNull(),
  state: text('state').$type<InstantState>().notNull(),
  requestedUser: text('requested_user').notNull(),
  startedMs: integer('started_ms').notNull(),
  bootedMs: integer('booted_ms'),
  endedMs: integer('ended_ms'),
  /** Why a copy ended early. */
  error: text('error', { mode: 'json' }).$type<ErrorNote>(),
  /** What is read ahead of its boot; null: nothing is. */
  boot: text('boot', { mode: 'json' }).$type<BootListNote>(),
})

/** What a boot of a VM reads first: of its newest drill out of a repository. */
export const bootLists = sqliteTable('boot_lists', {
  vmId: text('vm_id').primaryKey(),
  drillId: text('drill_id').notNull(),
  recordedMs: integer('recorded_ms').notNull(),
  bytes: integer('bytes').notNull(),
  disks: text('disks', { mode: 'json' }).$type<BootListDisks>().notNull(),
})
