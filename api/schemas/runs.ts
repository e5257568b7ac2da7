import { z } from '@hono/zod-openapi'
import {
  orNull,
  byteCount,
  durationMs,
  pageOf,
  pageQuery,
  planName,
  repositoryId,
  requesterSchema,
  site,
  timeMs,
  vmId,
} from './common.ts'
import { progressSchema, residueSchema, runKindSchema, runStateSchema } from './runbook.ts'

/** Why a run ended badly, short enough for a row; the whole chain is in the runbook. */
export const runErrorSchema = z
  .object({ code: z.string(), message: z.string(), hint: z.string(), docs: z.string() })
  .openapi('RunError')

export const runSchema = z
  .object({
    workflowId: z.string().openapi({ example: 'backup/web-01' }),
    runId: z.string().openapi({ description: 'Names this run for ever; part of its address' }),
    kind: runKindSchema,
    state: runStateSchema,
    title: z.string().openapi({ example: 'Backup of web-01' }),
    vmId: vmId.nullable(),
    vmName: z.string().nullable(),
    repositoryId: repositoryId.nullable(),
    repositoryName: z.string().nullable(),
    pointId: z.string().nullable().openapi({ description: 'The point it made (backup) or used (restore, drill)' }),
    startedMs: timeMs,
    endedMs: timeMs.nullable(),
    durationMs: durationMs.openapi({ description: 'Up to now while it runs' }),
    progress: orNull(progressSchema).openapi({
      description: 'Newest known; null before the first byte and after the end',
    }),
    resumedTimes: z.number().int().nonnegative(),
    summary: z.string().nullable().openapi({ description: 'One sentence about what came out' }),
    attention: z
      .string()
      .nullable()
      .openapi({ description: 'What has to be known of it however it ended: that it went on without a slot' }),
    bytesRead: byteCount.nullable(),
    bytesStored: byteCount.nullable(),
    error: orNull(runErrorSchema),
    residue: z.array(residueSchema).openapi({ description: 'What the run could not remove; each says who removes it' }),
    requestedBy: requesterSchema,
    seenMs: timeMs.openapi({ description: 'When this row was last compared with the engine' }),
  })
  .openapi('Run')

export const runPageSchema = pageOf(runSchema, 'RunPage')

export const runListQuery = pageQuery.extend({
  kind: runKindSchema.optional(),
  state: z
    .enum([
      'open',
      'closed',
      'failed',
      'running',
      'paused',
      'waiting',
      'completed',
      'completed-with-residue',
      'cancelled',
      'terminated',
    ])
    .optional()
    .openapi({ description: '`open`: not ended. `closed`: ended. `failed` includes terminated.' }),
  vmId: vmId.optional(),
  repositoryId: repositoryId.optional(),
  workflowId: z.string().max(200).optional().openapi({ description: 'All runs of one workflow id, newest first' }),
  plan: planName.optional().openapi({ description: 'Runs of this plan' }),
  site: site.optional().openapi({ description: 'Of VMs or repositories of this site' }),
  sinceMs: z.coerce.number().int().nonnegative().optional(),
})

/** One VM of a run of a plan. */
export const planRunVmSchema = z
  .object({
    vmId,
    vmName: z.string(),
    state: z.enum(['waiting', 'running', 'completed', 'completed-with-residue', 'failed', 'cancelled', 'skipped']),
    attempts: z.number().int().openapi({ description: 'Backups of this VM in this run' }),
    runId: z.string().nullable().openapi({ description: 'Of its backup, the last one' }),
    detail: z.string().openapi({ description: 'Why it failed or was skipped; empty if all went well' }),
    endedMs: timeMs.nullable(),
  })
  .openapi('PlanRunVm')
export const planRunVmPageSchema = pageOf(planRunVmSchema, 'PlanRunVmPage')

/** 202 of everything that starts or changes a run. `Location` carries the same address. */
export const acceptedSchema = z
  .object({
    workflowId: z.string(),
    runId: z.string(),
    links: z.object({
      run: z.string(),
      runbook: z.string(),
      page: z.string().openapi({ description: 'In the dashboard' }),
    }),
    command: z.string().openapi({ description: 'Follows the run on the command line' }),
  })
  .openapi('Accepted')

export const runParam = z.object({
  run: z
    .string()
    .min(1)
    .max(200)
    .openapi({
      param: { name: 'run', in: 'path' },
      description: 'Run id, or a workflow id with its slashes encoded (its latest run)',
      example: 'backup%2Fweb-01',
    }),
})

export const reasonBody = z.object({ reason: z.string().max(500).default('') }).openapi('Reason')

export const retryBody = z
  .object({
    reason: z.string().max(500).default(''),
    confirmName: z
      .string()
      .optional()
      .openapi({ description: 'For a restore in place: the name of the VM, typed by whoever asks' }),
  })
  .openapi('Retry')

export const retryNowBody = z
  .object({
    step: z
      .string()
      .max(200)
      .optional()
      .openapi({ description: 'Step id; default: every step that waits for its next attempt' }),
    reason: z.string().max(500).default(''),
  })
  .openapi('RetryNow')

export const retriedSchema = z.object({ steps: z.array(z.string()) }).openapi('Retried')

/** Raw history, as Temporal tells it in canonical protobuf JSON. */
export const historyEventSchema = z
  .object({
    eventId: z.number().int(),
    ms: timeMs,
    type: z.string().openapi({ example: 'ActivityTaskScheduled' }),
    attributes: z.unknown(),
  })
  .openapi('HistoryEvent')
export const historyPageSchema = pageOf(historyEventSchema, 'HistoryPage')
