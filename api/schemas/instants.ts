import { z } from '@hono/zod-openapi'
import {
  byteCount,
  durationMs,
  hypervisorId,
  orNull,
  pageOf,
  pageQuery,
  pointId,
  repositoryId,
  timeMs,
  vmId,
} from './common.ts'
import { tuningSchema } from './actions.ts'
import { bootListSchema } from './points.ts'
import { runErrorSchema } from './runs.ts'

const networkSchema = z.enum(['isolated', 'connected']).openapi({
  description: 'isolated: the guest reaches nothing; connected: the networks that the VM had',
})
const reason = z.string().max(500).default('')

export const instantBody = z
  .object({
    pointId,
    hypervisorId,
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/)
      .openapi({ description: 'Of the new VM' }),
    network: networkSchema.default('isolated'),
    identity: z.enum(['new', 'same']).default('new').openapi({ description: 'MAC addresses and machine id' }),
    reason,
    tuning: tuningSchema.default({}),
  })
  .openapi('InstantRequest')

export const migrateInstantBody = z.object({ reason }).openapi('InstantMigration')
export const discardInstantBody = z
  .object({
    confirmName: z.string().openapi({ description: 'The name of the new VM: what its guest has written goes with it' }),
    reason,
  })
  .openapi('InstantDiscard')

export const instantSchema = z
  .object({
    runId: z.string(),
    workflowId: z.string(),
    state: z.enum(['starting', 'running', 'migrating', 'migrated', 'discarded', 'failed']).openapi({
      description: 'running: from the repository, and somebody has to say what becomes of it',
    }),
    name: z.string(),
    network: networkSchema,
    vmId,
    vmName: z.string(),
    pointId,
    pointMs: timeMs.nullable(),
    repositoryId,
    repositoryName: z.string(),
    hypervisorId,
    hypervisorName: z.string(),
    requestedUser: z.string(),
    startedMs: timeMs,
    bootedMs: timeMs.nullable(),
    endedMs: timeMs.nullable(),
    ageMs: durationMs,
    isForgotten: z.boolean().openapi({ description: 'It has been open for longer than a day' }),
    todo: z.string().openapi({ description: 'What remains to be done, in a sentence' }),
    error: orNull(runErrorSchema).openapi({ description: 'Why the last copy ended early' }),
    bootList: orNull(bootListSchema).openapi({ description: 'What is read ahead of its boot; null: nothing is' }),
    io: orNull(
      z
        .object({
          power: z.enum(['running', 'stopped', 'paused', 'suspended', 'io-error', 'unknown']),
          readBytes: byteCount.openapi({ description: 'By the guest, since its VM was started' }),
          writtenBytes: byteCount,
          overlayBytes: byteCount.openapi({ description: 'What its overlays take up' }),
          fetchedBytes: byteCount
            .nullable()
            .openapi({ description: 'From the repository, since the worker serves it' }),
          seenMs: timeMs.nullable(),
        })
        .openapi('InstantIo'),
    ).openapi({ description: 'Of the last look; null: none yet, or it has ended' }),
    command: z.string(),
  })
  .openapi('Instant')
export const instantPageSchema = pageOf(instantSchema, 'InstantPage')
export const instantListQuery = pageQuery.extend({
  open: z.enum(['only', 'all']).default('only').openapi({ description: 'only: those that have not ended' }),
})
