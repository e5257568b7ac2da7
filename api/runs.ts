import { HoldfastError, isHoldfastError } from '../base/index.ts'
import type { RunView } from '../catalog/index.ts'
import { backupWorkflow } from '../workflows/backup/contract.ts'
import { drillWorkflow, drillWorkflowId } from '../workflows/drill/contract.ts'
import {
  filesWorkflow,
  filesWorkflowId,
  restoreFilesWorkflow,
  restoreFilesWorkflowId,
} from '../workflows/files/contract.ts'
import { instantWorkflow, instantWorkflowId } from '../workflows/instant/contract.ts'
import { recoveryWorkflow, recoveryWorkflowId, type RecoveryInput } from '../workflows/recovery-plan/contract.ts'
import { mirrorWorkflow } from '../workflows/mirror/contract.ts'
import { planWorkflow, planWorkflowId, type PlanRunInput } from '../workflows/plan/contract.ts'
import { sweepWorkflow } from '../workflows/retention/contract.ts'
import { failoverWorkflow, replicationWorkflow, standbyTestWorkflow } from '../workflows/replication/contract.ts'
import { verifyWorkflow } from '../workflows/verify/contract.ts'
import {
  requestIdOf,
  restoreInPlaceWorkflowId,
  restoreWorkflow,
  restoreWorkflowId,
  type RestoreInput,
} from '../workflows/restore/contract.ts'
import {
  cancelNoteSignal,
  heldRefusal,
  holdSignal,
  pauseUpdate,
  resumeUpdate,
  retryNowUpdate,
  type Requester,
} from '../workflows/shared/contract.ts'
import { readHistory } from './archive.ts'
import type { ApiDeps } from './deps.ts'
import { adoptRun } from './live.ts'
import { kindOf } from '../runbook/kinds.ts'
import type { RunHandle } from './orchestrator.ts'
import { drillTime } from './requests/drill.ts'
import { requireNoRunOf } from './requests/plan.ts'
import { newRequestId, requireAtSource } from './requests/restore.ts'
import { startedBefore, startOnce, type StartContext } from './requests/start.ts'

/** What people do to runs. Every act says who and why: both become rows of the runbook. */

const runIdShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** By run id, or by workflow id (its latest run). Throws NotFound. */
export async function findRun(deps: ApiDeps, name: string): Promise<RunView> {
  const { catalog, orchestrator } = deps
  const known = catalog.runs.find(name) ?? catalog.runs.latest(name)
  if (known) return known
  if (!runIdShape.test(name) && kindOf(name)) {
    const described = await orchestrator.describe(name)
    const adopted = described && adoptRun(deps, described)
    if (adopted) return adopted
  }
  throw new HoldfastError('NotFound', `there is no run ${name}`, { hint: 'List them with `holdfast runs`.' })
}

function requireOpen(run: RunView): void {
  if (run.endedMs !== null) throw new HoldfastError('RunEnded', `${run.title} has ended: ${run.state}`)
}

export async function pauseRun(deps: ApiDeps, run: RunView, by: Requester): Promise<void> {
  requireOpen(run)
  await deps.orchestrator.update(run, pauseUpdate, by, newRequestId())
  deps.live.nudge()
}

export async function resumeRun(deps: ApiDeps, run: RunView, by: Requester): Promise<void> {
  requireOpen(run)
  try {
    await deps.orchestrator.update(run, resumeUpdate, by, newRequestId())
  } catch (error) {
    const isHeld = isHoldfastError(error) && error.message === heldRefusal
    if (!isHeld || !(await isOrphaned(deps, run))) throw error
    await deps.orchestrator.signal(run, holdSignal, null)
  }
  deps.live.nudge()
}

/** The run that started it was terminated or reset, and lets nobody go on any more. The engine has to prove that. */
async function isOrphaned({ orchestrator }: ApiDeps, { workflowId, runId }: RunView): Promise<boolean> {
  const described = await orchestrator.describe(workflowId, runId)
  if (!described?.parent) return false
  const { parent } = described
  return (await orchestrator.describe(parent.workflowId, parent.runId))?.status !== 'running'
}

/** The note goes first, so that the runbook says who asked even if the run ends at once. */
export async function cancelRun(deps: ApiDeps, run: RunView, by: Requester): Promise<void> {
  requireOpen(run)
  await deps.orchestrator.signal(run, cancelNoteSignal, by)
  await deps.orchestrator.cancel(run)
  deps.live.nudge()
}

/** Ends the waits of a run: for a person, and of steps for their next attempt. Returns the steps concerned. */
export async function retryRunNow(
  deps: ApiDeps,
  run: RunView,
  by: Requester,
  step: string | undefined,
): Promise<string[]> {
  requireOpen(run)
  const described = await deps.orchestrator.describe(run.workflowId, run.runId)
  if (!described) throw new HoldfastError('NotFound', `the engine no longer knows ${run.workflowId}`)
  const backingOff = described.pending.filter((one) => one.state === 'scheduled' && one.attempt > 1)
  const wanted = step === undefined ? backingOff : backingOff.filter((one) => one.activityId === step)
  for (const one of wanted) await deps.orchestrator.retryActivity(run, one.activityId)
  if (wanted.length === 0) {
    if (step !== undefined)
      throw new HoldfastError('NotFound', `no step ${step} of ${run.title} waits for its next attempt`)
    // Nothing is between two attempts: then the run itself may wait for a person. It says so if it does not.
    await deps.orchestrator.update(run, retryNowUpdate, by, newRequestId())
  }
  deps.live.nudge()
  return wanted.map((one) => one.activityId)
}

export interface RetryWish {
  readonly by: Requester
  readonly confirmName: string | undefined
  readonly context: StartContext
}

/** Starts an ended run again with the same input; never what moves a guest between two sides. Restores and drills are new requests with ids of their own. */
export async function retryRun(deps: ApiDeps, run: RunView, wish: RetryWish): Promise<RunHandle> {
  const { by, context } = wish
  if (run.endedMs === null) {
    // Named by its workflow id, the repeated request finds the run that its first attempt has started.
    if (context.key !== undefined && run.idempotencyKey === context.key) return handleOf(run)
    throw new HoldfastError('AlreadyRunning', `${run.title} has not ended`, {
      data: { ...handleOf(run) },
      hint: 'To skip the wait for the next attempt, use retry-now.',
    })
  }
  const begun = await startedBefore(deps, context)
  if (begun !== undefined) return begun
  const history = await readHistory(deps, run)
  const input = history && (await deps.orchestrator.inputOf(history))
  if (typeof input !== 'object' || input === null) {
    throw new HoldfastError('NotFound', `what ${run.workflowId} was started with is no longer known`, {
      hint: 'Start it anew.',
    })
  }
  if (run.kind === 'failover' && failoverKindOf(run) === failoverWorkflow)
    throw new HoldfastError('InvalidRequest', `${run.title} is not repeated from the list of runs`, {
      hint: `The pair may stand differently now. Look at it and ask anew: \`holdfast replication show ${run.workflowId.split('/')[1] ?? ''}\`.`,
    })
  if (run.kind === 'recovery' && (input as Partial<RecoveryInput>).mode === 'run')
    throw new HoldfastError('InvalidRequest', `${run.title} is not repeated from the list of runs`, {
      hint: 'VMs that it has made may stand. Look at them, then begin anew: `holdfast recovery-plan run`.',
    })
  if (run.kind === 'plan') requireNoRunOf(deps.catalog, run.workflowId.split('/')[1] ?? '', context.key)
  if (run.kind === 'recovery') {
    const plan = deps.catalog.recoveryPlans.get((input as RecoveryInput).planId)
    deps.catalog.recoveryRuns.requireFree({ planId: plan.id, planName: plan.name, mode: 'rehearse', spec: plan })
  }
  // A drill or a restore that belonged to a recovery plan is repeated by itself, and ends by itself.
  if (run.kind === 'drill' || run.kind === 'restore') delete (input as { member?: unknown }).member
  // What failed is wanted again at once.
  if (run.kind === 'mirror') wantAgain(deps.catalog, run.workflowId)
  if (run.kind === 'restore' || run.kind === 'instant') requireRepeatable(deps, run, input, wish.confirmName)
  const { workflow, workflowId, priority, input: other = {} } = again(run, input, deps.now())
  return startOnce(
    deps,
    {
      workflowId,
      memo: {
        title: run.title,
        vmId: run.vmId,
        repositoryId: run.repositoryId,
        pointId: run.kind === 'backup' ? null : run.pointId,
        requestedBy: by,
      },
      spec: (id) => ({
        workflow,
        input: {
          ...input,
          ...other,
          requestedBy: by,
          ...(run.kind === 'restore' && { requestId: requestIdOf(id) }),
          ...(run.kind === 'files' && { requestId: id.slice(filesWorkflowId('').length) }),
          ...(run.kind === 'instant' && { requestId: id.slice(instantWorkflowId('').length) }),
        },
        summary: `${run.title}, again`,
        search: {
          ...(run.vmId !== null && { vm: run.vmId }),
          ...(run.repositoryId !== null && { repository: run.repositoryId }),
        },
        priority,
      }),
    },
    context,
  )
}

function wantAgain({ mirrors }: ApiDeps['catalog'], workflowId: string): void {
  const [, sourceId = '', targetId = ''] = workflowId.split('/')
  mirrors.wantNewer({ sourceId, targetId }, { vmId: null, all: false })
}

function handleOf({ workflowId, runId }: RunView): RunHandle {
  return { workflowId, runId }
}

/**
 * A restore in place stops its VM and replaces its disks: whoever repeats it says again that this is wanted. After one
 * that has completed the VM has gone on, and repeating it would throw that away.
 */
function requireRepeatable(
  { catalog }: Pick<ApiDeps, 'catalog'>,
  run: RunView,
  input: object,
  confirmName: string | undefined,
): void {
  if (run.state === 'completed' || run.state === 'completed-with-residue') {
    throw new HoldfastError('RunEnded', `${run.title} has completed and is not repeated`, {
      hint: 'To restore once more, ask for a new restore and choose the point.',
    })
  }
  const { target } = input as Partial<RestoreInput>
  if (target?.kind !== 'original') return
  requireAtSource(catalog, { id: target.vm.id, name: target.vm.ref.name })
  if (confirmName === target.confirmName) return
  const name = target.confirmName
  throw new HoldfastError('InvalidRequest', `this restore replaces the disks of ${name} and needs its name to begin`, {
    data: { confirmName: name },
    hint: `Give confirmName "${name}".`,
  })
}

/** Of the runs with such ids only a test has a third part. */
function failoverKindOf({ workflowId }: RunView): string {
  return workflowId.split('/').length > 2 ? standbyTestWorkflow : failoverWorkflow
}

/** What its repetition is; `input`: where it differs from what the run was started with. */
function again(
  run: RunView,
  input: object,
  nowMs: number,
): { workflow: string; workflowId: string; priority: 1 | 3 | 4 | 5; input?: Partial<PlanRunInput> } {
  switch (run.kind) {
    case 'backup':
      return { workflow: backupWorkflow, workflowId: run.workflowId, priority: 3 }
    case 'restore': {
      if (run.workflowId.startsWith(restoreFilesWorkflowId('')))
        return { workflow: restoreFilesWorkflow, workflowId: restoreFilesWorkflowId(newRequestId()), priority: 1 }
      const isNew = (input as Partial<RestoreInput>).target?.kind === 'new'
      const idOf = isNew ? restoreWorkflowId : restoreInPlaceWorkflowId
      return { workflow: restoreWorkflow, workflowId: idOf(newRequestId()), priority: 1 }
    }
    case 'drill':
      return {
        workflow: drillWorkflow,
        workflowId: drillWorkflowId(run.workflowId.split('/')[1] ?? 'vm', drillTime(nowMs)),
        priority: 4,
      }
    case 'plan':
      return {
        workflow: planWorkflow,
        workflowId: planWorkflowId(run.workflowId.split('/')[1] ?? 'plan', nowMs),
        priority: 3,
        input: { trigger: 'hand', again: run.workflowId, part: 0 },
      }
    case 'retention':
      return { workflow: sweepWorkflow, workflowId: run.workflowId, priority: 4 }
    case 'instant':
      return { workflow: instantWorkflow, workflowId: instantWorkflowId(newRequestId()), priority: 1 }
    case 'mirror':
      return { workflow: mirrorWorkflow, workflowId: run.workflowId, priority: 4, input: { part: 0 } }
    case 'files':
      return { workflow: filesWorkflow, workflowId: filesWorkflowId(newRequestId()), priority: 1 }
    case 'replication':
      return { workflow: replicationWorkflow, workflowId: run.workflowId, priority: 3 }
    case 'failover':
      return { workflow: failoverKindOf(run), workflowId: run.workflowId, priority: 1 }
    case 'recovery':
      return {
        workflow: recoveryWorkflow,
        workflowId: recoveryWorkflowId(run.workflowId.split('/')[1] ?? 'plan', nowMs),
        priority: 4,
      }
    case 'verify':
      return { workflow: verifyWorkflow, workflowId: run.workflowId, priority: 5 }
  }
}
