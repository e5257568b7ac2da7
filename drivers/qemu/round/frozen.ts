import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, describeError, isHoldfastError } from '../../../base/index.ts'
import type { AgentClient } from '../../qmp/index.ts'
import { isDeath } from '../effects.ts'
import { withAgent, type Vm } from '../vm.ts'

/** What an agent that cannot or will not quiesce its guest is reported as. */
export const quiesceCodes: ReadonlySet<string> = new Set([
  'QuiesceFailed',
  'GuestAgentDisabled',
  'GuestRefused',
  'HypervisorTimeout',
  'NetworkFailure',
  'ProtocolMismatch',
])

/** What is known of the guest from the freeze to the confirmed thaw. */
export class FrozenGuest {
  frozenMs: number | null = null
  /** The first error, which a failing thaw must not hide. */
  failed: unknown
  readonly #vm: Vm
  readonly #limit: number
  #started = 0
  #count: number | null = null
  #agent: AgentClient | undefined
  #thawing: Promise<number | null> | undefined
  #late = false
  #limiter: NodeJS.Timeout | undefined

  constructor(vm: Vm, limit: number) {
    this.#vm = vm
    this.#limit = limit
  }

  /** Whether a freeze was asked for at all; before that no part of the guest can be frozen. */
  get wasAsked(): boolean {
    return this.#agent !== undefined
  }

  /** null: frozen. Otherwise why not; parts of the guest may be frozen all the same. */
  async freeze(agent: AgentClient): Promise<string | null> {
    this.#started = performance.now()
    this.#agent = agent
    try {
      this.#count = await agent.freeze({ limit: this.#limit })
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      return error.message
    }
    this.#limiter = setTimeout(
      () => {
        this.#late = true
        void Promise.allSettled([this.#thaw()])
      },
      Math.max(0, this.#limit - (performance.now() - this.#started)),
    )
    return null
  }

  /** After the switch. null: it was frozen to the end; otherwise why that is not known. */
  async thaw(): Promise<string | null> {
    const wasLate = this.#late
    const thawed = await this.#thaw()
    if (wasLate) return `the freeze limit of ${this.#limit} ms passed before the switch`
    if (thawed === null || this.#count === null) return 'the thaw was not confirmed'
    // Fewer than were frozen: something in the guest thawed the others in between (lab/README.md).
    if (thawed < this.#count) return `only ${thawed} of ${this.#count} file systems were still frozen after the switch`
    return null
  }

  /** Whatever happened: returns with a thawed guest, or throws `GuestStuck`. Asks on a conversation of its own. */
  async settle(): Promise<void> {
    clearTimeout(this.#limiter)
    if (this.#agent === undefined || isDeath(this.failed)) return
    if (this.#thawing !== undefined && (await this.#thawing) !== null) return
    try {
      await thawGuest(this.#vm, this.#limit + 10_000)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      const after = this.failed === undefined ? '' : ` (after: ${describeError(this.failed)})`
      throw new HoldfastError(error.code, `${error.message}${after}`, { hint: error.hint, cause: this.failed ?? error })
    }
  }

  /** How many file systems it thawed; null: no answer, which `settle` makes good. */
  #thaw(): Promise<number | null> {
    return (this.#thawing ??= this.#thawOnce())
  }

  async #thawOnce(): Promise<number | null> {
    const agent = this.#agent
    if (!agent) return null
    try {
      const count = await agent.thaw({ limit: 5_000 })
      this.frozenMs = Math.ceil(performance.now() - this.#started)
      return (await agent.freezeStatus({ limit: 5_000 })) === 'thawed' ? count : null
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      return null
    }
  }
}

/**
 * Thaws and asks until the agent says `thawed`; returns how many file systems it thawed. An agent that does not answer
 * may be stuck in the freeze, which the guest's own deadline ends. Throws `GuestStuck` after `limit` milliseconds.
 */
export async function thawGuest(vm: Vm, limit: number): Promise<number> {
  const until = Date.now() + limit
  const attempt = async (agent: AgentClient): Promise<number> => {
    const count = await agent.thaw()
    const status = await agent.freezeStatus()
    if (status === 'thawed') return count
    throw new HoldfastError('GuestRefused', `the guest is ${status} after the thaw`)
  }
  for (;;) {
    try {
      return await withAgent(vm, attempt, { limit: Math.min(2_000, limit) })
    } catch (error) {
      if (!isHoldfastError(error) || !quiesceCodes.has(error.code)) throw error
      if (Date.now() >= until)
        throw new HoldfastError(
          'GuestStuck',
          `VM “${vm.description.name}” does not confirm that it is thawed: ${error.message}`,
          {
            cause: error,
          },
        )
    }
    await sleep(100)
  }
}
