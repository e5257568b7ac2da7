import type { HoldfastError } from '../base/index.ts'
import { cancelled } from './client/errors.ts'

interface Waiter {
  readonly bytes: number
  readonly grant: () => void
  readonly refuse: (error: HoldfastError) => void
}

/** Requests and bytes under way, granted in order of arrival. One request alone may be larger than the limit. */
export class Budget {
  readonly #maxRequests: number
  readonly #maxBytes: number
  #requests = 0
  #bytes = 0
  readonly #waiters: Waiter[] = []

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests
    this.#maxBytes = maxBytes
  }

  /** Resolves when there is room; every resolved call needs one `release` with the same number. */
  async acquire(bytes: number, signal: AbortSignal | undefined, what: () => string): Promise<void> {
    if (signal?.aborted) throw cancelled(signal, what())
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      this.#take(bytes)
      return
    }
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        if (!signal) return
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(cancelled(signal, what()))
        this.#serve()
      }
      const settle = (): void => signal?.removeEventListener('abort', abort)
      const waiter: Waiter = {
        bytes,
        grant: () => {
          settle()
          resolve()
        },
        refuse: (error) => {
          settle()
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  release(bytes: number): void {
    this.#requests -= 1
    this.#bytes -= bytes
    this.#serve()
  }

  /** Rejects all who wait. */
  refuse(error: HoldfastError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(error)
  }

  #fits(bytes: number): boolean {
    return this.#requests === 0 || (this.#requests < this.#maxRequests && this.#bytes + bytes <= this.#maxBytes)
  }

  #take(bytes: number): void {
    this.#requests += 1
    this.#bytes += bytes
  }

  #serve(): void {
    for (let next = this.#waiters[0]; next && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift()
      this.#take(next.bytes)
      next.grant()
    }
  }
}
