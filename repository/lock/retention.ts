import type { Millis } from '../../base/index.ts'
import type { Fmt } from '../format/index.ts'
import type { ObjectStore } from '../store/index.ts'
import { DAY_MS, generationEnd } from './generation.ts'

/** The store's clock is asked for again after so long. */
const CLOCK_MS = 15 * 60_000

/**
 * Until when what is written now is locked (§11.5). Counted by the store's clock: one of this host that is wrong by years would
 * else promise nothing, or lock for ever.
 */
export class Retention {
  readonly #lock: Fmt['lock']
  readonly #generationDays: number
  readonly #clock: () => number
  #known: { readonly aheadMs: number; readonly atMs: number } | undefined

  constructor(fmt: Pick<Fmt, 'lock' | 'generationDays'>, clock: () => number) {
    this.#lock = fmt.lock
    this.#generationDays = fmt.generationDays
    this.#clock = clock
  }

  /** What the repository was made with; undefined: it locks nothing. */
  get lock(): Fmt['lock'] {
    return this.#lock
  }

  /** `lockUntilSec` of a point that is published now; 0: not locked. */
  async pointUntilSec(store: ObjectStore): Promise<number> {
    if (this.#lock === undefined) return 0
    return Math.ceil(((await this.#now(store)) + this.#lock.days * DAY_MS) / 1000)
  }

  /** Retention of an object that is put now. */
  async uploadUntil(store: ObjectStore): Promise<Millis | undefined> {
    const untilSec = await this.pointUntilSec(store)
    return untilSec === 0 ? undefined : generationEnd(untilSec, this.#generationDays)
  }

  /** The end of the generation of a point. */
  endOf(lockUntilSec: number): Millis {
    return generationEnd(lockUntilSec, this.#generationDays)
  }

  async #now(store: ObjectStore): Promise<number> {
    const atMs = this.#clock()
    const age = atMs - (this.#known?.atMs ?? -Infinity)
    // A local clock that was set back makes the age negative.
    if (this.#known === undefined || age < 0 || age >= CLOCK_MS) {
      this.#known = { aheadMs: (await store.now()) - atMs, atMs }
    }
    return Math.round(atMs + this.#known.aheadMs)
  }
}
