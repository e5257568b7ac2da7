import { CancellationScope, CancelledFailure, isCancellation, patched, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { OpenedRecovery, RecoveryActivities, RecoveryRunState } from '../../activities/recovery-plan/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { conduct, type RunFigures } from '../shared/lifecycle.ts'
import { controlSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import { Desk } from './desk.ts'
import { Holds } from './holds.ts'
import { lookAtOriginals } from './originals.ts'
import { allOf, TierRun, type TierTools } from './tier.ts'
import type { AbortWish, RecoveryInput, RecoveryResult } from './contract.ts'

/**
 * VMs come back tier by tier. A rehearsal and the day itself are the same run: what brings a VM back is a drill in the one
 * and a restore in the other, each of which stands, ours to remove, until the run has come to its end. A tier that does not
 * come up asks; an end before the end removes everything or hands over what stands, as whoever ends it says.
 */
export async function recoveryPlan(input: RecoveryInput): Promise<RecoveryResult> {
  const control = new RunControl({})
  const ids = new StepIds()
  const desk = new Desk(input)
  const { planName: vmName, requestedBy } = input
  return conduct(
    { kind: 'recovery', vmId: null, vmName, repositoryId: null, stem: null, site: '', requestedBy },
    null,
    { control, ids },
    (undo) => new RecoveryRun(input, { control, ids, desk }, undo).run(),
    figures,
  )
}

class RecoveryRun {
  readonly #input: RecoveryInput
  readonly #tools: { readonly control: RunControl; readonly ids: StepIds; readonly desk: Desk }
  readonly #undo: Compensations
  readonly #tiers = new Map<string, TierRun>()
  #vms = 0

  constructor(
    input: RecoveryInput,
    tools: { readonly control: RunControl; readonly ids: StepIds; readonly desk: Desk },
    undo: Compensations,
  ) {
    this.#input = input
    this.#tools = tools
    this.#undo = undo
  }

  async run(): Promise<RecoveryResult> {
    const { control, desk } = this.#tools
    const { mode } = this.#input
    control.close('a recovery plan is not paused, because its VMs run; it waits at its manual steps')
    const opened = await this.#open()
    const root = CancellationScope.current()
    const byCancel: AbortWish = {
      ...(control.note ?? { user: 'somebody', reason: '' }),
      end: mode === 'rehearse' ? 'clean-up' : 'hand-over',
    }
    const watching = root.cancelRequested.catch(() => desk.abort({ ...byCancel, ...control.note }))
    void watching
    const holds = new Holds(this.#input, this.#tools.ids, patched('holds-in-repositories'))
    return CancellationScope.nonCancellable(async () => {
      try {
        const broke = (await this.#refused(opened)) ?? (await this.#bringAll(opened, byCancel, holds))
        const endedMs = Date.now()
        desk.close()
        await this.#settle()
        const state = this.#stateOf(root.consideredCancelled, broke)
        const why = await this.#close(state, this.#why(state, broke))
        if (state === 'cancelled') throw new CancelledFailure(why)
        if (broke !== null) throw broke.thrown
        if (state !== 'passed') throw workflowFailure('RecoveryIncomplete', why)
        const rtoMs = endedMs - workflowInfo().startTime.getTime()
        return { v: 1, outcome: 'completed', mode, vms: this.#vms, rtoMs, waitedMs: desk.waitedMs, residue: [] }
      } finally {
        await holds.release()
      }
    })
  }

  async #open(): Promise<OpenedRecovery> {
    const { control, ids } = this.#tools
    const { workflowId, runId, startTime } = workflowInfo()
    control.stage('Reading the plan')
    const { openRecovery } = controlSteps<RecoveryActivities>('quick')
    const opened = await openRecovery.executeWithOptions(ids.step('open', `What does ${this.#input.planName} say?`), [
      { workflowId, runId, startedMs: startTime.getTime(), input: this.#input },
    ])
    this.#vms = opened.vms
    return opened
  }

  /** What keeps a run for real from its begin, all of it at once; null: nothing. Before anything is made. */
  async #refused({ originals = [] }: OpenedRecovery): Promise<{ readonly thrown: unknown } | null> {
    if (originals.length === 0 || this.#tools.desk.aborted !== null) return null
    this.#tools.control.stage('Looking where the VMs are now')
    try {
      await lookAtOriginals(this.#input, originals, this.#tools.ids)
      return null
    } catch (thrown) {
      return { thrown }
    }
  }

  /** All tiers, each as soon as those before it are done. Returns what broke, if something of ours did. */
  async #bringAll(
    opened: OpenedRecovery,
    byDefault: AbortWish,
    holds: Holds,
  ): Promise<{ readonly thrown: unknown } | null> {
    const { desk } = this.#tools
    holds.begin()
    const outer = CancellationScope.current()
    const scope = new CancellationScope({ cancellable: true, parent: outer })
    const tools: TierTools = {
      ...this.#tools,
      holds,
      input: this.#input,
      runId: workflowInfo().runId,
      outer,
      room: room(opened.atOnce),
    }
    const done = new Map<string, Promise<void>>()
    try {
      await scope.run(async () => {
        desk.onAbort(() => scope.cancel())
        for (const { key } of opened.tiers) this.#tiers.set(key, new TierRun(tools, key))
        // In any order: whoever is waited for may stand below.
        const begin = (key: string): Promise<void> => {
          const known = done.get(key)
          if (known !== undefined) return known
          const { after } = opened.tiers.find((one) => one.key === key) ?? { after: [] }
          const run = Promise.all(after.map(begin)).then(() => this.#tiers.get(key)?.run())
          done.set(key, run)
          return run
        }
        await Promise.all(opened.tiers.map(({ key }) => begin(key)))
      })
      return null
    } catch (thrown) {
      const isAborted = desk.aborted !== null && isCancellation(thrown)
      desk.abort(byDefault)
      scope.cancel()
      // The other tiers come to a stop before anything is settled.
      await Promise.allSettled(done.values())
      return isAborted ? null : { thrown }
    }
  }

  async #settle(): Promise<void> {
    const { desk, control } = this.#tools
    const keeps = this.#input.mode === 'run' && desk.aborted?.end !== 'clean-up'
    control.stage(keeps ? 'Handing the VMs over' : 'Removing the VMs')
    const members = [...this.#tiers.values()].flatMap((tier) => tier.members)
    await allOf(members.map((member) => (keeps ? member.keep() : member.remove())))
  }

  #stateOf(isCancelled: boolean, broke: object | null): RecoveryRunState {
    if (isCancelled) return 'cancelled'
    if (broke !== null) return 'failed'
    if (this.#tools.desk.aborted !== null) return 'aborted'
    return this.#back() === this.#vms ? 'passed' : 'incomplete'
  }

  #back(): number {
    return [...this.#tiers.values()].reduce((sum, { back }) => sum + back, 0)
  }

  /** `clean`: what is true as well if nothing was left behind. */
  #why(
    state: RecoveryRunState,
    broke: { readonly thrown: unknown } | null,
  ): { readonly why: string; readonly clean: string } {
    const { aborted } = this.#tools.desk
    const count = `${this.#back()} of ${this.#vms} VM${this.#vms === 1 ? '' : 's'} came back`
    const rehearsal = this.#input.mode === 'rehearse'
    if (broke !== null) return { why: `${errorOf(broke.thrown)?.message ?? 'it broke'}; ${count}`, clean: '' }
    if (aborted !== null) {
      const why = `${count}; ended by ${aborted.user}${aborted.reason === '' ? '' : ` (${aborted.reason})`}`
      if (aborted.end === 'clean-up') return { why, clean: ', all were removed' }
      return { why: `${why}, those that stood were handed over`, clean: '' }
    }
    if (state === 'passed') return { why: count, clean: rehearsal ? ', and were removed' : '' }
    const short = [...this.#tiers.values()].flatMap(({ short: names }) => names)
    return {
      why: `${count}; without ${short.slice(0, 3).join(', ')}${short.length > 3 ? ' and others' : ''}`,
      clean: '',
    }
  }

  /** Returns how it ended, with what was left behind. */
  async #close(
    state: RecoveryRunState,
    { why: whyLeft, clean }: { readonly why: string; readonly clean: string },
  ): Promise<string> {
    const { ids } = this.#tools
    const ends = [...this.#tiers.values()].flatMap((tier) => tier.members.flatMap((member) => member.ends))
    const members = ends.map(({ workflowId }) => workflowId)
    const { closeRecovery } = controlSteps<RecoveryActivities>('record')
    const { residue, why = whyLeft } = await closeRecovery.executeWithOptions(
      ids.step('close', 'Write down what came of it'),
      [{ runId: workflowInfo().runId, state, why: `${whyLeft}${clean}`, whyLeft, atMs: Date.now(), members, ends }],
    )
    for (const item of residue) this.#undo.leave(item)
    return why
  }
}

/** So many at a time, over all tiers. */
function room(atOnce: number): { busy: number; readonly atOnce: number } {
  return { busy: 0, atOnce }
}

function figures({ mode, vms, rtoMs, waitedMs }: RecoveryResult): RunFigures {
  const waited = waitedMs === 0 ? '' : `, ${formatDuration(waitedMs)} of it for people`
  const all = `${vms} VM${vms === 1 ? '' : 's'}`
  const what = mode === 'rehearse' ? `rehearsed: ${all} came back` : `${all} came back`
  return { summary: `${what} in ${formatDuration(rtoMs)}${waited}`, bytesRead: 0, bytesStored: 0, made: null }
}
