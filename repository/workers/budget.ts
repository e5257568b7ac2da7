import { HoldfastError, MiB } from '../../base/index.ts'
import { cancelled, pageMemory, type PageMemory } from '../store/index.ts'

/** Memory that one holder may use until it gives it back. */
export interface Grant {
  readonly bytes: number
  release(): void
}

export interface GrantWish {
  /** A restore: before whoever else waits, and out of the reserve as long as that has room. */
  readonly isRestore?: boolean
  /** true: it has to wait; false: not any more. Neither is said to who is granted at once. */
  readonly onWaiting?: (isWaiting: boolean) => void
}

interface Waiting {
  readonly bytes: number
  readonly isRestore: boolean
  grant(found: Grant): void
}

/**
 * One limit for the pack and reader buffers of the whole process (rulings 9), whoever asks: every disk of every run, every
 * restore. Restores first, else first come, first served. Whoever takes more in steps must be able to go on without the
 * later ones. The reserve comes on top and is for restores alone: slow backups may hold all else for as long as a night.
 */
export class BufferBudget {
  readonly limit: number
  readonly reserve: number
  #used = 0
  #reserveUsed = 0
  readonly #waiting: Waiting[] = []
  readonly #free = new Map<number, PageMemory[]>()
  #pooled = 0

  constructor(limit: number, reserve = 0) {
    this.limit = limit
    this.reserve = reserve
  }

  /** With what is used of the reserve. */
  get used(): number {
    return this.#used + this.#reserveUsed
  }

  async acquire(bytes: number, signal: AbortSignal, wish: GrantWish = {}): Promise<Grant> {
    if (bytes > this.limit) {
      throw new HoldfastError('ConfigInvalid', `${bytes} bytes of buffers are needed, ${this.limit} are allowed`)
    }
    const now = this.tryAcquire(bytes, wish)
    if (now !== undefined) return now
    if (signal.aborted) throw cancelled(signal)
    const granted = this.#wait(bytes, signal, wish.isRestore ?? false)
    wish.onWaiting?.(true)
    try {
      return await granted
    } finally {
      wish.onWaiting?.(false)
    }
  }

  /** undefined if it would have to wait. */
  tryAcquire(bytes: number, { isRestore = false }: GrantWish = {}): Grant | undefined {
    const goesFirst = isRestore && !this.#waiting.some((each) => each.isRestore)
    return goesFirst || this.#waiting.length === 0 ? this.#find(bytes, isRestore) : undefined
  }

  async #wait(bytes: number, signal: AbortSignal, isRestore: boolean): Promise<Grant> {
    return await new Promise<Grant>((resolve, reject) => {
      const entry: Waiting = {
        bytes,
        isRestore,
        grant: (found) => {
          signal.removeEventListener('abort', onAbort)
          resolve(found)
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

  /**
   * Memory to share with worker threads, under a grant that the caller holds. It must come back by `giveBack`: a thread's
   * reference keeps shared memory alive until its own garbage collection, so it is used again rather than freed.
   */
  lend(bytes: number): PageMemory {
    const known = this.#free.get(bytes)?.pop()
    if (known !== undefined) {
      this.#pooled -= bytes
      return known
    }
    // Sizes that are no longer asked for make room.
    for (const [size, list] of this.#free) {
      while (this.#pooled + this.#used > this.limit && list.pop() !== undefined) this.#pooled -= size
    }
    return pageMemory(bytes)
  }

  /** Before the grant is released. */
  giveBack(memory: PageMemory): void {
    const list = this.#free.get(memory.byteLength) ?? []
    list.push(memory)
    this.#pooled += memory.byteLength
    this.#free.set(memory.byteLength, list)
  }

  #find(bytes: number, isRestore: boolean): Grant | undefined {
    if (isRestore && this.#reserveUsed + bytes <= this.reserve) {
      this.#reserveUsed += bytes
      return this.#grantOf(bytes, () => (this.#reserveUsed -= bytes))
    }
    if (this.#used + bytes > this.limit) return undefined
    this.#used += bytes
    return this.#grantOf(bytes, () => (this.#used -= bytes))
  }

  #grantOf(bytes: number, giveBack: () => void): Grant {
    let held = true
    return {
      bytes,
      release: () => {
        if (!held) return
        held = false
        giveBack()
        this.#serve()
      },
    }
  }

  #serve(): void {
    for (;;) {
      const first = this.#waiting.find((each) => each.isRestore) ?? this.#waiting[0]
      const found = first && this.#find(first.bytes, first.isRestore)
      if (first === undefined || found === undefined) return
      this.#waiting.splice(this.#waiting.indexOf(first), 1)
      first.grant(found)
    }
  }
}

/**
 * The budget of this process. Rulings 9 allow 256 MiB; with the threads, the garbage of reading and what else a mover
 * consists of, 160 MiB keep it below 512 MiB on a machine that is short of processors, too: one disk takes 144 MiB at most.
 * 24 MiB more are two groups of a restore's stream: with one it goes on, whatever backups hold.
 */
export const processBudget = new BufferBudget(160 * MiB, 24 * MiB)
