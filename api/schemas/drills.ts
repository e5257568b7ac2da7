import { z } from '@hono/zod-openapi'
import { pageOf, pageQuery, pointId, repositoryId, timeMs, vmId } from './common.ts'

export const drillCheckResultSchema = z
  .object({
    title: z.string(),
    passed: z.boolean(),
    exit: z.number().nullable(),
    out: z.string(),
    err: z.string(),
    count: z.number().nullable(),
    detail: z.string(),
  })
  .openapi('DrillCheckResult')

/** A restore drill that has ended; one that runs is a run of kind `drill`. */
export const drillSchema = z
  .object({
    id: z.string().openapi({ example: 'web-01.20261121t073352' }),
    vmId,
    vmName: z.string(),
    pointId,
    pointCreatedMs: timeMs.nullable(),
    repositoryId,
    verdict: z.enum(['passed', 'failed', 'inconclusive']),
    why: z.string(),
    startedMs: timeMs,
    endedMs: timeMs,
    rtoSeconds: z
      .number()
      .nullable()
      .openapi({ description: 'From the start of the restore to a guest whose checks passed' }),
    rtoTargetSeconds: z.number().nullable(),
    restoreSeconds: z.number(),
    bootSeconds: z.number().nullable(),
    checksPassed: z.number().int(),
    checksTotal: z.number().int(),
    screenshot: z.string().nullable().openapi({ description: 'Address of the picture' }),
    run: z.object({ workflowId: z.string(), runId: z.string() }),
  })
  .openapi('Drill')

export const drillDetailSchema = drillSchema.extend({ checks: z.array(drillCheckResultSchema) }).openapi('DrillDetail')
export const drillPageSchema = pageOf(drillSchema, 'DrillPage')
export const drillListQuery = pageQuery.extend({
  vmId: vmId.optional(),
  pointId: pointId.optional(),
  verdict: z.enum(['passed', 'failed', 'inconclusive']).optional(),
})
