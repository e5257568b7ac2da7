import type { z } from '@hono/zod-openapi'
import type { Catalog, RunView } from '../catalog/index.ts'
import type { attentionSchema } from './schemas/overview.ts'

type Attention = z.infer<typeof attentionSchema>

/** What failed longer ago is history: a promise that is broken by it is told by the VM itself. */
const failuresOfMs = 7 * 86_400_000
const atOnce = 1000

/** Ended badly, and nothing of the same kind has succeeded for the same VM or repository since; the newest of each. */
export function failedRuns(catalog: Catalog, nowMs: number): Attention[] {
  return catalog.runs
    .newestFailed(nowMs - failuresOfMs, atOnce)
    .filter((run) => !isToldOtherwise(catalog, run) && !hasSucceededSince(catalog, run))
    .map((run): Attention => ({
      kind: 'run-failed',
      severity: 'failed',
      title: `${run.title} ${run.state === 'terminated' ? 'was terminated' : 'failed'}`,
      detail: run.error ? `${run.error.message}. ${run.error.hint}` : 'See what happened.',
      sinceMs: run.endedMs,
      subject: { kind: 'run', id: run.runId },
      action: { label: 'See the run', command: `holdfast run show ${run.runId}` },
    }))
}

/** A VM outside its RPO and a drill with its verdict have lines of their own; nobody backs up a VM that is gone. */
function isToldOtherwise(catalog: Catalog, { kind, vmId, runId }: RunView): boolean {
  const vm = vmId === null ? undefined : catalog.vms.find(vmId)
  if (!vm) return false
  if (kind === 'drill') {
    const last = catalog.drills.latest(vm.id)
    return last?.runId === runId && last.verdict === 'failed'
  }
  return kind === 'backup' && (vm.goneMs !== null || ['failed', 'overdue', 'late'].includes(vm.posture.state))
}

/** Whether the same succeeded for the same VM, plan or repository since that run. */
export function hasSucceededSince(catalog: Catalog, run: RunView): boolean {
  const { kind, vmId, workflowId, startedMs } = run
  // One run after the other, of one repository or between two.
  if (kind === 'retention' || kind === 'mirror' || kind === 'replication')
    return catalog.runs.latest(workflowId)?.state === 'completed'
  // A test of the standby says nothing of a failover, nor does another standby of the same VM.
  if (kind === 'failover') {
    const { state } = catalog.runs.latest(workflowId) ?? run
    return state === 'completed' || state === 'completed-with-residue'
  }
  if (kind === 'recovery') {
    const planId = planOf(run)
    // A rehearsal that passes says nothing of guests that were to come back for real.
    const mode = catalog.recoveryRuns.find(run.runId)?.mode
    const later = catalog.recoveryRuns.newest(planId, { state: 'passed', ...(mode !== undefined && { mode }) })
    return later !== undefined && later.startedMs >= startedMs
  }
  if (kind === 'plan') return catalog.runs.succeededSince({ plan: planOf(run) }, startedMs)
  return vmId !== null && catalog.runs.succeededSince({ kind, vmId }, startedMs)
}

/**
 * Whether what failed is to be repeated and has not gone well since: that it is told otherwise by now, or too old for the
 * list, is no end of it.
 */
export function isStillFailed(catalog: Catalog, runId: string): boolean {
  const run = catalog.runs.find(runId)
  if (run === undefined || hasSucceededSince(catalog, run)) return false
  if (run.kind === 'plan') return catalog.plans.find(planOf(run))?.paused === false
  if (run.kind !== 'backup' || run.vmId === null) return false
  const vm = catalog.vms.find(run.vmId)
  return vm !== undefined && vm.goneMs === null && vm.excludedReason === null
}

function planOf({ workflowId }: RunView): string {
  return workflowId.split('/')[1] ?? ''
}
