import { z } from '@hono/zod-openapi'
import { channelBody, channelName } from './alerts.ts'
import { categoryName, displayName, planName, repositoryId, vmId } from './common.ts'
import { keepingBody } from './own.ts'
import { categoryBody, planBody, vmOverrideSchema } from './policy.ts'
import { planRemovalSchema } from './plans.ts'
import { recoveryPlanBody } from './recovery-plans.ts'
import { setSweepSettingsBody } from './retention.ts'
import { setScrubBody } from './scrubs.ts'
import { linkLimitsBody, slotCount } from './slots.ts'

const linkName = z
  .string()
  .regex(/^(\*|[^/*]{1,100})\/(\*|[^/*]{1,100})$/)
  .openapi({ description: 'Hypervisor and repository; `*`: all of them together', example: 'lab/main' })

/** Of one VM: everything that is not said is as for a VM that nobody has touched. */
export const vmPolicyBody = vmOverrideSchema
  .extend({
    category: categoryName.default('standard'),
    excluded: z.string().min(1).max(500).nullable().default(null).openapi({
      description: 'Left out on purpose, and why',
    }),
    excludedUntil: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{3})?)?(Z|[+-]\d{2}:\d{2}))?$/, 'a day is 2026-12-01')
      .refine((text) => !Number.isNaN(Date.parse(text)), 'there is no such day')
      .nullable()
      .default(null)
      .openapi({
        description: 'From when on it is protected again by itself; a day begins in UTC',
        example: '2026-12-01',
      }),
  })
  .openapi('VmPolicy')

const resourceName = z
  .string()
  .max(300)
  .openapi({ description: 'host/<hypervisor>, repository/<repository>, link/<site>, datastore/<name>' })
const sweepScope = z
  .string()
  .regex(/^(\*|[a-z0-9]+(-[a-z0-9]+)*)$/)
  .max(64)
  .openapi({ description: 'A repository; `*`: all that say nothing else' })
const recordKind = z.string().max(64).openapi({ description: 'As `holdfast keep ls` names it', example: 'runs' })

/**
 * A policy file, in members of requests; the file itself has durations and sizes in words. Sections that are absent are
 * not touched.
 */
export const policyDocument = z
  .strictObject({
    version: z.literal(1),
    categories: z.record(categoryName, categoryBody).optional(),
    plans: z.record(planName, planBody).optional(),
    vms: z.record(vmId, vmPolicyBody).optional(),
    links: z.record(linkName, linkLimitsBody).optional(),
    recoveryPlans: z.record(displayName.max(60), recoveryPlanBody).optional(),
    sweeps: z.record(sweepScope, setSweepSettingsBody).optional(),
    scrubs: z.record(repositoryId, setScrubBody).optional(),
    slots: z.record(resourceName, z.strictObject({ slots: slotCount })).optional(),
    records: z.record(recordKind, keepingBody).optional(),
    channels: z.record(channelName, channelBody).optional(),
  })
  .openapi('PolicyDocument')
export type PolicyDocument = z.output<typeof policyDocument>

export const policyFileBody = z
  .strictObject({
    file: z.string().max(1_000_000).openapi({ description: 'YAML, as docs/policy.md describes it' }),
    prune: z.boolean().default(false).openapi({
      description: 'Also remove what exists and is not in the file, of the sections that the file has',
    }),
  })
  .openapi('PolicyFile')

const kind = z.enum(['category', 'plan', 'vm', 'link', 'recovery-plan', 'sweep', 'scrub', 'slot', 'record', 'channel'])
export const policyChangeSchema = z
  .object({
    kind,
    name: z.string(),
    action: z.enum(['create', 'change', 'remove']),
    members: z.array(
      z.object({
        path: z.string().openapi({ example: 'targets.0.keep.daily' }),
        before: z.string().nullable(),
        after: z.string().nullable(),
      }),
    ),
  })
  .openapi('PolicyChange')

export const policyDifferenceSchema = z
  .object({
    changes: z.array(policyChangeSchema),
    unlisted: z.array(z.object({ kind, name: z.string() })).openapi({
      description: 'Exists, is not in the file, and stays: `prune` would remove it',
    }),
  })
  .openapi('PolicyDifference')
/** What a file would change, and what would follow for points that exist. */
export const policyComparisonSchema = policyDifferenceSchema
  .extend({
    removals: z
      .array(
        planRemovalSchema.extend({
          kind: z.enum(['plan', 'category', 'vm']),
          name: z.union([planName, categoryName, vmId]),
        }),
      )
      .openapi({
        description:
          'Points that the rules of this plan, category or VM keep and would let go at the next sweep, as far as they decide it',
      }),
  })
  .openapi('PolicyComparison')
export type PolicyComparison = z.output<typeof policyComparisonSchema>
export type PolicyDifference = z.output<typeof policyDifferenceSchema>
