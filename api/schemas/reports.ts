import { z } from '@hono/zod-openapi'
import { byteCount, repositoryId, timeMs, vmId } from './common.ts'

const n = z.number().int().nonnegative()

export const protectionReportSchema = z
  .object({
    period: z.enum(['day', 'week', 'month']),
    days: n,
    madeMs: timeMs,
    title: z.string().openapi({ example: '212 of 214 VMs inside their RPO' }),
    lead: z.string(),
    vms: z.object({
      total: n,
      by: z.object({ failed: n, overdue: n, late: n, unprotected: n, protected: n, excluded: n }),
    }),
    promised: n,
    proven: n.openapi({ description: 'Whose last drill passed' }),
    points: n,
    newBytes: byteCount,
    failedBackups: n,
    drillsPassed: n,
    drillsFailed: n,
    open: n,
    recovered: n,
    suspicious: n.openapi({ description: 'Points whose change was flagged and that nobody has looked at' }),
    outside: z
      .array(z.object({ id: vmId, name: z.string(), state: z.string(), sentence: z.string() }))
      .openapi({ description: 'Most urgent first, 50 at most' }),
    outsideTotal: n,
    repositories: z.array(
      z.object({
        id: repositoryId,
        name: z.string(),
        storedBytes: byteCount.nullable(),
        freeBytes: byteCount.nullable(),
        fullMs: timeMs.nullable(),
      }),
    ),
  })
  .openapi('ProtectionReport')
