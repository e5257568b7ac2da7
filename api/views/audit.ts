import type { z } from '@hono/zod-openapi'
import type { AuditView } from '../../catalog/index.ts'
import type { auditEntrySchema } from '../schemas/audit.ts'

export function auditView({ detail: { paths, ...detail }, ...row }: AuditView): z.infer<typeof auditEntrySchema> {
  return { ...row, detail: { ...detail, ...(paths !== undefined && { paths: [...paths] }) } }
}
