import { z } from '@hono/zod-openapi'
import {
  orNull,
  byteCount,
  categoryName,
  durationMs,
  findingSchema,
  hypervisorId,
  pageOf,
  pageQuery,
  planName,
  platformSchema,
  repositoryId,
  seenRevision,
  site,
  timeMs,
  vmId,
} from './common.ts'
import { drillChecksSchema, keptChecksSchema } from './drill-checks.ts'
import { vmOverrideSchema } from './policy.ts'
import { planRemovalSchema } from './plans.ts'
import { pointSchema, proofSchema } from './points.ts'
import { runSchema } from './runs.ts'

export const postureStateSchema = z
  .enum(['protected', 'late', 'overdue', 'failed', 'unprotected', 'excluded'])
  .openapi('PostureState')

/** Protection posture: the newest validated point against the promise (RPO), never the colour of the last run. */
export const postureSchema = z
  .object({
    state: postureStateSchema,
    sentence: z.string().openapi({ example: 'The newest point is 3 h 55 min old, promise 24 h.' }),
    ageMs: durationMs.nullable(),
    rpoMs: durationMs.nullable(),
  })
  .openapi('Posture')

export const vmDiskSchema = z
  .object({
    key: z.string(),
    label: z.string(),
    size: byteCount,
    format: z.string(),
    role: z.enum(['data', 'boot', 'efi', 'tpm']),
    skip: z.string().nullable().openapi({ description: 'Why this disk is in no point' }),
    datastore: z.string().optional().openapi({
      description: 'The storage that it lies on, as its slots are named; absent: the platform names none',
      example: 'nas-1-export-vms',
    }),
  })
  .openapi('VmDisk')

export const vmSchema = z
  .object({
    id: vmId,
    name: z.string(),
    hypervisorId,
    hypervisorName: z.string(),
    platform: platformSchema,
    site,
    power: z.enum(['running', 'stopped', 'paused', 'suspended', 'io-error', 'unknown']),
    tags: z.array(z.string()),
    sizeBytes: byteCount,
    diskCount: z.number().int(),
    category: categoryName,
    plans: z.array(planName).openapi({ description: 'That take it now' }),
    posture: postureSchema,
    newestPoint: orNull(pointSchema),
    pointCount: z.number().int(),
    changedPerDay: byteCount.nullable().openapi({ description: 'Mean of incremental reads over the last seven days' }),
    lastProof: orNull(proofSchema),
    running: orNull(runSchema),
    lastRun: orNull(runSchema),
    flags: z.array(z.string()).openapi({ description: 'Short remarks: `1 disk left out`, `drill failed`, `gone`' }),
    seenMs: timeMs.openapi({ description: 'Last discovery that saw it' }),
    goneMs: timeMs.nullable().openapi({ description: 'Since when the hypervisor no longer lists it' }),
  })
  .openapi('Vm')

export const vmDetailSchema = vmSchema
  .extend({
    disks: z.array(vmDiskSchema),
    scope: z.string(),
    externalId: z.string().openapi({ description: 'The platform’s own id' }),
    guestAgent: z.enum(['running', 'absent', 'unknown']),
    os: z.string().nullable(),
    foreignSnapshots: z.number().int(),
    owner: z
      .object({
        installation: z.string(),
        name: z.string(),
        since: z.string(),
        ours: z
          .boolean()
          .openapi({ description: 'false: another installation protects it, and backups from here are refused' }),
      })
      .nullable(),
    findings: z.array(findingSchema),
    excludedReason: z.string().nullable(),
    excludedUntilMs: timeMs.nullable().openapi({ description: 'null: until somebody takes it back' }),
    defaultRepositoryId: repositoryId
      .nullable()
      .openapi({ description: 'Repository in which its newest point was made, else the only one' }),
    weaknesses: z
      .array(z.object({ code: z.string(), title: z.string(), hint: z.string() }))
      .openapi({ description: 'Why it may not come back although it is backed up on time, and what helps' }),
    policy: z.array(z.object({ setting: z.string(), value: z.string(), from: z.string() })).openapi({
      description: 'Effective policy and where each value comes from',
    }),
    override: vmOverrideSchema,
    revision: z.number().int().openapi({
      description:
        'Of what somebody set for it (category, left out or not, drill checks, override): send it back with a change',
    }),
    drillChecks: keptChecksSchema.openapi({ description: 'Of this VM alone; none: what its category asks' }),
    drill: z
      .object({
        checks: keptChecksSchema,
        checksFrom: z.string().openapi({ example: 'category critical' }),
        bootTimeoutMs: durationMs.openapi({ description: 'How long the guest may take until its agent answers' }),
        bootTimeoutFrom: z.string(),
      })
      .openapi({ description: 'What a drill of it does, and where each value comes from' }),
    createdMs: timeMs,
  })
  .openapi('VmDetail')

export const vmPageSchema = pageOf(vmSchema, 'VmPage')

export const vmListQuery = pageQuery.extend({
  q: z.string().max(200).optional().openapi({ description: 'Part of the name or a tag' }),
  tag: z.string().max(120).optional(),
  state: z
    .enum(['protected', 'late', 'overdue', 'failed', 'unprotected', 'excluded', 'outside-rpo', 'running'])
    .optional(),
  hypervisorId: hypervisorId.optional(),
  site: site.optional(),
  gone: z.enum(['hide', 'show']).default('hide'),
})

export const vmPreviewBody = z
  .object({
    category: categoryName.optional().openapi({ description: 'Default: the one it has' }),
    override: vmOverrideSchema.optional().openapi({ description: 'Default: what is set for it' }),
  })
  .openapi('VmPreviewRequest')
export const vmPreviewSchema = z
  .object({
    problems: z.array(z.object({ path: z.string(), message: z.string(), hint: z.string().nullable() })),
    removals: z.array(planRemovalSchema).openapi({
      description: 'Points of it that are kept as all is saved, and that the next sweep would let go',
    }),
    revision: z.number().int().openapi({ description: 'Of what is set for it' }),
  })
  .openapi('VmPreview')

export const vmPatchBody = z
  .object({
    category: categoryName.optional(),
    excludedReason: z
      .string()
      .max(500)
      .nullable()
      .optional()
      .openapi({ description: 'Set: left out on purpose. null: protected again' }),
    excludedUntilMs: timeMs.nullable().optional().openapi({
      description:
        'When a VM that is left out is protected again by itself; it goes with its reason: another reason without it has no end',
    }),
    drillChecks: drillChecksSchema.optional().openapi({ description: 'None: what its category asks' }),
    override: vmOverrideSchema.optional().openapi({ description: 'Set for this VM alone; as a whole' }),
    revision: seenRevision,
  })
  .openapi('VmPatch')
