import { HoldfastError } from '../../base/index.ts'
import type { Random } from './random.ts'

/** One store call that waits for its turn. */
interface Waiting {
  readonly process: SimProcess
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** One incarnation of an actor. A dead one's calls fail for ever; whatever it remembered is gone. */
export class SimProcess {
  readonly actor: string
  dead = false
  /** Step until which it sleeps: a zombie, if others go on meanwhile. */
  asleepUntil = 0

  constructor(actor: string) {
    this.actor = actor
  }
}

/** Rounds of the event loop without anything happening after which every actor waits for its turn. */
const CALM = 3
const BUSY = new Set(['CloseReq', 'Immediate'])
const MAX_STEPS = 60_000

/**
 * Lets one store call after the other take place, in an order drawn from a seed, and nothing else: between two calls it waits
 * until every actor waits for a turn of its own. So a schedule is repeated by its seed.
 */
export class Scheduler {
  readonly random: Random
  readonly #waiting: Waiting[] = []
  readonly #actors = new Set<Promise<unknown>>()
  #activity = 0
  step = 0
  /** Virtual time, Unix milliseconds. */
  nowMs = 1_800_000_000_000
  /** Share of turns after which the same actor goes on. */
  readonly #stickiness: number
  #last: SimProcess | undefined
  failure: Error | undefined

  constructor(random: Random) {
    this.random = random
    this.#stickiness = random.pick([0, 0.5, 0.9, 0.97])
  }

  start(actor: () => Promise<void>): void {
    const running: Promise<unknown> = actor()
      .catch((error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error))
      })
      .finally(() => {
        this.#actors.delete(running)
        this.#activity += 1
      })
    this.#actors.add(running)
  }

  /** Resolves when it is the call's turn. */
  async turn(process: SimProcess): Promise<void> {
    if (process.dead) throw died()
    this.#activity += 1
    await new Promise<void>((resolve, reject) => this.#waiting.push({ process, resolve, reject }))
  }

  kill(process: SimProcess): void {
    process.dead = true
    this.#activity += 1
    for (const waiting of this.#waiting.filter((each) => each.process === process)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.reject(died())
    }
  }

  /** Until every actor has ended. `between`: called where nobody is in the middle of a call. */
  async run(between: () => Promise<void>): Promise<void> {
    for (;;) {
      await this.#calm()
      if (this.failure !== undefined) throw this.failure
      if (this.#actors.size === 0) return
      const before = this.#activity
      await between()
      // Somebody died: what followed from it has to come to rest first.
      if (this.#activity !== before) continue
      const next = this.#choose()
      if (next === undefined) throw new Error(`nobody can go on, and ${this.#actors.size} actors have not ended`)
      if (++this.step > MAX_STEPS) throw new Error('the schedule does not end')
      // Mostly milliseconds; now and then hours, so that leases lapse.
      this.nowMs += this.random.chance(0.01) ? this.random.below(4 * 3_600_000) : this.random.below(50)
      this.#last = next.process
      next.resolve()
    }
  }

  #choose(): Waiting | undefined {
    const { random, step } = this
    const awake = this.#waiting.filter(({ process }) => process.asleepUntil <= step)
    const able = awake.length > 0 ? awake : this.#waiting
    if (able.length === 0) return undefined
    const same = able.filter(({ process }) => process === this.#last)
    const chosen = same.length > 0 && random.chance(this.#stickiness) ? random.pick(same) : random.pick(able)
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1)
    return chosen
  }

  /** Files of the index cache take real time, and long loops let others have a turn; nothing else is waited for. */
  async #calm(): Promise<void> {
    for (let calm = 0, seen = this.#activity; calm < CALM; calm++) {
      await new Promise((resolve) => setImmediate(resolve))
      const isBusy = process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq') || BUSY.has(name))
      if (isBusy || seen !== this.#activity) {
        calm = -1
        seen = this.#activity
      }
    }
  }
}

function died(): HoldfastError {
  return new HoldfastError('StoreUnavailable', 'the process has died')
}
