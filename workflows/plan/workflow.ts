import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'
import type { NextAnswer, PlanActivities, PlanRunEnd, PlanVmEnd } from '../../activities/plan/types.ts'
import type { WindowNow } from '../../policy/index.ts'
import { planChangedSignal } from '../shared/contract.ts'
import { RunControl } from '../shared/control.ts'
import { workflowFailure } from '../shared/failures.ts'
import { conduct } from '../shared/lifecycle.ts'
import { controlSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import { Backups } from './backups.ts'
import type { PlanRunCounts, PlanRunInput, PlanRunResult } from './contract.ts'
import { PlanWindow } from './window.ts'

const planChanged = defineSignal(planChangedSignal)

/**
 * One run of a plan: a backup of each VM that it takes, so many at a time. What becomes of one VM is nothing to the
 * others; the run fails at its end if some were not backed up. Pausing it, or the end of the plan's window, stops the
 * backups under way where they are; cancelling it cancels them. Terminated, it leaves them alone.
 */
export async function planRun(input: PlanRunInput): Promise<PlanRunResult> {
  const control = new RunControl({})
  const ids = new StepIds()
  const backups = new Backups(input.plan, control)
  const who = { vmId: null, vmName: input.plan, repositoryId: null, stem: null, site: '' }
  const run = new PlanRun(input, { control, ids, backups })
  const conducted = (body: () => Promise<PlanRunResult>): Promise<PlanRunResult> =>
    conduct(
      { kind: 'plan', ...who, requestedBy: input.requestedBy },
      null,
      { control, ids },
      body,
      ({ counts, more }) => {
        const { skippedFor } = run
        const said = skippedFor === null ? sentence(counts) : `skipped: the run ${skippedFor} was still under way`
        const summary = `${said}${more ? '; it goes on in its next part' : ''}`
        return { summary, ...backups.bytes, made: null }
      },
    )
  const result = await conducted(() => run.run())
  if (!result.more) return result
  // Cancelled while its end was written down: that is written anew, and there is no next part.
  if (isCancelled()) return CancellationScope.nonCancellable(() => conducted(() => run.giveUp()))
  const { goesOnUntilMs } = run.window
  return continueAsNew<typeof planRun>({ ...input, part: input.part + 1, goesOnUntilMs })
}

/** `3 of 4 VMs backed up, 1 skipped` */
function sentence({ completed, failed, cancelled, skipped }: PlanRunCounts): string {
  const all = completed + failed + cancelled + skipped
  if (all === 0) return 'there was no VM to back up'
  const others = Object.entries({ failed, cancelled, skipped }).flatMap(([word, n]) => (n > 0 ? [`${n} ${word}`] : []))
  return [`${completed} of ${all} VM${all === 1 ? '' : 's'} backed up`, ...others].join(', ')
}

class PlanRun {
  readonly #input: PlanRunInput
  readonly #control: RunControl
  readonly #ids: StepIds
  readonly #backups: Backups
  readonly window: PlanWindow
  readonly #planRun = workflowInfo().workflowId
  readonly #steps = controlSteps<PlanActivities>('record')
  #isFull = false
  /** Workflow id of the run of the same plan for which this one takes nothing; null: it takes what the plan selects. */
  skippedFor: string | null = null

  constructor(
    input: PlanRunInput,
    tools: { readonly control: RunControl; readonly ids: StepIds; readonly backups: Backups },
  ) {
    this.#input = input
    this.#control = tools.control
    this.#ids = tools.ids
    this.#backups = tools.backups
    this.window = new PlanWindow(input, tools)
    setHandler(planChanged, () => this.window.changed())
  }

  async run(): Promise<PlanRunResult> {
    const { plan, trigger, again } = this.#input
    this.#control.stage('Choosing the VMs')
    const { runId } = workflowInfo()
    const { goesOnUntilMs } = this.window
    // A run that began before there were windows has none.
    const {
      vms,
      concurrency,
      window = null,
      skippedFor = null,
    } = await this.#steps.openPlanRun.executeWithOptions(this.#ids.step('open', `Which VMs does ${plan} take?`), [
      { planRun: this.#planRun, runId, plan, trigger, again, atMs: Date.now(), goesOnUntilMs },
    ])
    this.skippedFor = skippedFor
    this.#control.stage(`Backing up ${vms} VM${vms === 1 ? '' : 's'}, ${concurrency} at a time`)
    const lanes = Array.from({ length: Math.min(concurrency, vms) }, (_, lane) => () => this.#lane(lane))
    await this.#during(lanes, window)
    const { ended } = this.#backups
    // A pause goes with the run, not into its next part: from here on none is taken that would be lost there.
    if (this.#isFull && ended === null) {
      await passes(() => this.#control.gate())
      this.#control.close('the run goes on in its next part: pause it there')
    }
    if (isCancelled()) return this.giveUp()
    const end = await this.#close(ended?.reason ?? null)
    const more = this.#isFull && ended === null
    // Cancelled while that was written down: there is no next part in which the others could have their turn.
    if (more && isCancelled()) return this.giveUp()
    if (!more && end.counts.failed + end.counts.cancelled > 0) throw incomplete(end)
    return { v: 1, outcome: 'completed', ...end, more, residue: [] }
  }

  /** Says of each VM that has had no turn that it will have none, and throws that the run was cancelled. */
  async giveUp(): Promise<never> {
    await this.#close('the run was cancelled before its turn came')
    throw new CancelledFailure('the run was cancelled')
  }

  #close(rest: string | null): Promise<PlanRunEnd> {
    return CancellationScope.nonCancellable(() =>
      this.#steps.closePlanRun.executeWithOptions(this.#ids.step('close', 'What came of each VM?'), [
        { planRun: this.#planRun, rest },
      ]),
    )
  }

  /** All lanes to their end, whatever comes of one; meanwhile what people and the clock do to the run is passed on. */
  async #during(lanes: readonly (() => Promise<void>)[], window: WindowNow | null): Promise<void> {
    const passingOn = new CancellationScope({ cancellable: true })
    // Before the first VM is asked for: outside the window none is.
    const kept = Promise.allSettled([passingOn.run(() => this.window.keep(window))])
    // That a word did not reach a backup is no failure of the run: the engine passes the cancel on by itself.
    const followed = Promise.allSettled([passingOn.run(() => this.#backups.follow())])
    const told = Promise.allSettled([
      CancellationScope.current().cancelRequested.catch(() => this.#backups.tellCancel()),
    ])
    const ends = await Promise.allSettled(lanes.map((lane) => lane()))
    passingOn.cancel()
    await Promise.all([followed, kept])
    this.#control.standOutside(null)
    if (isCancelled()) await told
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** One backup after the other; a lane ends when there is no VM left, or when the history is long enough. */
  async #lane(lane: number): Promise<void> {
    let ended: PlanVmEnd | null = null
    for (let turn = 0; ; turn += 1) {
      // What has ended is written down before anything is waited for.
      if (ended !== null && this.#control.stopped !== null) {
        await this.#turn(lane, turn, ended, false)
        ended = null
        turn += 1
      }
      const wants = await this.#mayBegin()
      if (!wants && ended === null) return
      const { next, againMs } = await this.#turn(lane, turn, ended, wants)
      ended = null
      if (next !== null) ended = await this.#backups.make(next)
      else if (againMs === null || !(await this.#waitUntil(againMs))) return
    }
  }

  async #turn(lane: number, turn: number, ended: PlanVmEnd | null, wants: boolean): Promise<NextAnswer> {
    const summary = ended === null ? 'Which VM is next?' : 'Write down how it ended; which VM is next?'
    const { requestedBy, part } = this.#input
    // How a backup ended is written down also when the run is cancelled by now.
    return CancellationScope.nonCancellable(() =>
      this.#steps.nextPlanVm.executeWithOptions(this.#ids.step(`vm:${lane}`, summary), [
        { planRun: this.#planRun, lane: `${part}/${lane}`, turn, ended, wants, requestedBy },
      ]),
    )
  }

  /** Waits while the run stands still. False: nothing more is begun in this part. */
  async #mayBegin(): Promise<boolean> {
    const ended = !(await passes(() => this.#backups.whileOpen(() => this.#control.gate())))
    this.#isFull ||= workflowInfo().continueAsNewSuggested
    return !ended && !this.#isFull && !isCancelled() && this.#backups.ended === null
  }

  /** False: the run was cancelled meanwhile, or nothing more is begun. */
  #waitUntil(ms: number): Promise<boolean> {
    const left = Math.max(1_000, ms - Date.now())
    return passes(() => this.#backups.whileOpen(() => sleep(left, { summary: 'until what failed is tried again' })))
  }
}

function isCancelled(): boolean {
  return CancellationScope.current().consideredCancelled
}

/** False: it was cancelled. */
async function passes(wait: () => Promise<void>): Promise<boolean> {
  try {
    await wait()
    return true
  } catch (thrown) {
    if (isCancellation(thrown)) return false
    throw thrown
  }
}

function incomplete({ counts, troubles }: PlanRunEnd): Error {
  const all = counts.completed + counts.failed + counts.cancelled + counts.skipped
  const missing = counts.failed + counts.cancelled
  const named = troubles.filter(({ state }) => state !== 'skipped').slice(0, 3)
  const more = missing > named.length ? ' and others' : ''
  const who = named.map(({ vm, why }) => `${vm} (${why})`).join(', ')
  return workflowFailure('PlanIncomplete', `${missing} of ${all} VMs were not backed up: ${who}${more}`, {
    data: { counts, troubles },
  })
}
