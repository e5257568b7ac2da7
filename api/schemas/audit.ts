import { z } from '@hono/zod-openapi'
import { orNull, pageOf, pageQuery, pointId, timeMs, vmId } from './common.ts'

const action = z.enum(['read-file', 'read-archive', 'read-disk', 'write-to-guest', 'rotate-key']).openapi({
  description:
    'read-file, read-archive, read-disk: taken out of a point; write-to-guest: out of a point into the guest that runs; rotate-key: another key signs proofs of drills',
})

export const auditEntrySchema = z
  .object({
    seq: z.number().int(),
    ms: timeMs,
    user: z.string(),
    action,
    vmId: vmId.nullable(),
    vmName: z.string().nullable(),
    pointId: pointId.nullable(),
    pointCreatedMs: timeMs.nullable(),
    subject: z.string().nullable().openapi({ description: 'The file session, or the fingerprint of the key' }),
    detail: z.object({
      volume: z.string().optional(),
      paths: z.array(z.string()).optional().openapi({ description: 'As they were asked for; a folder with all in it' }),
      disk: z.string().optional(),
      format: z.string().optional(),
      range: z
        .object({ start: z.number().int(), end: orNull(z.number().int()) })
        .optional()
        .openapi({ description: 'Of a part of a file; bytes' }),
    }),
  })
  .openapi('AuditEntry')

export const auditPageSchema = pageOf(auditEntrySchema, 'AuditPage')
export const auditQuery = pageQuery.extend({
  vmId: vmId.optional(),
  pointId: pointId.optional(),
  user: z.string().max(200).optional(),
  action: action.optional(),
  sinceMs: z.coerce.number().int().nonnegative().optional(),
  untilMs: z.coerce.number().int().nonnegative().optional(),
})
