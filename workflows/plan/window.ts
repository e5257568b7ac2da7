import { condition, isCancellation, log, patched, workflowInfo } from '@temporalio/workflow'
import type { PlanActivities } from '../../activities/plan/types.ts'
import type { WindowNow } from '../../policy/index.ts'
import type { RunControl } from '../shared/control.ts'
import { errorOf } from '../shared/failures.ts'
import { controlSteps } from '../shared/options.ts'
import { cut } from '../shared/steps.ts'
import type { StepIds } from '../shared/steps.ts'
import type { Backups } from './backups.ts'
import type { PlanRunInput } from './contract.ts'

/** A window that was changed meanwhile, and of which no word came, counts after this. */
const lookMs = 30 * 60_000

/** Lets the run of a plan stand still outside the plan's window, or ends what is under way when it closes. */
export class PlanWindow {
  readonly #input: PlanRunInput
  readonly #control: RunControl
  readonly #ids: StepIds
  readonly #backups: Backups
  readonly #steps = controlSteps<PlanActivities>('record')
  #goesOnUntilMs: number | null
  /** What the run stands still for; null: nothing, or somebody's word was heeded. */
  #standing: WindowNow | null = null
  #words = 0
  /** Words that the last look knew of: one that comes during a look leads to another. */
  #known = 0

  constructor(
    input: PlanRunInput,
    tools: { readonly control: RunControl; readonly ids: StepIds; readonly backups: Backups },
  ) {
    this.#input = input
    this.#control = tools.control
    this.#ids = tools.ids
    this.#backups = tools.backups
    this.#goesOnUntilMs = input.goesOnUntilMs ?? null
  }

  /** Somebody said that the run goes on although its window is closed, until it opens by itself. */
  get goesOnUntilMs(): number | null {
    return this.#goesOnUntilMs
  }

  /** What the plan says may have changed: it is looked at anew. */
  changed(): void {
    this.#words += 1
  }

  /** Until its scope is cancelled. `first`: as it was when the run began; null: the plan had none. */
  async keep(first: WindowNow | null): Promise<void> {
    // What a next part begins with is not what a window has just ended for.
    let wasOpen = this.#input.part > 0
    for (let now = first; ; now = await this.#look(now)) {
      if (this.#wasLetGo()) continue
      if (now === null) {
        this.#open()
        await this.#hear()
        continue
      }
      const left = now.changesMs === null ? lookMs : Math.min(lookMs, Math.max(1_000, now.changesMs - Date.now()))
      if (now.open) {
        wasOpen = true
        this.#open()
        await this.#wait(left, 'until the window of the plan is looked at again')
      } else if (wasOpen && now.atEnd === 'fail') {
        const user = `plan ${this.#input.plan}`
        await this.#backups.end({ user, reason: 'its window has ended' })
        return
      } else await this.#stand(now, left)
    }
  }

  #open(): void {
    this.#standing = null
    this.#control.standOutside(null)
  }

  /** Somebody has said that it goes on, perhaps while the window was being looked at: it is looked at with that in mind. */
  #wasLetGo(): boolean {
    if (this.#standing === null || this.#control.outside !== null) return false
    this.#goesOnUntilMs = this.#standing.changesMs
    this.#standing = null
    return true
  }

  /** Until what the plan says may have changed. */
  async #hear(): Promise<void> {
    await condition(() => this.#words !== this.#known)
  }

  async #stand(now: WindowNow, left: number): Promise<void> {
    const { plan } = this.#input
    const { until, releasesPoints } = now
    const reason = `the window of ${plan} is closed until ${until}`
    const { outside } = this.#control
    // Said once: every further word would go to all backups again.
    if (outside?.reason !== reason)
      this.#control.standOutside({ user: `plan ${plan}`, reason, releases: releasesPoints })
    this.#standing = now
    await condition(() => this.#control.outside === null || this.#words !== this.#known, left, {
      summary: cut(`outside its window until ${until}`, 200),
    })
    this.#wasLetGo()
  }

  async #wait(ms: number, summary: string): Promise<void> {
    await condition(() => this.#words !== this.#known, ms, { summary })
  }

  /**
   * As it was before, if nobody can tell; but a window whose end has come has ended, whoever is away, and one whose time has
   * come stays closed for that reason.
   */
  async #look(before: WindowNow | null): Promise<WindowNow | null> {
    const { plan } = this.#input
    this.#known = this.#words
    try {
      return await this.#steps.heedWindow.executeWithOptions(
        this.#ids.step('window', `Is the window of ${plan} open?`),
        [{ planRun: workflowInfo().workflowId, plan, atMs: Date.now(), goesOnUntilMs: this.#goesOnUntilMs }],
      )
    } catch (thrown) {
      if (isCancellation(thrown)) throw thrown
      log.warn('the window of the plan could not be looked up', { error: errorOf(thrown) })
      if (before === null || before.changesMs === null || before.changesMs > Date.now()) return before
      const until = 'the plan can be looked up again'
      if (before.open) return { ...before, open: false, until, changesMs: null, releasesPoints: false }
      return patched('2026-11-window-unknown') ? { ...before, until } : before
    }
  }
}
