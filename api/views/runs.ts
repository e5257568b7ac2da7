import type { z } from '@hono/zod-openapi'
import type { RunView } from '../../catalog/index.ts'
import type { acceptedSchema, runSchema } from '../schemas/runs.ts'
import type { RunHandle } from '../orchestrator.ts'

export function runView(run: RunView, nowMs: number): z.infer<typeof runSchema> {
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    kind: run.kind,
    state: run.state,
    title: run.title,
    vmId: run.vmId,
    vmName: run.vmName,
    repositoryId: run.repositoryId,
    repositoryName: run.repositoryName,
    pointId: run.pointId,
    startedMs: run.startedMs,
    endedMs: run.endedMs,
    durationMs: Math.max(0, (run.endedMs ?? nowMs) - run.startedMs),
    progress: run.endedMs === null ? run.progress : null,
    resumedTimes: run.resumedTimes,
    summary: run.summary,
    bytesRead: run.bytesRead,
    bytesStored: run.bytesStored,
    error: run.error,
    residue: [...run.residue],
    requestedBy: { user: run.requestedUser, reason: run.requestedReason },
    seenMs: run.seenMs,
  }
}

export function runPath(runId: string): string {
  return `/api/v1/runs/${encodeURIComponent(runId)}`
}

export function accepted(run: RunHandle): z.infer<typeof acceptedSchema> {
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    links: {
      run: runPath(run.runId),
      runbook: `${runPath(run.runId)}/runbook`,
      page: `/runs/${encodeURIComponent(run.runId)}`,
    },
    command: `holdfast run watch ${run.workflowId}`,
  }
}
