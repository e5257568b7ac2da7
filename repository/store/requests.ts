import { setTimeout as sleep } from 'node:timers/promises'
import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import { RateLimiter } from './rate-limiter.ts'
import { throwIfAborted } from './store.ts'

/** What one failed request means, whichever store said it. */
export interface Failure {
  /**
   * `absent`: proved. `exists`: the name is taken. `conflict`: another writer was at it; ask again. `denied` may be a rate
   * in disguise (lesson 5); `refused` is denied for certain. `range`: beyond the end of the object.
   */
  readonly kind:
    | 'absent'
    | 'exists'
    | 'conflict'
    | 'transient'
    | 'rate'
    | 'denied'
    | 'refused'
    | 'range'
    | 'checksum'
    | 'final'
  readonly error: HoldfastError
  /** What the store asked us to wait, in ms. */
  readonly afterMs?: number
}

/** A failure on its way to whoever can do something about its kind. */
export class RequestFailed extends Error {
  readonly failure: Failure
  /** An earlier attempt of the same request ended without an answer: it may have been carried out. */
  readonly isAmbiguous: boolean

  constructor(failure: Failure, isAmbiguous: boolean) {
    super(failure.error.message, { cause: failure.error })
    this.failure = failure
    this.isAmbiguous = isAmbiguous
  }
}

export interface RequestOptions {
  /** Of one request, besides the first attempt. */
  readonly retries?: number
  readonly limiter?: RateLimiter
  readonly clock?: () => number
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 … 1 */
  readonly random?: () => number
}

/** An answer may be long in coming; one that has not come by then never will. */
const ANSWER_MS = 60_000
/** The slowest line on which a body is still waited for, bytes per ms. */
const SLOWEST = 64
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 20_000
/** A 403 so soon after a success is taken for a rate limit, so often. */
const RATE_403_MS = 60_000
const RATE_403_RETRIES = 3
/** Bytes that change on the way twice in a row will change again: memory or cable. */
const CHECKSUM_RETRIES = 2

/**
 * Requests to a store behind a network: each has a deadline, is repeated with growing pauses while that makes sense, and
 * keeps to a rate that the connections of one place share. What is not worth repeating is thrown at once as RequestFailed.
 */
export class Requests {
  readonly limiter: RateLimiter
  readonly #retries: number
  readonly #clock: () => number
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly #random: () => number
  #succeededMs = -Infinity

  constructor(options: RequestOptions = {}) {
    const { retries = 6, clock = Date.now, random = Math.random } = options
    this.#retries = retries
    this.#clock = clock
    this.#random = random
    this.#wait = options.wait ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal })))
    this.limiter = options.limiter ?? new RateLimiter({ clock, wait: this.#wait })
  }

  /** `bytes`: how much travels in either direction. `read` turns what `work` threw into a failure. */
  async run<T>(
    { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
    work: (signal: AbortSignal) => Promise<T>,
    read: (error: unknown) => Failure,
  ): Promise<T> {
    let isAmbiguous = false
    for (let attempt = 0; ; attempt++) {
      await this.#orCancelled(signal, () => this.limiter.take(signal))
      // Not AbortSignal.timeout, whose timer would live on for a minute after each request.
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), ANSWER_MS + Math.ceil(bytes / SLOWEST))
      try {
        const result = await work(AbortSignal.any([signal, deadline.signal]))
        this.#succeededMs = this.#clock()
        this.limiter.succeeded()
        return result
      } catch (error) {
        throwIfAborted(signal)
        const failure = isHoldfastError(error) ? ({ kind: 'final', error } as const) : read(error)
        const pause = this.#pauseAfter(failure, attempt)
        if (pause === undefined) throw new RequestFailed(failure, isAmbiguous)
        isAmbiguous ||= failure.kind === 'transient'
        await this.#orCancelled(signal, () => this.#wait(pause, signal))
      } finally {
        clearTimeout(timer)
      }
    }
  }

  /** How long to wait before the next attempt; undefined: there is none. */
  #pauseAfter({ kind, afterMs }: Failure, attempt: number): number | undefined {
    const isDisguised =
      kind === 'denied' && attempt < RATE_403_RETRIES && this.#clock() - this.#succeededMs < RATE_403_MS
    const isRate = kind === 'rate' || isDisguised
    if (isRate) this.limiter.limited()
    if (!isRate && kind !== 'transient' && kind !== 'conflict' && kind !== 'checksum') return undefined
    if (attempt >= (kind === 'checksum' ? CHECKSUM_RETRIES : this.#retries)) return undefined
    const grown = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
    // Half of it is fixed, half is drawn: many movers that were refused together do not come back together.
    return Math.max(afterMs ?? 0, Math.round(grown / 2 + (grown / 2) * this.#random()))
  }

  async #orCancelled(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    throwIfAborted(signal)
    try {
      await work()
    } catch (error) {
      throwIfAborted(signal)
      throw error
    }
  }
}
