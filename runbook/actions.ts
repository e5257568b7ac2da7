import { shellWord } from '../base/index.ts'
import type { SerializedError } from '../base/index.ts'
import type { NextAction, RunKind, RunState } from './types.ts'

/** What is known of a run when its actions are chosen. */
export interface ActionContext {
  readonly workflowId: string
  readonly kind: RunKind
  readonly state: RunState
  readonly error: SerializedError | null
  /** A pause is refused once the point is being committed. */
  readonly canPause: boolean
  /** It stands still with the run that started it: only that can let it go on. */
  readonly isHeld: boolean
  /** It waits for its window. */
  readonly isOutside: boolean
  /** Queues that nobody polls and on which a step waits. */
  readonly deafQueues: readonly string[]
  /** A plan that waits for a person. */
  readonly approve: { readonly repositoryId: string; readonly digest: string } | null
  /** Of a recovery plan: what it is, and what one of its tiers waits for. */
  readonly recovery: {
    readonly isRehearsal: boolean
    readonly runId: string
    readonly wait: RecoveryWait | null
  } | null
  /** What the run made that can be proven and restored: a point, and the VM that it is of. */
  readonly made: { readonly vmId: string; readonly pointId: string } | null
}

/** What a tier waits for a person for. */
export interface RecoveryWait {
  readonly tier: string
  /** Of what it waits for: an answer names it. */
  readonly id: string
  readonly kind: 'step' | 'choice'
  readonly title: string
}

/** The action that helps comes first; one that would only repeat a failure is never the first. */
export function runActions(run: ActionContext): readonly NextAction[] {
  const open = [...run.deafQueues.map(startWorker), ...stateActions(run)]
  return open.map((action, index) => ({
    ...action,
    primary: index === 0 && action.id !== 'cancel' && action.id !== 'pause',
  }))
}

type Action = Omit<NextAction, 'primary'>

function stateActions(run: ActionContext): readonly Action[] {
  const { workflowId, kind, state, error, recovery } = run
  if (recovery !== null && (state === 'running' || state === 'waiting')) {
    const { wait } = recovery
    const word =
      wait === null ? [] : [wait.kind === 'step' ? stepDone(recovery.runId, wait) : choose(recovery.runId, wait)]
    return [...word, endRecovery(workflowId, recovery)]
  }
  switch (state) {
    case 'running':
      return [...(run.canPause ? [pause(workflowId, kind)] : []), cancel(workflowId, kind)]
    case 'paused':
      return [
        ...(run.isHeld ? [] : [run.isOutside ? goOn(workflowId) : resume(workflowId, kind)]),
        cancel(workflowId, kind),
      ]
    case 'waiting':
      return run.approve === null
        ? [...remedy(error), retryNow(workflowId), cancel(workflowId)]
        : [approve(run.approve), cancel(workflowId)]
    case 'failed':
    case 'cancelled':
    case 'terminated':
      return [
        ...remedy(error),
        ...(isMove(workflowId, kind) || recovery?.isRehearsal === false ? [] : [startAgain(workflowId, kind)]),
      ]
    case 'completed':
    case 'completed-with-residue':
      return run.made === null ? [] : [drill(run.made), restore(run.made)]
  }
}

/** Asked for anew with the name of the VM, never repeated; a test of a standby has a third part in its id. */
function isMove(workflowId: string, kind: RunKind): boolean {
  return kind === 'failover' && workflowId.split('/').length === 2
}

/** What removes the cause, as far as the code tells. */
export function remedy(error: SerializedError | null): readonly Action[] {
  if (error === null) return []
  const needsSpace = error.code === 'StoreFull' || error.code === 'CapacityExhausted'
  return [needsSpace ? freeSpace(error) : docs(error)]
}

export function startWorker(queue: string): Action {
  const site = queue.replace(/^holdfast\.site\./, '')
  const isSite = site !== queue
  return {
    id: 'start-worker',
    label: isSite ? `Start a worker for site ${site}` : 'Start the server',
    explanation: 'The step waits until one is connected, and then goes on by itself.',
    command: isSite ? `holdfast worker --site ${shellWord(site)}` : 'holdfast server',
    who: 'admin',
  }
}

function approve({ repositoryId, digest }: { readonly repositoryId: string; readonly digest: string }): Action {
  return {
    id: 'approve',
    label: 'Approve…',
    explanation: 'The points of this plan get their tombstones. What is kept by then is spared; nothing else goes.',
    command: `holdfast retention approve ${shellWord(repositoryId)} --plan ${shellWord(digest)}`,
    who: 'admin',
  }
}

function stepDone(runId: string, { tier, id, title }: RecoveryWait): Action {
  return {
    id: 'step-done',
    label: 'Say that it is done',
    explanation: `The tier ${tier} waits for: ${title}. It goes on at once.`,
    command: `holdfast recovery-plan approve ${shellWord(runId)} ${shellWord(tier)} ${shellWord(id)}`,
    who: 'operator',
  }
}

function choose(runId: string, { tier, id, title }: RecoveryWait): Action {
  return {
    id: 'choose',
    label: 'Say what becomes of the tier',
    explanation: `${tier}: ${title}. Try them again, go on without them, or end the run.`,
    command: `holdfast recovery-plan choose ${shellWord(runId)} ${shellWord(tier)} ${shellWord(id)} retry`,
    who: 'operator',
  }
}

function endRecovery(workflowId: string, { isRehearsal }: { readonly isRehearsal: boolean }): Action {
  return {
    ...cancel(workflowId),
    explanation: isRehearsal
      ? 'Removes every VM of the rehearsal; verdicts of those that stood are kept.'
      : 'VMs that stand are handed over, what is half-made is removed. To remove all of them: holdfast recovery-plan abort --clean-up.',
  }
}

export function retryNow(workflowId: string): Action {
  return {
    id: 'retry-now',
    label: 'Go on now',
    explanation: 'Tries the waiting step again at once; it goes on where it stopped.',
    command: `holdfast run retry ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function freeSpace(error: SerializedError): Action {
  return {
    id: 'free-space',
    label: 'Make room',
    explanation: `${error.message}. ${error.hint}`,
    command: null,
    who: 'operator',
  }
}

function docs(error: SerializedError): Action {
  return { id: 'open-docs', label: 'Read what to do', explanation: error.hint, command: null, who: 'viewer' }
}

function pause(workflowId: string, kind: RunKind): Action {
  const keeps =
    kind === 'plan'
      ? 'Begins no further backup; those under way stand still, and their points in time stay open.'
      : kind === 'backup'
        ? 'Keeps the point in time open; it grows while the guest writes.'
        : 'What is written stays.'
  return {
    id: 'pause',
    label: 'Pause',
    explanation: keeps,
    command: `holdfast run pause ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function resume(workflowId: string, kind: RunKind): Action {
  return {
    id: 'resume',
    label: 'Resume',
    explanation: kind === 'plan' ? 'Its backups go on where they stopped.' : 'Goes on at the last durable byte.',
    command: `holdfast run resume ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function goOn(workflowId: string): Action {
  return {
    id: 'resume',
    label: 'Go on now',
    explanation: 'Its backups go on although the window is closed, until it opens by itself.',
    command: `holdfast run resume ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function cancel(workflowId: string, kind?: RunKind): Action {
  return {
    id: 'cancel',
    label: 'Cancel…',
    explanation:
      kind === 'plan'
        ? 'Begins no further backup and cancels those under way; VMs that are done keep their points.'
        : kind === 'files'
          ? 'Closes the point; downloads under way are cut off.'
          : kind === 'instant'
            ? 'Discards the VM with everything that its guest has written. To keep that, migrate it.'
            : kind === 'failover'
              ? 'Puts back what was: the side that ran before runs again. A guest that has been started at its new place stays.'
              : 'Stops, undoes everything at the hypervisor, and says what was left, if anything.',
    command: `holdfast run cancel ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function startAgain(workflowId: string, kind: RunKind): Action {
  return {
    id: 'start-again',
    label: 'Start again',
    explanation:
      kind === 'plan'
        ? 'A new run that takes only the VMs that have no point of this one.'
        : 'A new run with the same settings. What is stored already is not stored again.',
    command: `holdfast run retry ${shellWord(workflowId)}`,
    who: 'operator',
  }
}

function restore({ vmId, pointId }: { readonly vmId: string; readonly pointId: string }): Action {
  return {
    id: 'restore',
    label: 'Restore…',
    explanation: 'Makes a new VM from this point, beside the old one.',
    command: `holdfast restore ${shellWord(vmId)} --point ${shellWord(pointId)} --name ${shellWord(`${vmId}-restored`)}`,
    who: 'restorer',
  }
}

function drill({ vmId, pointId }: { readonly vmId: string; readonly pointId: string }): Action {
  return {
    id: 'drill',
    label: 'Prove it by a drill',
    explanation: 'Boots this point in isolation, checks it and removes it again.',
    command: `holdfast drill ${shellWord(vmId)} --point ${shellWord(pointId)}`,
    who: 'operator',
  }
}
