export interface TokenBucketOptions {
  /** Milliseconds. */
  readonly now: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** What was not used within this time is lost: nobody saves up for a burst. */
const burstMs = 1_000
/** A changed rate counts after so long also for whoever waits. */
const sliceMs = 500

/**
 * So many bytes a second for all that take from it, first come, first served. Who takes may go into debt and the next one
 * waits until it is paid, so that a piece may be larger than a second's worth.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions
  #rate: number | null
  #balance = 0
  #atMs: number
  #turn: Promise<unknown> = Promise.resolve()

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

  /** Resolves when so many bytes may go. `onWait` is called again and again until then. Rejects with the signal. */
  take(bytes: number, signal: AbortSignal, onWait: () => void = () => undefined): Promise<void> {
    const turn = this.#turn.then(() => this.#enter(bytes, signal, onWait))
    // Whoever was stopped holds up nobody.
    this.#turn = Promise.allSettled([turn])
    return turn
  }

  async #enter(bytes: number, signal: AbortSignal, onWait: () => void): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      this.#refill()
      if (this.#rate === null) return
      if (this.#balance >= 0) break
      onWait()
      await this.#options.wait(Math.max(1, Math.min(sliceMs, Math.ceil((-this.#balance * 1000) / this.#rate))), signal)
    }
    this.#balance -= bytes
  }

  #refill(): void {
    const now = this.#options.now()
    const elapsed = Math.max(0, now - this.#atMs)
    this.#atMs = now
    if (this.#rate === null) this.#balance = 0
    else this.#balance = Math.min((this.#rate * burstMs) / 1000, this.#balance + (this.#rate * elapsed) / 1000)
  }
}
