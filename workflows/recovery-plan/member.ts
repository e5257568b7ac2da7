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
import type {
  MemberChange,
  MemberEnd,
  PlannedMember,
  RecoveryActivities,
} from '../../activities/recovery-plan/types.ts'
import { isBack, type TierNeed } from '../../policy/recovery.ts'
import type { DrillResult } from '../drill/contract.ts'
import type { RestoreResult } from '../restore/contract.ts'
import { releaseMemberSignal, type Requester, type ResidueItem } from '../shared/contract.ts'
import { errorOf } from '../shared/failures.ts'
import { controlSteps } from '../shared/options.ts'
import { controlQueue } from '../shared/queues.ts'
import { cut, type StepIds } from '../shared/steps.ts'
import type { Desk } from './desk.ts'
import type { Holds } from './holds.ts'
import type { MemberReport } from './contract.ts'

type Work = (input: PlannedMember['input']) => Promise<DrillResult | RestoreResult>
type Seen = Omit<MemberReport, 'workflowId'>

export interface MemberTools {
  readonly runId: string
  readonly ids: StepIds
  readonly desk: Desk
  readonly holds: Holds
  readonly isRehearsal: boolean
  readonly requestedBy: Requester
  /** VMs that come back although copies of them run. */
  readonly beside: readonly string[]
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
  readonly #ends = new Map<string, MemberEnd['residue']>()
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
  #lostBecause: string | null = null

  constructor(tools: MemberTools, tier: string, vmId: string, needs: TierNeed) {
    this.#tools = tools
    this.#tier = tier
    this.vmId = vmId
    this.#needs = needs
  }

  /** Every drill or restore that was begun for it, and what it said that it has left. */
  get ends(): readonly MemberEnd[] {
    return [...this.#ends].map(([workflowId, residue]) => ({ ...this.#of, workflowId, residue }))
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
    if (this.#lostBecause !== null) return this.#lostBecause
    return this.#isLost ? 'it was there, and its run has ended since' : (this.#seen?.why ?? 'it was not begun')
  }

  /** Until it stands or has failed; throws only when the run is aborted. */
  async bring(): Promise<void> {
    this.#attempts += 1
    this.#isEnding = false
    this.#seen = null
    this.#end = null
    try {
      const planned = await this.#plan()
      this.#tools.holds.add(planned.input.repository, planned.input.stem)
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
    const child = this.#child
    if (child === null) return
    this.#ending()
    const handedOver = this.#handedOver
    const wasLost = handedOver === null && this.#isLost
    // A drill that stands has a verdict: it is written down. A restore is undone.
    if (this.#tools.isRehearsal && this.#seen !== null && this.#end === null) await this.#release()
    else child.scope.cancel()
    await this.#over
    this.#child = null
    if (handedOver !== null) this.#ends.set(child.workflowId, [...handedOver.residue, stays(handedOver)])
    const end = { workflowId: child.workflowId, residue: this.#ends.get(child.workflowId) ?? null }
    // Of one that is lost that is what there is to say.
    if (!this.#tools.isRehearsal && !wasLost) await this.#note({ state: 'removed', wasBack: this.#wasBack }, end)
  }

  async #keep(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#ending()
    // One that has handed its VM over by itself has done what is wanted.
    if (this.#handedOver === null && (this.#end !== null || this.#seen === null)) return this.#remove()
    if (this.#end === null) await this.#release()
    await this.#over
    const { workflowId } = child
    this.#child = null
    const kept = this.#handedOver
    const { wasBack } = this
    if (kept === null)
      return this.#note({ state: 'removed', wasBack }, { workflowId, residue: this.#ends.get(workflowId) ?? null })
    if (kept.poweredOn) return this.#note({ state: wasBack ? 'kept' : 'kept-short', wasBack })
    this.#wasBack = false
    this.#lostBecause = 'it was off when it was handed over'
    await this.#note({ state: 'kept-short', wasBack: false, why: this.#lostBecause })
  }

  /** What the restore of a run for real says that has come to its good end; null: it has not. */
  get #handedOver(): RestoreResult | null {
    return this.#end !== null && 'result' in this.#end && 'poweredOn' in this.#end.result ? this.#end.result : null
  }

  /** What was said while nobody listened any more counts: a VM that stands when the run is ended is one that stands. */
  #ending(): void {
    if (this.#seen === null && this.#child !== null) this.#seen = this.#tools.desk.reportOf(this.#child.workflowId)
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
    const { ids, runId, requestedBy, beside } = this.#tools
    const { planMember } = controlSteps<RecoveryActivities>('quick')
    return planMember.executeWithOptions(ids.step(`plan:${this.vmId}`, `Which point of ${this.vmId}, and where?`), [
      { ...this.#of, runId, attempt: this.#attempts, atMs: Date.now(), requestedBy, beside },
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
    this.#ends.set(workflowId, null)
    this.#child = { handle, scope, workflowId }
    this.#over = scope
      .run(() => handle.result())
      .then(
        (result) => {
          this.#end = { result }
          this.#ends.set(workflowId, result.residue)
        },
        (thrown: unknown) => void (this.#end = { thrown }),
      )
      .then(() => this.#lost())
      .catch((thrown: unknown) => log.error('its end could not be written down', { error: errorOf(thrown) }))
  }

  /** It was what its tier waits for, and its run has ended since. */
  get #isLost(): boolean {
    return this.#seen !== null && this.#end !== null && isBack(this.#needs, this.#seen)
  }

  /** It stood, and somebody has ended its run: that is told at once. */
  async #lost(): Promise<void> {
    if (this.#isEnding || this.#seen === null) return
    await this.#note({ state: this.#isLost ? 'lost' : 'failed', why: 'its run has ended by itself, or was cancelled' })
  }

  get #of() {
    return { tier: this.#tier, vmId: this.vmId }
  }

  #note(change: MemberChange, end?: Pick<MemberEnd, 'workflowId' | 'residue'>): Promise<void> {
    const { ids, runId } = this.#tools
    const { noteMember } = controlSteps<RecoveryActivities>('record')
    return CancellationScope.nonCancellable(() =>
      written(
        noteMember.executeWithOptions(ids.step(`note:${this.vmId}`, `Write down how ${this.vmId} is`), [
          { runId, ...this.#of, change, ...(end !== undefined && { end }) },
        ]),
      ),
    )
  }
}

/** It is not ours any more: nobody removes what was given away. */
function stays({ vm }: RestoreResult): ResidueItem {
  const hint = `Remove ${vm.name} by hand if it is not wanted.`
  return { kind: 'vm', id: vm.name, error: 'it was handed over before the run of its plan ended', hint }
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
