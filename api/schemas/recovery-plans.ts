import { z } from '@hono/zod-openapi'
import { mostMembers, mostTiers, recoveryEnds, tierChoices, tierNeeds } from '../../policy/index.ts'
import { residueSchema } from './runbook.ts'
import { displayName, durationMs, hypervisorId, orNull, seenRevision, slug, timeMs, vmId } from './common.ts'

const reason = z.string().max(500).default('')
const tierKey = slug.max(40).openapi({ description: 'Names the tier in the plan', example: 'databases' })
const network = z.string().min(1).max(200)

const manualStepSchema = z
  .strictObject({ title: z.string().min(1).max(120), detail: z.string().max(1000).default('') })
  .openapi('ManualStep')
const recoveryMemberSchema = z
  .strictObject({
    vmId,
    hypervisorId: hypervisorId.nullable().default(null).openapi({ description: 'null: where the plan says' }),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/)
      .nullable()
      .default(null)
      .openapi({ description: 'Of the new VM; null: its own, with -recovered where the VM itself lives' }),
  })
  .openapi('RecoveryMember')
const recoveryTierSchema = z
  .strictObject({
    key: tierKey,
    name: z.string().max(60).default('').openapi({ description: 'Default: its key' }),
    after: z
      .array(tierKey)
      .max(mostTiers)
      .nullable()
      .default(null)
      .openapi({ description: 'Tiers that are done before it begins; null: the one above it' }),
    delayMs: durationMs.max(86_400_000).default(0),
    before: z.array(manualStepSchema).max(10).default([]).openapi({ description: 'What people do first' }),
    members: z.array(recoveryMemberSchema).max(mostMembers).default([]),
    needs: z
      .enum(tierNeeds)
      .default('checks')
      .openapi({ description: 'What of each VM is waited for: its checks pass, its guest answers, it was started' }),
    bootTimeoutMs: z.number().int().min(1000).max(3_600_000).default(300_000),
    then: z
      .array(manualStepSchema)
      .max(10)
      .default([])
      .openapi({ description: 'What people do once its VMs are there' }),
    rtoMs: durationMs
      .nullable()
      .default(null)
      .openapi({ description: 'Promised from the start of the run until the tier is done' }),
  })
  .openapi('RecoveryTier')

export const recoverySpecSchema = z
  .strictObject({
    name: displayName.max(60),
    description: z.string().max(1000).default(''),
    hypervisorId: hypervisorId.nullable().default(null).openapi({ description: 'null: where each VM lives' }),
    networks: z
      .array(z.strictObject({ from: network, to: network.nullable() }))
      .max(50)
      .default([])
      .openapi({ description: 'Network of the point to network of the target; rehearsals are isolated anyway' }),
    identity: z.enum(['new', 'same']).default('new').openapi({ description: 'MAC addresses and machine id' }),
    atOnce: z.number().int().min(1).max(16).default(2).openapi({ description: 'VMs at the same time' }),
    rehearseEveryMs: durationMs.min(86_400_000).nullable().default(null),
    tiers: z.array(recoveryTierSchema).max(mostTiers + 1),
  })
  .openapi('RecoverySpec')
/** In a policy file its name is the name of its member. */
export const recoveryPlanBody = recoverySpecSchema.omit({ name: true }).openapi('RecoveryPlanBody')
export const recoverySpecChange = z
  .object({
    spec: recoverySpecSchema,
    revision: seenRevision,
  })
  .openapi('RecoveryPlanChange')

const recoveryCheckSchema = z
  .object({
    stages: z.array(z.array(z.string())).openapi({ description: 'Keys of tiers that begin together, in order' }),
    findings: z.array(
      z.object({ at: z.string(), severity: z.enum(['blocking', 'warning']), message: z.string(), hint: z.string() }),
    ),
  })
  .openapi('RecoveryCheck')
export { recoveryCheckSchema }

const lastRunSchema = z
  .object({
    runId: z.string(),
    state: z.string(),
    startedMs: timeMs,
    endedMs: timeMs.nullable(),
    isCurrent: z.boolean().openapi({ description: 'It did what the plan says now; false: that was changed since' }),
    skipped: z.boolean().openapi({ description: 'What people do was left out' }),
    rtoMs: durationMs.nullable().openapi({ description: 'null: a tier was not done, or people were left out' }),
  })
  .openapi('RecoveryLastRun')
export const recoveryPlanSchema = z
  .object({
    ...{ id: slug, revision: z.number().int(), createdMs: timeMs, changedMs: timeMs },
    ...{ spec: recoverySpecSchema, check: recoveryCheckSchema, vms: z.number().int() },
    lastRehearsal: orNull(lastRunSchema),
    lastPassed: orNull(lastRunSchema).openapi({
      description: 'Rehearsal of what the plan says now in which every VM came back',
    }),
    lastRun: orNull(lastRunSchema).openapi({ description: 'For real' }),
    running: z.string().nullable().openapi({ description: 'Run that is under way' }),
    originals: z
      .array(z.object({ vmId, vmName: z.string(), problems: z.array(z.string()) }))
      .openapi({ description: 'VMs that are there already, as far as is known: a run for real needs them in beside' }),
    dueMs: timeMs.nullable().openapi({ description: 'When the next rehearsal that passes is promised' }),
    isOverdue: z.boolean(),
  })
  .openapi('RecoveryPlan')
export const recoveryPlansSchema = z.object({ items: z.array(recoveryPlanSchema) }).openapi('RecoveryPlans')

export const recoveryStartBody = z
  .object({
    mode: z.enum(['rehearse', 'run']).openapi({
      description: 'rehearse: isolated, and nothing of it is left; run: VMs come back as new ones and are started',
    }),
    confirmName: z.string().optional().openapi({ description: 'The name of the plan; a run for real needs it' }),
    untilMs: timeMs.nullable().default(null).openapi({ description: 'No point taken after this instant' }),
    beside: z.array(vmId).max(mostMembers).default([]).openapi({
      description:
        'For real: VMs that come back although they run, or a standby of them does or is newer. Others refuse the run before anything is made',
    }),
    withoutPeople: z.boolean().default(false).openapi({ description: 'Rehearsals only: manual steps are skipped' }),
    patienceMs: durationMs
      .min(1000)
      .max(604_800_000)
      .default(86_400_000)
      .openapi({ description: 'How long a rehearsal waits for a person before it ends and cleans up' }),
    reason,
  })
  .openapi('RecoveryStart')

const waitSchema = z
  .object({ id: z.string(), kind: z.enum(['step', 'choice']), title: z.string(), detail: z.string(), sinceMs: timeMs })
  .openapi('TierWait')
const memberRecordSchema = z
  .object({
    ...{ vmId: z.string(), vmName: z.string(), name: z.string().nullable(), pointId: z.string().nullable() },
    runId: z.string().nullable().openapi({ description: 'Of its drill or restore, once the catalog knows it' }),
    attempts: z.number().int(),
    state: z
      .enum([
        ...(['pending', 'recovering', 'ready', 'short', 'failed', 'lost'] as const),
        ...(['kept', 'kept-short', 'removed', 'left', 'skipped'] as const),
      ])
      .openapi({ description: 'lost: was back, and its run has ended since; left: removed, save what residue names' }),
    original: z.string().openapi({ description: 'Where its original was when the run began; empty: nobody looked' }),
    residue: z.array(residueSchema).openapi({ description: 'What could not be removed' }),
    verdict: z.enum(['passed', 'failed', 'inconclusive']).nullable(),
    why: z.string(),
    ...{ restoreSeconds: z.number().nullable(), bootSeconds: z.number().nullable(), rtoSeconds: z.number().nullable() },
  })
  .openapi('RecoveryMemberRecord')
const tierRecordSchema = z
  .object({
    ...{ key: z.string(), name: z.string() },
    state: z.enum(['pending', 'delayed', 'running', 'waiting', 'done', 'continued', 'failed', 'skipped']),
    ...{ startedMs: timeMs.nullable(), endedMs: timeMs.nullable() },
    tookMs: durationMs.nullable().openapi({ description: 'From its begin until it was done' }),
    waitedMs: durationMs.openapi({ description: 'Of that: for people' }),
    sinceStartMs: durationMs.nullable().openapi({ description: 'From the start of the run until it was done' }),
    rtoMs: durationMs.nullable(),
    isInTime: z
      .boolean()
      .nullable()
      .openapi({ description: 'null: nothing is promised, or it cannot be told: not yet, or people were left out' }),
    waitsFor: orNull(waitSchema),
    answers: z.array(
      z.object({
        ...{ id: z.string(), title: z.string(), answer: z.string(), user: z.string(), reason: z.string(), ms: timeMs },
      }),
    ),
    members: z.array(memberRecordSchema),
  })
  .openapi('RecoveryTierRecord')
export const recoveryRunSchema = z
  .object({
    ...{ runId: z.string(), workflowId: z.string(), planId: z.string(), planName: z.string() },
    mode: z.enum(['rehearse', 'run']),
    state: z.enum(['running', 'passed', 'incomplete', 'aborted', 'failed', 'cancelled']),
    why: z.string().openapi({ description: 'How it ended' }),
    ...{ untilMs: timeMs.nullable(), withoutPeople: z.boolean(), requestedUser: z.string() },
    ...{ startedMs: timeMs, endedMs: timeMs.nullable() },
    rtoMs: durationMs
      .nullable()
      .openapi({ description: 'From the start until the last tier was done; null: it was not' }),
    waitedMs: durationMs.openapi({ description: 'Tiers that waited for people at the same time waited once' }),
    back: z.number().int().openapi({ description: 'VMs that are or were what their tier waits for' }),
    vms: z.number().int(),
    tiers: z.array(tierRecordSchema),
  })
  .openapi('RecoveryRun')
export const recoveryRunsSchema = z
  .object({ items: z.array(recoveryRunSchema), nextCursor: z.string().nullable(), total: z.number().int() })
  .openapi('RecoveryRuns')

const tier = tierKey.openapi({ description: 'Key of the tier that waits' })
const wait = z.string().max(40).openapi({ description: 'Id of what it waits for, as it was seen', example: 'before-0' })
export const recoveryApproval = z.object({ tier, wait, reason }).openapi('RecoveryApproval')
export const recoveryChoice = z
  .object({
    ...{ tier, wait, reason },
    choice: z.enum(tierChoices).openapi({
      description:
        'retry: its VMs that are not back, anew; continue: without them; clean-up: end the run, remove all; hand-over: end it, keep what stands',
    }),
  })
  .openapi('RecoveryChoice')
export const recoveryAbort = z.object({ end: z.enum(recoveryEnds), reason }).openapi('RecoveryAbort')
