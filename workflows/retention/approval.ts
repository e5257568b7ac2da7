import { condition, defineUpdate, setHandler } from '@temporalio/workflow'
import { workflowFailure } from '../shared/failures.ts'
import { cut } from '../shared/steps.ts'
import { approveSweepUpdate } from './contract.ts'
import type { SweepApprovalWish } from './contract.ts'

const approveSweep = defineUpdate<void, [SweepApprovalWish]>(approveSweepUpdate)

/** Somebody's agreement to exactly one plan. Made first thing in the workflow, so that no update meets it without handler. */
export class Approval {
  #wanted: string | null = null
  #given: SweepApprovalWish | null = null

  constructor() {
    setHandler(
      approveSweep,
      (wish) => {
        this.#given = wish
      },
      { validator: (wish: SweepApprovalWish) => this.#mayApprove(wish) },
    )
  }

  /** From now on somebody may agree to this plan: before anybody is told that it waits. */
  want(digest: string): void {
    this.#wanted = digest
  }

  /** Waits for it; null when the time is over. `summary` says what it waits for. */
  async given(timeoutMs: number, summary: string): Promise<SweepApprovalWish | null> {
    try {
      await condition(() => this.#given !== null, timeoutMs, { summary: cut(summary, 200) })
      return this.#given
    } finally {
      this.#wanted = null
    }
  }

  #mayApprove(wish: SweepApprovalWish): void {
    const { user, reason, digest } = (
      typeof wish === 'object' && wish !== null ? wish : {}
    ) as Partial<SweepApprovalWish>
    if (typeof user !== 'string' || user === '' || user.length > 200) throw refuse('the request does not say who asks')
    if (typeof reason !== 'string' || reason.length > 2000) throw refuse('the request does not say why')
    if (this.#given !== null) throw refuse(`${this.#given.user} has approved it already`)
    if (this.#wanted === null) throw refuse('the sweep does not wait for an approval')
    if (digest !== this.#wanted) {
      throw refuse(`the plan has changed: ${this.#wanted} is to be approved, not ${String(digest)}; look at it again`)
    }
  }
}

function refuse(message: string): Error {
  return workflowFailure('InvalidRequest', message)
}
