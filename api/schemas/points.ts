import { z } from '@hono/zod-openapi'
import { pointOrigins } from '../../catalog/index.ts'
import {
  orNull,
  byteCount,
  consistencySchema,
  durationMs,
  pageOf,
  pageQuery,
  pointId,
  repositoryId,
  timeMs,
  vmId,
} from './common.ts'
import { changeDetailSchema, changeSchema } from './changes.ts'
import { holdSchema } from './holds.ts'

/** A drill's verdict where a row needs it; the whole drill is in `/drills/{id}`. */
export const proofSchema = z
  .object({
    drillId: z.string(),
    verdict: z.enum(['passed', 'failed', 'inconclusive']),
    endedMs: timeMs,
    rtoSeconds: z.number().nullable(),
  })
  .openapi('Proof')

export const damageSchema = z.object({ ms: timeMs, what: z.string() }).openapi('Damage')

/**
 * How much of the point has been checked. `validated`: committed, every pack present. `spot-checked`: random chunks
 * read back after the commit. `quick`, `data` and `full`: levels of repository verification.
 */
export const verificationSchema = z
  .object({
    level: z.enum(['validated', 'spot-checked', 'quick', 'data', 'full']),
    ms: timeMs,
    chunks: z.number().int().nullable().openapi({ description: 'Chunks read back, for spot-checked' }),
  })
  .openapi('Verification')

const keptSchema = z
  .object({
    by: z.array(z.string()).openapi({ description: 'Every rule that keeps it; empty: it goes with that sweep' }),
    ms: timeMs,
  })
  .openapi('Kept')

export const pointSchema = z
  .object({
    id: pointId,
    stem: z.string().openapi({ description: 'Name of the point inside its repository' }),
    vmId,
    vmName: z.string(),
    repositoryId,
    repositoryName: z.string(),
    createdMs: timeMs.openapi({ description: 'The instant that the disks stand at' }),
    validatedMs: timeMs.nullable(),
    origin: z.enum(pointOrigins),
    name: z.string().nullable(),
    description: z.string().nullable(),
    mode: z.enum(['full', 'incremental', 'mixed']).openapi({ description: 'mixed: some disks in full' }),
    consistency: consistencySchema,
    freezeDurationMs: durationMs.nullable(),
    atRest: z.enum(['shut-down', 'off']).nullable().openapi({
      description: 'The VM did not run: shut down for the point, or off anyway; there was nothing to freeze',
    }),
    diskCount: z.number().int(),
    logicalBytes: byteCount.openapi({ description: 'Size of the disks' }),
    readBytes: byteCount.openapi({ description: 'Read from the source' }),
    newBytes: byteCount.openapi({ description: 'Added to the repository' }),
    verification: orNull(verificationSchema),
    damage: orNull(damageSchema).openapi({
      description: 'Found when it was read; it is no longer offered for restores',
    }),
    change: orNull(changeSchema).openapi({ description: 'What changed since the point before it; null: not measured' }),
    proof: orNull(proofSchema).openapi({ description: 'Its last drill' }),
    kept: orNull(keptSchema).openapi({
      description: 'What the newest look of retention at its repository has found; null: none has seen it yet',
    }),
    run: z.object({ workflowId: z.string(), runId: z.string() }).nullable(),
  })
  .openapi('Point')

export const pointDiskSchema = z
  .object({
    disk: z.string(),
    label: z.string(),
    size: byteCount,
    mode: z.enum(['full', 'incremental']),
    why: z.string().openapi({ description: 'Why it was read in full, in words; empty if incremental' }),
    readBytes: byteCount,
    newBytes: byteCount,
    bytesResumed: byteCount,
    attempts: z.number().int(),
  })
  .openapi('PointDisk')

/** A point in one repository. */
export const copySchema = z
  .object({
    repositoryId,
    repositoryName: z.string(),
    sourceId: repositoryId.nullable().openapi({ description: 'Where it was copied from; null: from the hypervisor' }),
    sourceName: z.string().nullable(),
    state: z.enum(['pending', 'in-progress', 'done', 'failed', 'removed']).openapi({
      description: 'removed: it was there, and the retention of that repository or a person has removed it',
    }),
    stem: z.string().nullable(),
    isRestorable: z.boolean().openapi({ description: 'It is there, validated, and no damage is known' }),
    wantedMs: timeMs,
    validatedMs: timeMs.nullable(),
    storedBytes: byteCount.nullable().openapi({ description: 'New in that repository; null: not known' }),
    verification: orNull(verificationSchema),
    damage: orNull(damageSchema),
    goneMs: timeMs.nullable().openapi({ description: 'When a look found that it is not there any more' }),
    immutableUntilMs: timeMs
      .nullable()
      .openapi({ description: 'Its store keeps it until then; 0: no lock; null: not known' }),
    problem: z.string().nullable(),
    attempts: z.number().int(),
    retryMs: timeMs.nullable().openapi({ description: 'When what failed is tried again by itself' }),
    runId: z.string().nullable(),
  })
  .openapi('PointCopy')

export const bootListSchema = z
  .object({
    bytes: byteCount,
    recordedMs: timeMs,
    drillId: z.string().openapi({ description: 'Which has shown it' }),
  })
  .openapi('BootList')

export const pointDetailSchema = pointSchema
  .extend({
    disks: z.array(pointDiskSchema),
    parentId: pointId.nullable(),
    repositoryPath: z.string(),
    command: z.string().openapi({ description: 'Restores it from the command line' }),
    copies: z.array(copySchema).openapi({ description: 'Where it lies, and where it is to lie' }),
    changed: orNull(changeDetailSchema).openapi({ description: 'What changed since the point before it, in figures' }),
    bootList: orNull(bootListSchema).openapi({
      description:
        'What a boot of its VM reads first, as the newest drill out of a repository has shown: an instant restore reads it ahead',
    }),
    holds: z.array(holdSchema).openapi({ description: 'What keeps it whatever rules say' }),
  })
  .openapi('PointDetail')

export const pointPageSchema = pageOf(pointSchema, 'PointPage')

export const pointListQuery = pageQuery.extend({
  vmId: vmId.optional(),
  repositoryId: repositoryId.optional(),
  proven: z.enum(['passed', 'failed', 'inconclusive', 'never']).optional(),
  suspicious: z
    .enum(['true'])
    .optional()
    .openapi({ description: 'Only those whose change was flagged, and that nobody has called expected' }),
  sinceMs: z.coerce.number().int().nonnegative().optional(),
  untilMs: z.coerce.number().int().nonnegative().optional(),
})
