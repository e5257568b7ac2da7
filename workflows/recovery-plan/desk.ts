import { condition, defineSignal, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow'
import { recoveryEnds, tierChoices, type RecoveryEnd } from '../../policy/recovery.ts'
import { workflowFailure } from '../shared/failures.ts'
import { cut } from '../shared/steps.ts'
import type { Requester } from '../shared/contract.ts'
import {
  abortRecoveryUpdate,
  approveStepUpdate,
  chooseTierUpdate,
  memberStandsSignal,
  type AbortWish,
  type MemberReport,
  type RecoveryInput,
  type StepApproval,
  type TierWord,
} from './contract.ts'

const approveStep = defineUpdate<void, [StepApproval]>(approveStepUpdate)
const chooseTier = defineUpdate<void, [TierWord]>(chooseTierUpdate)
const abortRecovery = defineUpdate<void, [AbortWish]>(abortRecoveryUpdate)
const memberStands = defineSignal<[MemberReport]>(memberStandsSignal)

/** One timer of a wait that has no end: a year, then the next. Whoever waits for weeks makes no history meanwhile. */
const yearMs = 365 * 86_400_000
/** A try of a hundred VMs makes about four thousand; the engine ends runs of fifty thousand. */
const usualMostEvents = 6_000

/** Where people and VMs answer a run of a plan. Made first thing in the workflow, so that nobody meets it without ears. */
export class Desk {
  /** By tier: what it waits for. */
  readonly #waits = new Map<string, { readonly id: string; readonly kind: 'step' | 'choice' }>()
  readonly #answers = new Map<string, StepApproval | TierWord>()
  readonly #reports = new Map<string, MemberReport>()
  readonly #isRehearsal: boolean
  readonly #mostEvents: number
  #abort: AbortWish | null = null
  #isClosed = false
  #onAbort: () => void = () => undefined
  #waitedMs = 0
  #waitsSinceMs = 0

  constructor({ mode, mostEvents = usualMostEvents }: Pick<RecoveryInput, 'mode' | 'mostEvents'>) {
    this.#isRehearsal = mode === 'rehearse'
    this.#mostEvents = mostEvents
    setHandler(approveStep, (said) => this.#answer(said), {
      validator: (said: StepApproval) => this.#mayAnswer(said, 'step'),
    })
    setHandler(chooseTier, (said) => this.#answer(said), { validator: (said: TierWord) => this.#mayChoose(said) })
    setHandler(abortRecovery, (wish) => this.abort(wish), { validator: (wish: AbortWish) => this.#mayAbort(wish) })
    setHandler(memberStands, (report) => void this.#reports.set(report.workflowId, report))
  }

  /** Who ended it before its end, and how; null: nobody. */
  get aborted(): AbortWish | null {
    return this.#abort
  }

  /** Time in which somebody was waited for. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  /** From now on nobody is listened to. */
  close(): void {
    this.#isClosed = true
  }

  onAbort(work: () => void): void {
    this.#onAbort = work
    if (this.#abort !== null) work()
  }

  /** The first word counts. */
  abort(wish: AbortWish): void {
    if (this.#abort !== null || this.#isClosed) return
    this.#abort = wish
    this.#onAbort()
  }

  reportOf(workflowId: string): MemberReport | null {
    return this.#reports.get(workflowId) ?? null
  }

  /** From now on somebody may answer: before anybody is told that it waits. */
  want(tier: string, id: string, kind: 'step' | 'choice'): void {
    if (this.#waits.size === 0) this.#waitsSinceMs = Date.now()
    this.#waits.set(tier, { id, kind })
  }

  /** Waits for the answer, `patienceMs` at most; null: nobody gave one in time. Throws when the run is aborted. */
  async answer(
    tier: string,
    id: string,
    title: string,
    patienceMs: number | null,
  ): Promise<StepApproval | TierWord | null> {
    const key = `${tier}/${id}`
    const summary = cut(`waiting: ${title}`, 200)
    try {
      if (patienceMs !== null) await condition(() => this.#answers.has(key), patienceMs, { summary })
      else while (!(await condition(() => this.#answers.has(key), yearMs, { summary })));
      return this.#answers.get(key) ?? null
    } finally {
      this.#waits.delete(tier)
      if (this.#waits.size === 0) this.#waitedMs += Date.now() - this.#waitsSinceMs
    }
  }

  #answer(said: StepApproval | TierWord): void {
    this.#answers.set(`${said.tier}/${said.wait}`, said)
  }

  #mayAnswer(said: StepApproval, kind: 'step' | 'choice'): void {
    requireRequester(said)
    const wait = this.#waits.get(said.tier)
    if (this.#abort !== null || this.#isClosed) throw refuse('the run is ending')
    if (wait === undefined) throw refuse(`the tier ${String(said.tier)} waits for nobody`)
    if (wait.id !== said.wait || wait.kind !== kind)
      throw refuse(`the tier ${said.tier} waits for ${wait.id}, not for ${String(said.wait)}; look at it again`)
    const answered = this.#answers.get(`${said.tier}/${said.wait}`)
    if (answered !== undefined) throw refuse(`${answered.user} has answered it already`)
  }

  #mayChoose(said: TierWord): void {
    this.#mayAnswer(said, 'choice')
    if (!tierChoices.includes(said.choice)) throw refuse(`${String(said.choice)} is no choice`)
    if (said.choice === 'hand-over') this.#mayKeep('hand-over')
    if (said.choice === 'retry' && workflowInfo().historyLength > this.#mostEvents)
      throw refuse(
        'the run has tried so often that its history is full; go on without these VMs, or end it and begin anew',
      )
  }

  #mayAbort(wish: AbortWish): void {
    requireRequester(wish)
    if (!recoveryEnds.includes(wish.end)) throw refuse(`${String(wish.end)} is no end of a run`)
    this.#mayKeep(wish.end)
    if (this.#abort !== null || this.#isClosed) throw refuse('the run is ending')
  }

  /** The VMs of a rehearsal reach nothing and carry our mark: nobody could use them. */
  #mayKeep(end: RecoveryEnd): void {
    if (this.#isRehearsal && end === 'hand-over') throw refuse('a rehearsal hands nothing over: all of it is removed')
  }
}

function refuse(message: string): Error {
  return workflowFailure('InvalidRequest', message)
}

function requireRequester(by: unknown): void {
  const { user, reason } = (typeof by === 'object' && by !== null ? by : {}) as Partial<Requester>
  if (typeof user !== 'string' || user === '' || user.length > 200) throw refuse('the request does not say who asks')
  if (typeof reason !== 'string' || reason.length > 2000) throw refuse('the request does not say why')
}
