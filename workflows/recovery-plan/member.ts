import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  condition,
  isCancellation,
  log,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow'
import type { MemberChange, PlannedMember, RecoveryActivities } from '../../activities/recovery-plan/types.ts'
import { isBack, type TierNeed } from '../../policy/recovery.ts'
import type { DrillResult } from '../drill/contract.ts'
import type { RestoreResult } from '../restore/contract.ts'
import { releaseMemberSignal, type Requester } from '../shared/contract.ts'
import { errorOf } from '../shared/failures.ts'
import { controlSteps } from '../shared/options.ts'
import { controlQueue } from '../shared/queues.ts'
import { cut, type StepIds } from '../shared/steps.ts'
import type { Desk } from './desk.ts'
import type { MemberReport } from './contract.ts'

type Work = (input: PlannedMember['input']) => Promise<DrillResult | RestoreResult>
type Seen = Omit<MemberReport, 'workflowId'>

export interface MemberTools {
  readonly runId: string
  readonly ids: StepIds
  readonly desk: Desk
  readonly isRehearsal: boolean
  readonly requestedBy: Requester
  /** What a tier begins outlives the tier: the run decides about it. */
  readonly outer: CancellationScope
}

/** One VM of a run: the drill or the restore that brings it back, and what becomes of that. */
export class Member {
  readonly vmId: string
  readonly #tools: MemberTools
  readonly #tier: string
  readonly #needs: TierNeed
  #attempts = 0
  #workflowIds: string[] = []
  #child: {
    readonly handle: ChildWorkflowHandle<Work>
    readonly scope: CancellationScope
    readonly workflowId: string
  } | null = null
  #over: Promise<void> = Promise.resolve()
  #end: { readonly result: DrillResult | RestoreResult } | { readonly thrown: unknown } | null = null
  #seen: Seen | null = null
  #isEnding = false
  #wasBack = false

  constructor(tools: MemberTools, tier: string, vmId: string, needs: TierNeed) {
    this.#tools = tools
    this.#tier = tier
    this.vmId = vmId
    this.#needs = needs
  }

  /** Every drill or restore that was begun for it. */
  get workflowIds(): readonly string[] {
    return this.#workflowIds
  }

  /** It is what its tier waits for, and still there. */
  get isBack(): boolean {
    return this.#seen !== null && this.#end === null && isBack(this.#needs, this.#seen)
  }

  /** As it was when the run began to end. */
  get wasBack(): boolean {
    return this.#isEnding ? this.#wasBack : this.isBack
  }

  get why(): string {
    const lost = this.#seen !== null && this.#end !== null && isBack(this.#needs, this.#seen)
    return lost ? 'it was there, and its run has ended since' : (this.#seen?.why ?? 'it was not begun')
  }

  /** Until it stands or has failed; throws only when the run is aborted. */
  async bring(): Promise<void> {
    this.#attempts += 1
    this.#isEnding = false
    this.#seen = null
    this.#end = null
    try {
      const planned = await this.#plan()
      await this.#begin(planned)
      await condition(() => this.#tools.desk.reportOf(planned.workflowId) !== null || this.#end !== null)
      const report = this.#tools.desk.reportOf(planned.workflowId)
      this.#seen = report ?? seenOf(this.#end)
    } catch (thrown) {
      if (CancellationScope.current().consideredCancelled) throw thrown
      this.#seen = { ...nothing, why: errorOf(thrown)?.message ?? 'it was cancelled' }
    }
    const { verdict, why, restoreSeconds, bootSeconds, rtoSeconds } = this.#seen
    const state = this.isBack ? 'ready' : this.#end === null && this.#child !== null ? 'short' : 'failed'
    await this.#note({ state, verdict, why: why.slice(0, 500), restoreSeconds, bootSeconds, rtoSeconds })
  }

  /** Nothing of it is left, save what its own run lists. Comes to its end also when the run is ended meanwhile. */
  async remove(): Promise<void> {
    return CancellationScope.nonCancellable(() => this.#remove())
  }

  /** It is given away if it stands; what is half-made goes. Comes to its end as well. */
  async keep(): Promise<void> {
    return CancellationScope.nonCancellable(() => this.#keep())
  }

  async #remove(): Promise<void> {
    if (this.#child === null) return
    this.#ending()
    // A drill that stands has a verdict: it is written down. A restore is undone.
    if (this.#tools.isRehearsal && this.#seen !== null && this.#end === null) await this.#release()
    else this.#child.scope.cancel()
    await this.#over
    this.#child = null
    if (!this.#tools.isRehearsal) await this.#note({ state: 'removed' })
  }

  async #keep(): Promise<void> {
    if (this.#child === null || this.#end !== null || this.#seen === null) return this.#remove()
    this.#ending()
    await this.#release()
    await this.#over
    this.#child = null
    const isKept = this.#end !== null && 'result' in this.#end
    await this.#note({ state: !isKept ? 'removed' : this.#wasBack ? 'kept' : 'kept-short' })
  }

  #ending(): void {
    if (!this.#isEnding) this.#wasBack = this.isBack
    this.#isEnding = true
  }

  async #release(): Promise<void> {
    try {
      await this.#child?.handle.signal(releaseMemberSignal, this.#tools.requestedBy)
    } catch (thrown) {
      log.info('it has ended meanwhile', { vm: this.vmId, error: errorOf(thrown)?.message })
    }
  }

  #plan(): Promise<PlannedMember> {
    const { ids, runId, requestedBy } = this.#tools
    const { planMember } = controlSteps<RecoveryActivities>('quick')
    return planMember.executeWithOptions(ids.step(`plan:${this.vmId}`, `Which point of ${this.vmId}, and where?`), [
      { ...this.#of, runId, attempt: this.#attempts, atMs: Date.now(), requestedBy },
    ])
  }

  async #begin(planned: PlannedMember): Promise<void> {
    const { outer, isRehearsal } = this.#tools
    const { workflow, workflowId, vmName, input } = planned
    const scope = new CancellationScope({ cancellable: true, parent: outer })
    const what = isRehearsal ? 'in isolation' : 'as a new VM'
    const handle = await scope.run(() =>
      startChild<Work>(workflow, {
        workflowId,
        taskQueue: controlQueue,
        args: [input],
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        // Nobody removes VMs that work because the run of their plan was terminated.
        parentClosePolicy: isRehearsal ? ParentClosePolicy.REQUEST_CANCEL : ParentClosePolicy.ABANDON,
        staticSummary: cut(`${vmName} ${what}`, 200),
      }),
    )
    this.#workflowIds.push(workflowId)
    this.#child = { handle, scope, workflowId }
    this.#over = scope
      .run(() => handle.result())
      .then(
        (result) => void (this.#end = { result }),
        (thrown: unknown) => void (this.#end = { thrown }),
      )
      .then(() => this.#lost())
      .catch((thrown: unknown) => log.error('its end could not be written down', { error: errorOf(thrown) }))
  }

  /** It stood, and somebody has ended its run: that is told at once. */
  async #lost(): Promise<void> {
    if (this.#isEnding || this.#seen === null) return
    await this.#note({ state: 'removed', why: 'its run has ended by itself, or was cancelled' })
  }

  get #of() {
    return { tier: this.#tier, vmId: this.vmId }
  }

  #note(change: MemberChange): Promise<void> {
    const { ids, runId } = this.#tools
    const { noteMember } = controlSteps<RecoveryActivities>('record')
    return CancellationScope.nonCancellable(() =>
      written(
        noteMember.executeWithOptions(ids.step(`note:${this.vmId}`, `Write down how ${this.vmId} is`), [
          { runId, ...this.#of, change },
        ]),
      ),
    )
  }
}

/** What cannot be written down ends no run: VMs that come back matter more than what is said of them. */
export async function written(note: Promise<void>): Promise<void> {
  try {
    await note
  } catch (thrown) {
    log.error('it could not be written down', { error: errorOf(thrown)?.message })
  }
}

const nothing: Seen = {
  ...{ verdict: 'inconclusive', guest: 'untried', why: '' },
  ...{ restoreSeconds: 0, bootSeconds: null, rtoSeconds: null },
}

/** Of one that has ended without standing. */
function seenOf(end: { readonly result: DrillResult | RestoreResult } | { readonly thrown: unknown } | null): Seen {
  if (end === null) return nothing
  if ('thrown' in end) {
    const why = isCancellation(end.thrown) ? 'its run was cancelled' : (errorOf(end.thrown)?.message ?? 'it failed')
    return { ...nothing, why }
  }
  if (!('verdict' in end.result)) return { ...nothing, why: 'its run has ended without waiting' }
  const { verdict, why, restoreSeconds, bootSeconds } = end.result
  return { ...nothing, verdict: verdict === 'passed' ? 'inconclusive' : verdict, why, restoreSeconds, bootSeconds }
}
