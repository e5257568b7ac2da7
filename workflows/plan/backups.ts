import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  condition,
  isCancellation,
  startChild,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { ChildWorkflowHandle } from '@temporalio/workflow'
import type { NextPlanVm, PlanVmEnd } from '../../activities/plan/types.ts'
import { backupWorkflow } from '../backup/contract.ts'
import type { BackupInput, BackupResult } from '../backup/contract.ts'
import type { RunControl } from '../shared/control.ts'
import { cancelNoteSignal, holdSignal } from '../shared/contract.ts'
import type { Hold, Requester } from '../shared/contract.ts'
import { errorOf } from '../shared/failures.ts'
import { controlQueue } from '../shared/queues.ts'
import { cut } from '../shared/steps.ts'

type Backup = (input: BackupInput) => Promise<BackupResult>
type Child = ChildWorkflowHandle<Backup>

/** The backups that a run of a plan has under way: what people do to the run reaches them. */
export class Backups {
  readonly #plan: string
  readonly #control: RunControl
  readonly #running = new Set<Child>()
  /** Cancelled when nothing more may be under way, although nobody has cancelled the run. */
  readonly #ending = new CancellationScope({ cancellable: true })
  #ended: Requester | null = null
  #bytesRead = 0
  #bytesStored = 0

  constructor(plan: string, control: RunControl) {
    this.#plan = plan
    this.#control = control
  }

  get bytes(): { readonly bytesRead: number; readonly bytesStored: number } {
    return { bytesRead: this.#bytesRead, bytesStored: this.#bytesStored }
  }

  /** Why nothing more is under way; null: it may be. */
  get ended(): Requester | null {
    return this.#ended
  }

  /** What ends when nothing more may be under way. */
  whileOpen<T>(work: () => Promise<T>): Promise<T> {
    return this.#ending.run(work)
  }

  /** Backs up one VM and says what came of it; throws nothing. */
  make(next: NextPlanVm): Promise<PlanVmEnd> {
    return this.whileOpen(() => this.#make(next))
  }

  async #make({ position, workflowId, vmName, attempt, input }: NextPlanVm): Promise<PlanVmEnd> {
    const end = { position, attempt, runId: null, detail: '', mayRetry: false }
    let child: Child | undefined
    try {
      const again = attempt === 1 ? '' : `, attempt ${attempt}`
      child = await startChild<Backup>(backupWorkflow, {
        workflowId,
        taskQueue: controlQueue,
        args: [input],
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        // A run of a plan that is terminated leaves its backups to come to their own good end.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: cut(`${vmName} to ${input.repository.name}${again}`, 200),
      })
      this.#running.add(child)
      // A pause that came while it was being started has not reached it.
      const { stopped } = this.#control
      if (stopped !== null) await hold(child, stopped)
      const { outcome, disks } = await child.result()
      for (const { readBytes, newBytes } of disks) {
        this.#bytesRead += readBytes
        this.#bytesStored += newBytes
      }
      return { ...end, state: outcome, runId: child.firstExecutionRunId }
    } catch (thrown) {
      const runId = child?.firstExecutionRunId ?? null
      if (thrown instanceof WorkflowExecutionAlreadyStartedError)
        // Whether that one will have a point, and where, is not known: it does not stand in for this one.
        return { ...end, state: 'failed', detail: 'another backup of this VM is under way', mayRetry: true }
      if (isCancellation(thrown))
        return { ...end, state: 'cancelled', runId, detail: this.#ended?.reason ?? 'cancelled' }
      const error = errorOf(thrown)
      // Whatever it was, also one that needed a person: it may find a better hour.
      return { ...end, state: 'failed', runId, detail: cut(error?.message ?? 'failed', 500), mayRetry: true }
    } finally {
      if (child !== undefined) this.#running.delete(child)
    }
  }

  /** Until its scope is cancelled: backups stand still and go on with the run, and hear who cancelled it. */
  async follow(): Promise<void> {
    let told: Hold | null = null
    for (;;) {
      await condition(() => this.#control.stopped !== told)
      told = this.#control.stopped
      for (const child of [...this.#running]) await hold(child, told)
    }
  }

  /** Beside the cancel that the engine passes on, so that each runbook says who asked. */
  async tellCancel(): Promise<void> {
    const { user, reason } = this.#control.note ?? { user: `plan ${this.#plan}`, reason: '' }
    await this.#tell({
      user,
      reason: `the run of the plan ${this.#plan} was cancelled${reason === '' ? '' : `: ${reason}`}`,
    })
  }

  /** Cancels what is under way; nothing more is begun. */
  async end(by: Requester): Promise<void> {
    this.#ended = by
    await this.#tell(by)
    this.#ending.cancel()
  }

  async #tell(by: Requester): Promise<void> {
    await CancellationScope.nonCancellable(() =>
      Promise.all([...this.#running].map((child) => whileItRuns(child.signal(cancelNoteSignal, by)))),
    )
  }
}

function hold(child: Child, by: Hold | null): Promise<void> {
  const words = by && {
    user: by.user,
    reason: by.reason === '' ? 'its plan is paused' : by.reason,
    ...(by.releases === true && { releases: true }),
  }
  return whileItRuns(child.signal(holdSignal, words))
}

/** One that has just ended hears nothing any more. */
async function whileItRuns(said: Promise<void>): Promise<void> {
  try {
    await said
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
  }
}
