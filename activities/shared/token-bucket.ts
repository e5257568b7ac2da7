export interface TokenBucketOptions {
  /** Milliseconds. */
  readonly now: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What was not used within this time is lost: nobody saves up for a burst. */
const burstMs = 1_000
/** A changed rate counts after so long also for whoever waits. */
const sliceMs = 500

interface Waiter {
  readonly bytes: number
  readonly signal: AbortSignal
  readonly onWait: () => void
  readonly go: () => void
}

/**
 * So many bytes a second for all that take from it, first come, first served. Who takes may go into debt and the next one
 * waits until it is paid, so that a piece may be larger than a second's worth.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions
  readonly #queue: Waiter[] = []
  #rate: number | null
  #balance = 0
  #atMs: number
  #isServing = false

  /** `rate`: bytes per second; null: no limit. */
  constructor(rate: number | null, options: TokenBucketOptions) {
    this.#options = options
    this.#rate = rate
    this.#atMs = options.now()
  }

  setRate(rate: number | null): void {
    this.#refill()
    this.#rate = rate
  }

  /**
   * Resolves when so many bytes may go. `onWait` is called at least twice a second until then, wherever in the queue this
   * one stands. Rejects with the signal at once, and holds up nobody then.
   */
  async take(bytes: number, signal: AbortSignal, onWait: () => void = () => undefined): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const waiter = { bytes, signal, onWait, go: () => resolve(undefined) }
    const leave = (): void => {
      const at = this.#queue.indexOf(waiter)
      if (at >= 0) this.#queue.splice(at, 1)
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    this.#queue.push(waiter)
    if (!this.#isServing) void this.#serve()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** Until nobody waits any more. */
  async #serve(): Promise<void> {
    this.#isServing = true
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      this.#refill()
      if (this.#rate === null || this.#balance >= 0) {
        if (this.#rate !== null) this.#balance -= first.bytes
        this.#queue.shift()
        first.go()
        continue
      }
      for (const { onWait } of [...this.#queue]) onWait()
      const ms = Math.max(1, Math.min(sliceMs, Math.ceil((-this.#balance * 1000) / this.#rate)))
      // Who leaves while he is the first one lets the next one look at once.
      await Promise.allSettled([this.#options.wait(ms, first.signal)])
    }
    this.#isServing = false
  }

  #refill(): void {
    const now = this.#options.now()
    const elapsed = Math.max(0, now - this.#atMs)
    this.#atMs = now
    if (this.#rate === null) this.#balance = 0
    else this.#balance = Math.min((this.#rate * burstMs) / 1000, this.#balance + (this.#rate * elapsed) / 1000)
  }
}
