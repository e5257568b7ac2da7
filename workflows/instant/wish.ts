import { condition, defineUpdate, setHandler } from '@temporalio/workflow'
import { workflowFailure } from '../shared/failures.ts'
import { endInstantUpdate } from './contract.ts'
import type { EndInstantWish } from './contract.ts'

const endInstant = defineUpdate<void, [EndInstantWish]>(endInstantUpdate)

/** What a person wants to become of the VM. Made first thing in the workflow, so that no update meets it without handler. */
export class EndWish {
  #isWanted = false
  #given: EndInstantWish | null = null

  constructor() {
    setHandler(
      endInstant,
      (wish) => {
        this.#given = wish
      },
      { validator: (wish: EndInstantWish) => this.#mayEnd(wish) },
    )
  }

  /** From now on somebody may decide: the VM runs. */
  want(): void {
    this.#given = null
    this.#isWanted = true
  }

  get given(): EndInstantWish | null {
    return this.#given
  }

  /** `summary`: what the timer is called in the run. */
  async wait(timeoutMs: number, summary: string): Promise<void> {
    await condition(() => this.#given !== null, timeoutMs, { summary })
  }

  async untilGiven(): Promise<void> {
    await condition(() => this.#given !== null)
  }

  #mayEnd(wish: EndInstantWish): void {
    const { user, reason, end } = (typeof wish === 'object' && wish !== null ? wish : {}) as Partial<EndInstantWish>
    if (typeof user !== 'string' || user === '' || user.length > 200) throw refuse('the request does not say who asks')
    if (typeof reason !== 'string' || reason.length > 2000) throw refuse('the request does not say why')
    if (end !== 'migrate' && end !== 'discard') throw refuse('the request does not say what becomes of the VM')
    if (!this.#isWanted) throw refuse('the VM does not run yet')
    // Who sees the copy take too long may still throw the VM away: by cancelling the run.
    if (this.#given !== null) throw refuse(`${this.#given.user} has decided already: ${this.#given.end}`)
  }
}

function refuse(message: string): Error {
  return workflowFailure('InvalidRequest', message)
}
