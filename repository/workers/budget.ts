import { HoldfastError, MiB } from '../../base/index.ts'
import { cancelled } from '../store/index.ts'

/** Memory that one holder may use until it gives it back. */
export interface Grant {
  readonly bytes: number
  release(): void
}

interface Waiting {
  readonly bytes: number
  grant(): void
}

/**
 * One limit for the pack and reader buffers of the whole process (rulings 9), whoever asks: every disk of every run, every
 * restore. First come, first served. Whoever takes more in steps must be able to go on without the later ones.
 */
export class BufferBudget {
  readonly limit: number
  #used = 0
  readonly #waiting: Waiting[] = []
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  #pooled = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  async acquire(bytes: number, signal: AbortSignal): Promise<Grant> {
    if (bytes > this.limit) {
      throw new HoldfastError('ConfigInvalid', `${bytes} bytes of buffers are needed, ${this.limit} are allowed`)
    }
    const now = this.tryAcquire(bytes)
    if (now !== undefined) return now
    if (signal.aborted) throw cancelled(signal)
    return await new Promise<Grant>((resolve, reject) => {
      const entry: Waiting = {
        bytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort)
          resolve(this.#take(bytes))
        },
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        reject(cancelled(signal))
        this.#serve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(entry)
    })
  }

  /** undefined if it would have to wait. */
  tryAcquire(bytes: number): Grant | undefined {
    if (this.#waiting.length > 0 || this.#used + bytes > this.limit) return undefined
    return this.#take(bytes)
  }

  /**
   * Memory to share with worker threads, under a grant that the caller holds. It must come back by `giveBack`: a thread's
   * reference keeps shared memory alive until its own garbage collection, so it is used again rather than freed.
   */
  lend(bytes: number): SharedArrayBuffer {
    const known = this.#free.get(bytes)?.pop()
    if (known !== undefined) {
      this.#pooled -= bytes
      return known
    }
    // Sizes that are no longer asked for make room.
    for (const [size, list] of this.#free) {
      while (this.#pooled + this.#used > this.limit && list.pop() !== undefined) this.#pooled -= size
    }
    return new SharedArrayBuffer(bytes)
  }

  /** Before the grant is released. */
  giveBack(memory: SharedArrayBuffer): void {
    const list = this.#free.get(memory.byteLength) ?? []
    list.push(memory)
    this.#pooled += memory.byteLength
    this.#free.set(memory.byteLength, list)
  }

  #take(bytes: number): Grant {
    this.#used += bytes
    let held = true
    return {
      bytes,
      release: () => {
        if (!held) return
        held = false
        this.#used -= bytes
        this.#serve()
      },
    }
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#used + first.bytes > this.limit) return
      this.#waiting.shift()
      first.grant()
    }
  }
}

/**
 * The budget of this process. Rulings 9 allow 256 MiB; with the threads, the garbage of reading and what else a mover
 * consists of, 160 MiB keep it below 512 MiB on a machine that is short of processors, too: one disk takes 144 MiB at most.
 */
export const processBudget = new BufferBudget(160 * MiB)
