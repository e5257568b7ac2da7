import { z } from '@hono/zod-openapi'
import { defaultRpoMs, longestRpoMs, shortestRpoMs } from '../../policy/index.ts'
import { tuningSchema } from './actions.ts'
import { byteCount, durationMs, hypervisorId, orNull, timeMs, vmId } from './common.ts'
import { runErrorSchema } from './runs.ts'

const reason = z.string().max(500).default('')
const rpo = z.number().int().min(shortestRpoMs).max(longestRpoMs)

export const replicationBody = z
  .object({
    vmId,
    hypervisorId: hypervisorId.openapi({ description: 'Where the standby is: another than that of the VM' }),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/)
      .optional()
      .openapi({ description: 'Of the standby; default: the name of the VM with -standby' }),
    rpoMs: rpo.default(defaultRpoMs).openapi({ description: 'How far the standby may be behind' }),
  })
  .openapi('NewReplication')

export const replicationChange = z
  .object({
    rpoMs: rpo.optional(),
    isPaused: z.boolean().optional().openapi({ description: 'No cycle begins by itself' }),
  })
  .openapi('ReplicationChange')

export const replicationSchema = z
  .object({
    id: z.string(),
    vmId,
    vmName: z.string(),
    sourceHypervisorName: z.string(),
    hypervisorId,
    hypervisorName: z.string(),
    name: z.string().openapi({ description: 'Of the standby' }),
    rpoMs: durationMs,
    isPaused: z.boolean(),
    state: z.enum(['seeding', 'following', 'failing-over', 'failed-over', 'failing-back']).openapi({
      description: 'failed-over: the standby is the one that runs, and nothing follows it',
    }),
    doing: orNull(z.enum(['cycle', 'failover', 'failback', 'test', 'remove', 'accept'])),
    runId: z.string().nullable().openapi({ description: 'Of the run that acts on it, or that was the last to' }),
    headMs: timeMs.nullable().openapi({ description: 'Instant of the source that the standby holds' }),
    lagMs: durationMs.nullable().openapi({ description: 'How far it is behind; null: it is not meant to follow now' }),
    isLate: z.boolean().openapi({ description: 'Further behind than it may be' }),
    links: z.number().int().nonnegative().openapi({ description: 'Length of its chain; the tenth is a new seed' }),
    storedBytes: byteCount,
    cycleMs: durationMs.nullable(),
    cycleBytes: byteCount.nullable(),
    failures: z.number().int().nonnegative().openapi({ description: 'Cycles that failed since the last whole one' }),
    error: orNull(runErrorSchema),
    fence: orNull(z.enum(['off', 'unreachable'])).openapi({
      description: 'What became of the source at the last failover; unreachable: it may still run',
    }),
    movedMs: timeMs.nullable(),
    lostMs: durationMs.nullable().openapi({ description: 'How old the state was that took over' }),
    testedMs: timeMs.nullable(),
    testOutcome: orNull(z.enum(['answered', 'silent', 'failed'])),
    todo: z.string().openapi({ description: 'How it stands and what remains to be done, in a sentence' }),
    createdMs: timeMs,
  })
  .openapi('Replication')
export const replicationsSchema = z.object({ items: z.array(replicationSchema) }).openapi('Replications')

export const cycleBody = z
  .object({
    full: z.boolean().default(false).openapi({ description: 'Nothing builds on what the standby holds' }),
    reason,
    tuning: tuningSchema.default({}),
  })
  .openapi('ReplicationCycle')
export const moveBody = z
  .object({
    move: z.enum(['planned', 'unplanned', 'failback', 'accept', 'remove']).openapi({
      description:
        'planned: the source is shut down, nothing is lost; unplanned: the last whole state is started at once, the source switched off if it can be reached; failback: the guest goes back; accept: the standby stays where it runs, nothing follows any more; remove: the standby goes with all its states',
    }),
    confirmName: z.string().openapi({ description: 'The name of the VM' }),
    reason,
    tuning: tuningSchema.default({}),
  })
  .openapi('ReplicationMove')
export const standbyTestBody = z
  .object({
    holdMs: z.number().int().min(0).max(86_400_000).default(0).openapi({
      description: 'How long the copy is left running after its guest has answered',
    }),
    limitMs: z.number().int().min(1000).max(3_600_000).default(300_000).openapi({
      description: 'How long its guest may take to answer',
    }),
    reason,
    tuning: tuningSchema.default({}),
  })
  .openapi('StandbyTest')
