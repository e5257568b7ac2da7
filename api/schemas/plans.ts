import { z } from '@hono/zod-openapi'
import {
  byteCount,
  categoryName,
  durationMs,
  orNull,
  pageOf,
  planName,
  repositoryId,
  seenRevision,
  timeMs,
  vmId,
} from './common.ts'
import { categoryBody, planBody } from './policy.ts'
import { runStateSchema } from './runbook.ts'

const stamp = {
  revision: z
    .number()
    .int()
    .openapi({ description: 'Send it back with a change: two people find out about each other' }),
  createdMs: timeMs,
  changedMs: timeMs,
}

export const categorySchema = categoryBody
  .extend({ name: categoryName, ...stamp, vms: z.number().int() })
  .openapi('Category')
export const categoryListSchema = z.object({ items: z.array(categorySchema) }).openapi('CategoryList')
export const categoryPutBody = categoryBody.extend({ revision: seenRevision }).openapi('CategoryPut')

export const planLastSchema = z
  .object({
    runId: z.string(),
    workflowId: z.string(),
    state: runStateSchema,
    trigger: z.enum(['schedule', 'hand', 'after']),
    startedMs: timeMs,
    endedMs: timeMs.nullable(),
    summary: z.string().nullable(),
    vms: z.object({ done: z.number().int(), failed: z.number().int(), total: z.number().int() }),
    standsUntil: z.string().nullable().openapi({
      description: 'Its window is closed until then; null: it goes on',
      example: 'Sun 22 Nov 22:00 (Europe/Paris)',
    }),
  })
  .openapi('PlanLastRun')
export const missedStartSchema = z
  .object({
    dueMs: timeMs,
    kind: z.enum(['missed', 'skipped', 'after-missed', 'after-failed']).openapi({
      description:
        '`skipped`: the run before was still under way; `after-missed`, `after-failed`: the plan before it did not start, or did not go well',
    }),
  })
  .openapi('MissedStart')
export const planRunBody = z.object({ reason: z.string().max(500).default('') }).openapi('PlanRunRequest')

export const planMembersBody = z
  .object({
    vmIds: z.array(vmId).min(1).max(500),
    dryRun: z.boolean().default(false).openapi({ description: 'Says what would change, and changes nothing' }),
  })
  .openapi('PlanMembersRequest')
export const planMembersSchema = z
  .object({
    items: z.array(
      z.object({
        vmId,
        vmName: z.string(),
        state: z.enum(['in', 'joins', 'refused']).openapi({ description: 'in: the plan takes it already' }),
        how: z.string().openapi({
          description: 'What changes so that the plan takes it, or why that is not done',
          example: 'its category becomes critical, now standard',
        }),
      }),
    ),
    changed: z.boolean().openapi({ description: 'false: a dry run, or there was nothing to do' }),
  })
  .openapi('PlanMembers')

export const planSchema = planBody
  .extend({
    name: planName,
    ...stamp,
    words: z.string().openapi({ description: 'When it starts', example: 'every day at 02:30 (Europe/Paris)' }),
    nextMs: timeMs.nullable().openapi({ description: 'Its next start by the clock; null: none' }),
    last: orNull(planLastSchema).openapi({ description: 'Its newest run' }),
    missed: z
      .array(missedStartSchema)
      .openapi({ description: 'Starts of the last week that did not come, newest first' }),
    vms: z.number().int().openapi({ description: 'That match now' }),
    outsideRpo: z.number().int().openapi({ description: 'Of these' }),
  })
  .openapi('Plan')
export const planPageSchema = pageOf(planSchema, 'PlanPage')
export const planPutBody = planBody.extend({ revision: seenRevision }).openapi('PlanPut')

export const planPatchBody = z
  .strictObject({
    paused: z.boolean().openapi({ description: 'A paused plan starts nothing by itself' }),
    revision: seenRevision,
  })
  .openapi('PlanPatch')

export const planFarewellSchema = z
  .object({
    unplanned: z
      .object({ total: z.number().int(), vms: z.array(z.object({ id: vmId, name: z.string() })) })
      .openapi({ description: 'VMs that no other plan takes: nobody would back them up by itself' }),
    followers: z.array(planName).openapi({ description: 'Plans that start after it: while there are any it stays' }),
    run: orNull(z.object({ runId: z.string(), workflowId: z.string() })).openapi({
      description: 'Its run that is under way: backups that have begun are ended, the others are skipped',
    }),
  })
  .openapi('PlanFarewell')

export const planLatelySchema = z
  .object({
    sinceMs: timeMs,
    runs: z.number().int().openapi({ description: 'Of it that have ended since, those that repeat one not counted' }),
    failedRuns: z.number().int(),
    usualMs: durationMs
      .nullable()
      .openapi({ description: 'From opening to end: the median of these; null without any' }),
    points: z.number().int(),
    fulls: z.number().int().openapi({ description: 'Points of which a disk was read in full' }),
    unexpected: z
      .array(z.object({ why: z.string(), points: z.number().int() }))
      .openapi({ description: 'Of these, where nobody had decided that, by its reason' }),
    degraded: z.number().int().openapi({ description: 'Points less consistent than is wanted for their VM now' }),
  })
  .openapi('PlanLately')

const memberChange = z.object({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() })
const ids = z.object({ total: z.number().int(), ids: z.array(vmId) })

export const planPreviewBody = z
  .object({
    plan: planBody.extend({ name: planName }),
    changeShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .openapi({ description: 'Of each disk in a day, where nothing was measured yet' }),
  })
  .openapi('PlanPreviewRequest')

export const planRemovalSchema = z
  .object({
    repository: repositoryId,
    points: z.number().int(),
    vms: z.number().int().openapi({ description: 'Whose points they are' }),
    examples: z.array(z.object({ vmId, vmName: z.string(), timeMs })).openapi({ description: 'The first of them' }),
    lookedAt: z.number().int().openapi({ description: 'VMs whose points were judged' }),
    ofVms: z.number().int().openapi({ description: 'VMs that the plan takes, as it is saved or as it is asked about' }),
  })
  .openapi('PlanRemoval')

export const planPreviewSchema = z
  .object({
    problems: z.array(z.object({ path: z.string(), message: z.string(), hint: z.string().nullable() })),
    remarks: z.array(z.string()).openapi({ description: 'Allowed, and worth knowing before it is saved' }),
    match: z.object({
      total: z.number().int(),
      sizeBytes: byteCount,
      changedPerDay: byteCount.nullable(),
      vms: z.array(
        z.object({ id: vmId, name: z.string(), sizeBytes: byteCount, category: categoryName, site: z.string() }),
      ),
      nearMisses: z
        .array(z.object({ id: vmId, name: z.string(), field: z.string() }))
        .openapi({ description: 'One rule keeps them out' }),
      excluded: z.number().int().openapi({ description: 'Would match, but left out on purpose' }),
      added: ids.openapi({ description: 'Compared with the saved plan' }),
      removed: ids,
    }),
    schedule: z.object({
      words: z.string().nullable(),
      next: z.array(z.object({ atMs: timeMs, local: z.string(), utc: z.string(), note: z.string().nullable() })),
      skipped: z
        .array(z.object({ at: z.string(), instead: z.string(), on: z.string() }))
        .openapi({ description: 'Starts that the clocks pass over on a day of the coming year' }),
    }),
    copies: z
      .object({
        total: z.number().int(),
        media: z.number().int(),
        offSite: z.number().int(),
        immutable: z.number().int(),
      })
      .openapi({
        description:
          'What the targets give to each VM: copies, kinds of media, copies that stand elsewhere, locked ones',
      }),
    copiesMet: z.boolean().openapi({ description: 'As many as the category of each VM wants' }),
    targets: z
      .array(
        z.object({
          repository: repositoryId,
          category: categoryName.openapi({ description: 'Whose points are shown: that of most VMs' }),
          pointsTotal: z.number().int().openapi({ description: 'Of one VM, that would exist in a year' }),
          points: z.array(z.object({ timeMs, keptBy: z.array(z.string()) })).openapi({
            description:
              'These, newest first; of more than 1000 all that a rule of days or longer keeps, and some of the others',
          }),
          marks: z
            .array(z.object({ timeMs, bytes: byteCount }))
            .openapi({ description: 'What all VMs need, month by month, before compression and deduplication' }),
          savedMarks: z.array(z.object({ timeMs, bytes: byteCount })).openapi({ description: 'By the saved plan' }),
          capacityBytes: orNull(byteCount),
          assumed: z.object({
            fullBytes: byteCount,
            changedPerDay: byteCount,
            measuredVms: z.number().int(),
            vms: z.number().int(),
            changeShare: z.number(),
          }),
        }),
      )
      .openapi({ description: 'Retention a year ahead' }),
    changes: z
      .array(memberChange)
      .openapi({ description: 'Compared with the saved plan, in words of the policy file' }),
    removals: z
      .array(planRemovalSchema)
      .openapi({ description: 'Points that the saved plan keeps and this one would let go at the next sweep' }),
    file: z.string().openapi({ description: 'The plan as a policy file' }),
    revision: z.number().int().openapi({ description: 'Of the saved plan; 0: there is none' }),
  })
  .openapi('PlanPreview')

export const categoryPreviewBody = z
  .object({ category: categoryBody.extend({ name: categoryName }) })
  .openapi('CategoryPreviewRequest')
export const categoryPreviewSchema = z
  .object({
    problems: z.array(z.object({ path: z.string(), message: z.string(), hint: z.string().nullable() })),
    removals: z.array(planRemovalSchema).openapi({
      description:
        'Points that it keeps as it is saved and would let go at the next sweep, where no plan has rules of its own',
    }),
    revision: z.number().int().openapi({ description: 'Of the saved category; 0: there is none' }),
  })
  .openapi('CategoryPreview')
