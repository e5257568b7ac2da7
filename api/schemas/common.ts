import { z } from '@hono/zod-openapi'
import { platforms, supportedPlatforms } from '../../catalog/index.ts'

/** Unix milliseconds, UTC. Every time in this API carries its unit in its name (`…Ms`). */
export const timeMs = z
  .number()
  .int()
  .nonnegative()
  .openapi({ description: 'Unix milliseconds, UTC', example: 1795246432000 })
export const durationMs = z.number().int().nonnegative().openapi({ description: 'Milliseconds' })
export const byteCount = z.number().int().nonnegative().openapi({ description: 'Bytes' })

/** Ids that people read and that are parts of workflow ids. */
export const slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(64)
export const vmId = slug.openapi({ description: 'Fixed at the first discovery', example: 'web-01' })
export const hypervisorId = slug.openapi({ example: 'lab' })
export const repositoryId = slug.openapi({ example: 'main' })
/** Names that are identities: what somebody writes down is what every id and file says. */
export const planName = slug.max(48).openapi({ example: 'nightly-lyon' })
export const categoryName = slug.max(48).openapi({ example: 'critical' })
export const site = slug.max(40).openapi({ description: 'Site whose workers reach it', example: 'local' })
export const pointId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ description: 'Recovery point, 32 hex digits', example: '0192f3a67b1c4d2e8f90a1b2c3d4e5f6' })
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** A name that people chose: shown, never part of a path. */
export const displayName = z
  .string()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}]+$/u, 'no control characters')

export const platformSchema = z.enum(platforms)
export const supportedPlatformSchema = z.enum(supportedPlatforms)
export const consistencySchema = z.enum(['crash', 'filesystem', 'application'])

/** A problem or remark of a driver, with its remedy. */
export const findingSchema = z
  .object({
    code: z.string(),
    severity: z.enum(['info', 'warning', 'blocking']),
    disk: z.string().nullable(),
    message: z.string(),
    hint: z.string(),
  })
  .openapi('Finding')

export const requesterSchema = z.object({ user: z.string(), reason: z.string() }).openapi('Requester')

/** RFC 9457 with our members: `code`, `hint` and the anchor of `docs/errors.md`. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:holdfast:error:NotFound' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'What happened, to what' }),
    instance: z.string(),
    code: z.string().openapi({ example: 'NotFound' }),
    hint: z.string().openapi({ description: 'What to do' }),
    docs: z.string().openapi({ example: 'errors.md#notfound' }),
    causes: z.array(z.string()),
    data: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('Problem')
export type Problem = z.infer<typeof problemSchema>

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(400).optional().openapi({ description: 'nextCursor of the page before' }),
})

/** A page of a list: `total` counts what the filters match, `nextCursor` is null on the last page. */
export function pageOf<T extends z.ZodType>(
  item: T,
  name: string,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodNullable<z.ZodString>; total: z.ZodNumber }> {
  return z
    .object({ items: z.array(item), nextCursor: z.string().nullable(), total: z.number().int().nonnegative() })
    .openapi(name)
}

/** `T` or null, for a schema that has a name in the document: `.nullable()` would make the named schema itself nullable. */
export function orNull<T extends z.ZodType>(schema: T): z.ZodUnion<readonly [T, z.ZodNull]> {
  return z.union([schema, z.null()])
}

export const seenRevision = z
  .number()
  .int()
  .min(0)
  .nullable()
  .default(null)
  .openapi({ description: 'The revision that was seen; 0: there is none yet; null: whatever is there' })
