import type { z } from '@hono/zod-openapi'
import type { Catalog, PlanRunVmRow, RunView } from '../../catalog/index.ts'
import { backupWorkflowId } from '../../workflows/backup/contract.ts'
import type { acceptedSchema, planRunVmSchema, runSchema } from '../schemas/runs.ts'
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
    attention: run.attention,
    bytesRead: run.bytesRead,
    bytesStored: run.bytesStored,
    error: run.error,
    residue: [...run.residue],
    requestedBy: { user: run.requestedUser, reason: run.requestedReason },
    seenMs: run.seenMs,
  }
}

/** The run of a backup that is under way is found by the lock of its VM; later it is written down. */
export function planRunVmView({ runs }: Catalog, row: PlanRunVmRow): z.infer<typeof planRunVmSchema> {
  const { vmId, vmName, state, attempts, detail, endedMs } = row
  const open = state === 'running' ? runs.latest(backupWorkflowId(vmId)) : undefined
  const runId = open?.endedMs === null ? open.runId : row.runId
  return { vmId, vmName, state, attempts, runId, detail, endedMs }
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
