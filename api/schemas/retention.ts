import { z } from '@hono/zod-openapi'
import { sweepBounds } from '../../policy/index.ts'
import { byteCount, durationMs, orNull, pageOf, pageQuery, pointId, repositoryId, timeMs, vmId } from './common.ts'
import { tuningSchema } from './actions.ts'

export const sweepBody = z
  .object({
    mode: z.enum(['plan', 'sweep']).default('sweep').openapi({ description: 'plan: a dry run, stored and shown' }),
    approval: z.enum(['grace', 'required']).optional().openapi({
      description:
        'grace: goes on by itself after the grace time; required: a person says so. What is not said here and below is as it is set for the repository',
    }),
    graceMs: z
      .number()
      .int()
      .min(0)
      .max(30 * 86_400_000)
      .optional(),
    approveWithinMs: z
      .number()
      .int()
      .min(1000)
      .max(90 * 86_400_000)
      .optional(),
    maxShare: z.number().min(0).max(1).optional().openapi({
      description: 'A VM that would lose more of its points at once is not touched before a person agrees',
    }),
    collect: z.enum(['auto', 'always', 'never']).default('auto'),
    waits: z
      .enum(['usual', 'none'])
      .default('usual')
      .openapi({ description: 'none: what is condemned is deleted at once; safe, and uneconomic' }),
    reason: z.string().max(500).default(''),
    tuning: tuningSchema.default({}),
  })
  .openapi('SweepRequest')

const sweepMembers = {
  graceMs: z
    .number()
    .int()
    .min(sweepBounds.graceMs.min, 'a grace time is 0s to 30d')
    .max(sweepBounds.graceMs.max, 'a grace time is 0s to 30d')
    .openapi({ description: 'How long what goes can still be looked at before it goes' }),
  approval: z.enum(['grace', 'required']).openapi({
    description:
      'grace: the daily sweep goes on by itself after the grace time, once a person has approved one; required: a person approves each',
  }),
  approveWithinMs: z
    .number()
    .int()
    .min(sweepBounds.approveWithinMs.min, 'a sweep waits for a person for 1h to 90d')
    .max(sweepBounds.approveWithinMs.max, 'a sweep waits for a person for 1h to 90d')
    .openapi({ description: 'How long a sweep waits for a person' }),
  maxShare: z
    .number()
    .min(sweepBounds.maxShare.min, 'a share is 1% to 100%')
    .max(sweepBounds.maxShare.max, 'a share is 1% to 100%')
    .openapi({ description: 'Of a VM that would lose more of its points at once a person is asked first' }),
}

/** What is set; null: as for all repositories, and there as by default. */
export const setSweepSettingsBody = z
  .strictObject({
    graceMs: sweepMembers.graceMs.nullable().default(null),
    approval: sweepMembers.approval.nullable().default(null),
    approveWithinMs: sweepMembers.approveWithinMs.nullable().default(null),
    maxShare: sweepMembers.maxShare.nullable().default(null),
  })
  .openapi('SetSweepSettings')

export const sweepSettingsSchema = z
  .object({
    repositoryId: repositoryId.nullable().openapi({ description: 'null: of all repositories that say nothing' }),
    holds: z.object(sweepMembers).openapi({ description: 'What the next sweep runs with' }),
    own: setSweepSettingsBody,
    wasApproved: z.boolean().openapi({
      description:
        'Whether a person has approved a sweep of the repository: until then each daily one waits for that. false for all repositories',
    }),
  })
  .openapi('SweepSettings')

export const sweepStateSchema = z
  .enum(['planned', 'waiting', 'removing', 'collecting', 'completed', 'declined', 'cancelled', 'failed'])
  .openapi('SweepState')

export const sweepSchema = z
  .object({
    runId: z.string(),
    workflowId: z.string(),
    repositoryId,
    repositoryName: z.string(),
    state: sweepStateSchema,
    dryRun: z.boolean(),
    digest: z.string().openapi({ description: 'Names exactly the points that are to go; an approval names it too' }),
    plannedMs: timeMs,
    maxShare: z.number(),
    points: z.number().int(),
    going: z.number().int(),
    series: z.number().int().openapi({ description: 'VMs with points' }),
    asking: z.number().int().openapi({ description: 'VMs that would lose more than their share' }),
    orphans: z.number().int().openapi({ description: 'VMs that no longer exist; their points keep ageing' }),
    policies: z.array(z.object({ name: z.string(), rules: z.string() })),
    waitsFor: z.enum(['approval', 'grace']).nullable(),
    waitsUntilMs: timeMs.nullable(),
    approvalRequired: z.boolean().nullable().openapi({
      description:
        'true: nothing goes before a person has agreed. false: without an answer it goes on by itself, without the VMs that it asks for. null: of a sweep of before this was written down',
    }),
    approval: orNull(z.object({ user: z.string(), reason: z.string(), ms: timeMs })),
    removed: z.number().int(),
    refused: z.number().int(),
    spared: z.number().int(),
    endedMs: timeMs.nullable(),
  })
  .openapi('Sweep')
export const sweepPageSchema = pageOf(sweepSchema, 'SweepPage')

export const sweptStateSchema = z.enum(['stays', 'going', 'removed', 'refused', 'spared']).openapi('SweptState')

export const sweepSeriesSchema = z
  .object({
    series: z.string(),
    vmId: vmId.nullable(),
    vmName: z.string(),
    policy: z.string(),
    orphan: z.enum(['vm-gone', 'plan-gone', 'unknown-vm']).nullable(),
    points: z.number().int(),
    going: z.number().int(),
    asks: z.boolean(),
  })
  .openapi('SweepSeries')
export const sweepSeriesPageSchema = pageOf(sweepSeriesSchema, 'SweepSeriesPage')

export const sweepPointSchema = z
  .object({
    stem: z.string(),
    pointId,
    series: z.string(),
    vmId: vmId.nullable(),
    vmName: z.string(),
    timeMs,
    origin: z.string(),
    policy: z.string(),
    keptBy: z.array(z.string()).openapi({ description: 'Every rule that keeps it; empty: it goes' }),
    state: sweptStateSchema,
    why: z.string().nullable(),
  })
  .openapi('SweepPoint')
export const sweepPointPageSchema = pageOf(sweepPointSchema, 'SweepPointPage')

export const sweepListQuery = pageQuery.extend({ repositoryId: repositoryId.optional() })
export const sweepSeriesQuery = pageQuery.extend({
  orphans: z.enum(['only']).optional().openapi({ description: 'only: VMs that no longer exist' }),
})
export const sweepPointQuery = pageQuery.extend({
  series: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  state: sweptStateSchema.optional(),
})

export const approveSweepBody = z
  .object({ digest: z.string().max(64), reason: z.string().max(500).default('') })
  .openapi('ApproveSweep')

export const auditQuery = z.object({ format: z.enum(['csv', 'json']).default('csv') })

const packCount = z.object({ packs: z.number().int(), bytes: byteCount })
export const collectionSchema = z
  .object({
    runId: z.string(),
    startedMs: timeMs,
    endedMs: timeMs,
    why: z.string(),
    outcome: z.enum(['collected', 'nothing', 'stopped', 'dry-run']),
    roots: z.number().int().openapi({ description: 'Points' }),
    listed: packCount,
    live: packCount,
    condemned: packCount,
    reprieved: packCount,
    deleted: packCount,
    copied: packCount,
    waiting: packCount,
    young: packCount,
    unknown: packCount,
    notes: z.array(z.string()),
    durationMs,
  })
  .openapi('Collection')
export const collectionsSchema = z.object({ items: z.array(collectionSchema) }).openapi('Collections')

export const retentionAuditSchema = z
  .object({
    repositoryId,
    ms: timeMs,
    vms: z.number().int(),
    points: z.number().int().openapi({ description: 'Points that were checked: all that are there, or vanished' }),
    kept: z
      .number()
      .int()
      .openapi({ description: 'Points that the last sweep left, and that neither a rule nor a hold keeps' }),
    vanished: z.number().int().openapi({ description: 'Points that a rule keeps, nobody removed, and that are gone' }),
    overdue: z.number().int().openapi({ description: '1: no sweep has come to its end for three days' }),
    sweptMs: orNull(timeMs).openapi({ description: 'When the last sweep was planned that came to its end' }),
    sentence: z.string(),
    deviations: z
      .array(
        z.object({
          kind: z.enum(['kept', 'vanished', 'overdue']),
          vmId: vmId.nullable(),
          vmName: z.string().nullable(),
          pointId: pointId.nullable(),
          timeMs: orNull(timeMs),
          policy: z.string().nullable(),
          why: z.string(),
        }),
      )
      .openapi({ description: 'The first 500' }),
  })
  .openapi('RetentionAudit')
export const retentionAuditsSchema = z.object({ items: z.array(retentionAuditSchema) }).openapi('RetentionAudits')
