import { CancellationScope, condition, sleep } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { BegunTier, RecoveryActivities, TierChange } from '../../activities/recovery-plan/types.ts'
import type { ManualStep } from '../../policy/recovery.ts'
import type { RunControl } from '../shared/control.ts'
import { controlSteps } from '../shared/options.ts'
import { cut, type StepIds } from '../shared/steps.ts'
import type { Desk } from './desk.ts'
import type { Holds } from './holds.ts'
import { Member, written, type MemberTools } from './member.ts'
import type { RecoveryInput, StepApproval, TierWord } from './contract.ts'

export interface TierTools {
  readonly control: RunControl
  readonly ids: StepIds
  readonly desk: Desk
  readonly holds: Holds
  readonly input: RecoveryInput
  readonly runId: string
  readonly outer: CancellationScope
  readonly room: { busy: number; readonly atOnce: number }
}

/** One tier: people first, then its VMs side by side, then people again. A VM that is not back asks what is to be done. */
export class TierRun {
  readonly #tools: TierTools
  readonly #key: string
  #members: readonly Member[] = []

  constructor(tools: TierTools, key: string) {
    this.#tools = tools
    this.#key = key
  }

  get members(): readonly Member[] {
    return this.#members
  }

  /** How many of its VMs are what it waits for. Fixed once they were settled. */
  get back(): number {
    return this.#members.filter(({ wasBack }) => wasBack).length
  }

  /** Those that are not, with the reason. */
  get short(): readonly string[] {
    return this.#members.flatMap((member) => (member.wasBack ? [] : [`${member.vmId} (${member.why})`]))
  }

  /** Throws when the run is aborted. */
  async run(): Promise<void> {
    const { control } = this.#tools
    const { name, delayMs, before, then, needs, members } = await this.#begin()
    this.#members = members.map((vmId) => new Member(this.#memberTools(), this.#key, vmId, needs))
    if (delayMs > 0) {
      control.stage(`${name} begins in ${formatDuration(delayMs)}`)
      await sleep(delayMs, { summary: cut(`until ${name} begins`, 200) })
      await this.#note({ state: 'running' })
    }
    await this.#people(name, before, 'before')
    const isWhole = await this.#bring(name)
    await this.#people(name, then, 'then')
    await this.#note({ state: isWhole ? 'done' : 'continued', endedMs: Date.now() })
  }

  async #begin(): Promise<BegunTier> {
    const { ids, runId } = this.#tools
    const { beginTier } = controlSteps<RecoveryActivities>('record')
    return beginTier.executeWithOptions(ids.step(`tier:${this.#key}`, `Begin the tier ${this.#key}`), [
      { runId, tier: this.#key, atMs: Date.now() },
    ])
  }

  async #people(name: string, steps: readonly ManualStep[], when: 'before' | 'then'): Promise<void> {
    for (const [index, { title, detail }] of steps.entries()) {
      const { user, reason } = await this.#ask(
        { id: `${when}-${index}`, kind: 'step', title, detail },
        `${name}: ${title}`,
      )
      const answer = { id: `${when}-${index}`, title, answer: 'done', user, reason, ms: Date.now() }
      await this.#note({ state: 'running', waitsFor: null, answer })
    }
  }

  /** False: somebody went on without some of its VMs. */
  async #bring(name: string): Promise<boolean> {
    let wanted = this.#members
    for (let round = 1; ; round += 1) {
      this.#tools.control.stage(`${name}: bringing ${wanted.length} VM${wanted.length === 1 ? '' : 's'} back`)
      await allOf(wanted.map((member) => this.#inRoom(member)))
      const missing = this.#members.filter(({ isBack }) => !isBack)
      if (missing.length === 0) return true
      const detail = missing
        .map(({ vmId, why }) => `${vmId}: ${why}`)
        .join('; ')
        .slice(0, 1000)
      const title = `${missing.length} of ${this.#members.length} VMs did not come up`
      const id = `choice-${round}`
      const said = await this.#ask({ id, kind: 'choice', title, detail }, `${name}: ${title}`)
      const { user, reason, choice } = said as TierWord
      await this.#note({
        state: 'running',
        waitsFor: null,
        answer: { id, title, answer: choice, user, reason, ms: Date.now() },
      })
      if (choice === 'continue') return false
      if (choice !== 'retry') return this.#end(said, choice)
      await Promise.all(missing.map((member) => member.remove()))
      wanted = missing
    }
  }

  async #inRoom(member: Member): Promise<void> {
    const { room } = this.#tools
    // Looked at again by each that wakes: between the look and the taking nothing is awaited.
    while (room.busy >= room.atOnce) await condition(() => room.busy < room.atOnce)
    room.busy += 1
    try {
      await member.bring()
    } finally {
      room.busy -= 1
    }
  }

  async #ask(
    wait: { readonly id: string; readonly kind: 'step' | 'choice'; readonly title: string; readonly detail: string },
    words: string,
  ): Promise<StepApproval | TierWord> {
    const { desk, input, control } = this.#tools
    desk.want(this.#key, wait.id, wait.kind)
    control.stage(`Waiting for a person: ${words}`)
    await this.#note({ state: 'waiting', waitsFor: { ...wait, sinceMs: Date.now() } })
    const patienceMs = input.mode === 'rehearse' ? input.patienceMs : null
    const said = await desk.answer(this.#key, wait.id, words, patienceMs)
    if (said !== null) return said
    const reason = `nobody answered “${wait.title}” within ${formatDuration(input.patienceMs)}`
    return this.#end({ user: 'holdfast', reason }, 'clean-up')
  }

  /** The run ends, and this tier with it. */
  async #end(by: { readonly user: string; readonly reason: string }, end: 'clean-up' | 'hand-over'): Promise<never> {
    this.#tools.desk.abort({ user: by.user, reason: by.reason, end })
    return CancellationScope.current().cancelRequested
  }

  #memberTools(): MemberTools {
    const { runId, ids, desk, holds, input, outer } = this.#tools
    const { mode, requestedBy, beside = [] } = input
    return { runId, ids, desk, holds, outer, isRehearsal: mode === 'rehearse', requestedBy, beside }
  }

  #note(change: TierChange): Promise<void> {
    const { ids, runId } = this.#tools
    const { noteTier } = controlSteps<RecoveryActivities>('record')
    return CancellationScope.nonCancellable(() =>
      written(
        noteTier.executeWithOptions(ids.step(`note-tier:${this.#key}`, `Write down how far ${this.#key} is`), [
          { runId, tier: this.#key, change, atMs: Date.now() },
        ]),
      ),
    )
  }
}

/** Each comes to its end, also when one throws: what was begun is known before anything is settled. */
export async function allOf(work: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(work)) if (end.status === 'rejected') throw end.reason
}
