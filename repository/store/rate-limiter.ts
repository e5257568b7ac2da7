/** Requests a second: a store that allows less is not usable, and the pauses between attempts are long enough by then. */
const SLOWEST_RATE = 1
/** How long a rate must hold before it is raised. */
const RAISE_AFTER_MS = 10_000
const RAISE_BY = 1.25
/** Over so many ms the rate is measured at which the store began to refuse. */
const WINDOW_MS = 1_000

export interface RateLimiterOptions {
  /** Requests per second; Infinity: as many as the store takes. */
  readonly most?: number
  readonly clock: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Spaces requests evenly once the store has said that they come too fast (lesson 5): half of what was measured then, a
 * quarter more for every ten quiet seconds. One limiter per place, shared by all connections of a process.
 */
export class RateLimiter {
  readonly #most: number
  readonly #clock: () => number
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>
  #rate: number
  /** When the next request may go, ms. */
  #next = -Infinity
  #changedMs: number
  #window = { since: -Infinity, count: 0, last: 0 }

  constructor({ most = Infinity, clock, wait }: RateLimiterOptions) {
    this.#most = most
    this.#clock = clock
    this.#wait = wait
    this.#rate = most
    this.#changedMs = clock()
  }

  /** Requests per second now; Infinity while nothing limits. */
  get rate(): number {
    return this.#rate
  }

  /** Resolves when one more request may be sent. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.#clock()
    this.#count(now)
    if (this.#rate === Infinity) return
    const at = Math.max(now, this.#next)
    this.#next = at + 1000 / this.#rate
    if (at > now) await this.#wait(Math.ceil(at - now), signal)
  }

  /** The store refuses because of the rate. Many refusals of one moment count once. */
  limited(): void {
    const now = this.#clock()
    if (this.#rate !== Infinity && now - this.#changedMs < WINDOW_MS) return
    const from = this.#rate === Infinity ? Math.max(this.#window.last, this.#window.count) : this.#rate
    this.#set(Math.max(SLOWEST_RATE, from / 2), now)
  }

  succeeded(): void {
    const now = this.#clock()
    if (this.#rate >= this.#most || now - this.#changedMs < RAISE_AFTER_MS) return
    this.#set(Math.min(this.#most, this.#rate * RAISE_BY), now)
  }

  #set(rate: number, now: number): void {
    this.#rate = rate
    this.#changedMs = now
  }

  #count(now: number): void {
    if (now - this.#window.since >= WINDOW_MS) {
      this.#window = { since: now, count: 0, last: now - this.#window.since < 2 * WINDOW_MS ? this.#window.count : 0 }
    }
    this.#window.count += 1
  }
}
