import type { z } from '@hono/zod-openapi'
import type { DrillView } from '../../catalog/index.ts'
import type { drillDetailSchema, drillSchema } from '../schemas/drills.ts'

export function drillView(drill: DrillView): z.infer<typeof drillSchema> {
  const { rtoMs } = drill
  return {
    id: drill.id,
    vmId: drill.vmId,
    vmName: drill.vmName,
    pointId: drill.pointId,
    pointCreatedMs: drill.pointCreatedMs,
    repositoryId: drill.repositoryId,
    verdict: drill.verdict,
    why: drill.why,
    startedMs: drill.startedMs,
    endedMs: drill.endedMs,
    rtoSeconds: drill.rtoSeconds,
    rtoTargetSeconds: rtoMs === null ? null : rtoMs / 1000,
    restoreSeconds: drill.restoreSeconds,
    bootSeconds: drill.bootSeconds,
    checksPassed: drill.checks.filter((check) => check.passed).length,
    checksTotal: drill.checks.length,
    screenshot: drill.screenshot === null ? null : `/api/v1/drills/${drill.id}/screenshot`,
    run: { workflowId: drill.workflowId, runId: drill.runId },
  }
}

export function drillDetailView(drill: DrillView): z.infer<typeof drillDetailSchema> {
  return { ...drillView(drill), checks: drill.checks.map((check) => ({ ...check })) }
}
