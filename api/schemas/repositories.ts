import { z } from '@hono/zod-openapi'
import { orNull, byteCount, displayName, durationMs, pageOf, repositoryId, site, timeMs, vmId } from './common.ts'
import { mediaClasses } from '../../policy/index.ts'
import { runErrorSchema } from './runs.ts'
import { scrubSchema } from './scrubs.ts'

/** The rest of a URL is checked by the worker that opens it; user and password in it would be a secret in the catalogue. */
const storeUrl = (scheme: string) =>
  z
    .string()
    .regex(new RegExp(`^${scheme}://[a-z0-9][^\\s@#]*$`), `a URL ${scheme}://… without user and password`)
    .max(2000)

export const locationSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('posix'), path: z.string().regex(/^\//, 'an absolute path').max(1000) }),
    z.object({ kind: z.literal('s3'), url: storeUrl('s3') }),
    z.object({ kind: z.literal('azure'), url: storeUrl('azure') }),
  ])
  .openapi('RepositoryLocation')

export const usageSchema = z
  .object({
    measuredMs: timeMs,
    points: z.number().int(),
    series: z.number().int().openapi({ description: 'Protected VMs' }),
    packs: z.number().int(),
    storedBytes: byteCount,
    uniqueBytes: byteCount,
    logicalBytes: byteCount,
    capacityBytes: byteCount.nullable(),
    freeBytes: byteCount.nullable(),
    dedupRatio: z.number().nullable().openapi({ description: 'Logical to unique; null while empty' }),
    compressionRatio: z.number().nullable().openapi({ description: 'Unique to stored' }),
  })
  .openapi('RepositoryUsage')

export const repositorySecuritySchema = z
  .object({
    kekGen: z.number().int().openapi({ description: 'Newest generation of the key-encryption key' }),
    isComplete: z.boolean().openapi({ description: 'Two slots, one of them for recovery, and two key sets' }),
    damaged: z.number().int().openapi({ description: 'Objects with keys that are damaged' }),
    slots: z
      .array(
        z.object({
          id: z.string().openapi({ description: 'As `holdfast repo key` names it' }),
          role: z.string(),
          type: z.string().openapi({ example: 'passphrase', description: 'passphrase, recovery, shamir, hpke' }),
          label: z.string(),
          createdMs: timeMs,
          sound: z.boolean(),
          isCurrent: z.boolean().openapi({ description: 'Of the newest generation' }),
          threshold: z.number().int().nullable(),
          shares: z.number().int().nullable(),
        }),
      )
      .openapi({ description: '50 at most' }),
    lock: orNull(
      z.object({
        mode: z.enum(['governance', 'compliance']),
        days: z.number().int().openapi({ description: 'A point cannot be deleted for so long' }),
        generationDays: z.number().int().openapi({ description: 'An object may stay so many days longer' }),
      }),
    ).openapi({ description: 'null: it locks nothing' }),
  })
  .openapi('RepositorySecurity')

export const repositoryTestSchema = z
  .object({
    state: z.enum(['ok', 'failed']),
    testedMs: timeMs,
    repositoryUuid: z.string().nullable(),
    checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
    writeRate: z.number().nullable().openapi({ description: 'Bytes per second' }),
    readRate: z.number().nullable(),
    staleMs: durationMs.nullable().openapi({ description: 'How long the store may show an old listing' }),
    skewMs: z.number().nullable().openapi({ description: 'Clock of the store against the worker’s' }),
    security: orNull(repositorySecuritySchema).openapi({
      description: 'Who can open it and what it locks; null: not known, as of a test that could not open it',
    }),
    error: orNull(runErrorSchema),
  })
  .openapi('RepositoryTest')

const media = z
  .enum(mediaClasses)
  .openapi({ description: 'On what it lies: what is of one kind may fail together', example: 'object' })
const standsAt = site.nullable().openapi({ description: 'Where that stands, as sites are called; null: at its site' })

export const repositorySchema = z
  .object({
    id: repositoryId,
    name: z.string(),
    site,
    location: locationSchema,
    media,
    standsAt,
    credentialRef: z.string().openapi({ description: 'Where workers find the passphrase; never the passphrase' }),
    createdMs: timeMs,
    points: z.number().int().nonnegative(),
    vms: z.number().int().nonnegative(),
    newestPointMs: timeMs.nullable(),
    usage: orNull(usageSchema),
    measuring: z
      .object({ triedMs: timeMs.nullable(), error: orNull(runErrorSchema) })
      .openapi({ description: 'Once a day, by itself: the last try, and why it came to nothing' }),
    fullByMs: timeMs
      .nullable()
      .openapi({ description: 'At the measured growth; null if it does not grow or is not known yet' }),
    test: orNull(repositoryTestSchema),
    scrub: scrubSchema,
  })
  .openapi('Repository')

export const repositoryDetailSchema = repositorySchema
  .extend({
    consumption: z
      .array(
        z.object({
          vmId,
          vmName: z.string(),
          points: z.number().int(),
          logicalBytes: byteCount.openapi({ description: 'Size of its newest point' }),
          readBytes: byteCount,
          newBytes: byteCount.openapi({ description: 'Added by its points' }),
          newestPointMs: timeMs,
          verifiedShare: z.number().openapi({ description: 'Share of its points that were read back or verified' }),
        }),
      )
      .openapi({ description: 'The 50 VMs that added most' }),
    growth: z
      .array(z.object({ day: z.string(), storedBytes: byteCount }))
      .openapi({ description: 'Thirty days at most' }),
  })
  .openapi('RepositoryDetail')

export const repositoryPageSchema = pageOf(repositorySchema, 'RepositoryPage')

const credentialRef = z
  .string()
  .max(1000)
  .regex(/^file:\/.+$/, 'file:/path on the worker')

export const addRepositoryBody = z
  .object({
    name: displayName,
    site: site.default('local'),
    location: locationSchema,
    credentialRef,
    media: media.optional(),
    standsAt: standsAt.optional(),
  })
  .openapi('AddRepository')

export const describeRepositoryBody = z
  .strictObject({
    media: media.optional(),
    standsAt: standsAt.optional(),
    site: site.optional().openapi({
      description: 'Whose workers reach it from now on; it goes on to stand where it stood unless that is said as well',
    }),
    credentialRef: credentialRef.optional(),
  })
  .openapi('DescribeRepository')
