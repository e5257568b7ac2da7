import { MiB } from '../../base/index.ts'
import { BLOB_HEADER, BLOB_OVERHEAD } from '../format/index.ts'
import { cancelled } from '../store/index.ts'
import type { BufferBudget, Grant, GrantWish } from '../workers/index.ts'

/** Memory of one pack. `release(false)`: something may still use it, so nobody gets it again. */
export interface PackMemory {
  readonly bytes: Uint8Array
  release(reusable: boolean): void
}

/** Memory of one chunk, big enough for its sealed blob. */
export interface Slot {
  readonly bytes: Uint8Array
  release(reusable: boolean): void
}

/** Packs that one part puts at the same time, if the budget has room (rulings 9). */
const PARALLEL_PUTS = 3
/** Chunks that are read ahead of the last one that was placed: what goes on while packs are closed for a journal, and is read again after a kill. */
export const READ_AHEAD = 24

/**
 * The buffers of one attempt: what it needs to go on (a pack, some chunks) is granted at once before it starts; further
 * packs are taken while the budget has room. So attempts that share a budget cannot wait for each other.
 */
export class PartBuffers {
  readonly #budget: BufferBudget
  readonly #grant: Grant
  readonly #packBytes: number
  readonly #slotBytes: number
  readonly #mostExtraSlots: number
  #freeSlots: number
  /** Of the chunks beyond the part's own that are under way; what fails never comes back by itself. */
  readonly #extraSlots = new Set<Grant>()
  #ownPackInUse = false
  #extraPacks = 0
  readonly #signal: AbortSignal
  readonly #waiting: (() => void)[] = []

  private constructor(budget: BufferBudget, grant: Grant, sizes: BufferSizes, signal: AbortSignal) {
    this.#budget = budget
    this.#grant = grant
    this.#packBytes = sizes.pack
    this.#slotBytes = slotBytes(sizes.chunk)
    this.#freeSlots = sizes.slots
    this.#mostExtraSlots = Math.max(0, READ_AHEAD - sizes.slots)
    this.#signal = signal
  }

  static async acquire(
    budget: BufferBudget,
    sizes: BufferSizes,
    signal: AbortSignal,
    wish?: GrantWish,
  ): Promise<PartBuffers> {
    const grant = await budget.acquire(sizes.pack + sizes.slots * slotBytes(sizes.chunk) + sizes.extra, signal, wish)
    return new PartBuffers(budget, grant, sizes, signal)
  }

  async takeSlot(): Promise<Slot> {
    for (;;) {
      this.#throwIfAborted()
      const own = this.#freeSlots > 0
      const extra = own ? undefined : this.#extraSlot()
      if (own || extra !== undefined) {
        if (own) this.#freeSlots -= 1
        const memory = this.#budget.lend(this.#slotBytes)
        return {
          bytes: memory,
          release: once((reusable) => {
            if (reusable) this.#budget.giveBack(memory)
            if (own) this.#freeSlots += 1
            if (extra !== undefined) this.#releaseSlot(extra)
            this.#wake()
          }),
        }
      }
      await this.#change()
    }
  }

  async takePack(): Promise<PackMemory> {
    for (;;) {
      this.#throwIfAborted()
      const own = !this.#ownPackInUse
      const extra = own ? undefined : this.#extraPack()
      if (own || extra !== undefined) {
        if (own) this.#ownPackInUse = true
        else this.#extraPacks += 1
        const memory = this.#budget.lend(this.#packBytes)
        return {
          bytes: memory,
          release: once((reusable) => {
            if (reusable) this.#budget.giveBack(memory)
            if (own) this.#ownPackInUse = false
            else this.#extraPacks -= 1
            extra?.release()
            this.#wake()
          }),
        }
      }
      await this.#change()
    }
  }

  release(): void {
    for (const extra of this.#extraSlots) this.#releaseSlot(extra)
    this.#grant.release()
  }

  #extraPack(): Grant | undefined {
    return this.#extraPacks < PARALLEL_PUTS ? this.#budget.tryAcquire(this.#packBytes) : undefined
  }

  #extraSlot(): Grant | undefined {
    if (this.#extraSlots.size >= this.#mostExtraSlots) return undefined
    const extra = this.#budget.tryAcquire(this.#slotBytes)
    if (extra !== undefined) this.#extraSlots.add(extra)
    return extra
  }

  #releaseSlot(extra: Grant): void {
    this.#extraSlots.delete(extra)
    extra.release()
  }

  /** Resolves when something has come back. */
  async #change(): Promise<void> {
    this.#throwIfAborted()
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#signal.addEventListener('abort', wake, { once: true })
      this.#waiting.push(wake)
    })
    this.#throwIfAborted()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #throwIfAborted(): void {
    if (this.#signal.aborted) throw cancelled(this.#signal)
  }
}

export interface BufferSizes {
  readonly pack: number
  readonly chunk: number
  readonly slots: number
  /** Bytes used besides: pages on their way to a meta pack, what was resumed. */
  readonly extra: number
}

/** Sealed, a chunk that does not compress is a little longer than its content. */
function slotBytes(chunk: number): number {
  return Math.ceil((chunk + BLOB_HEADER + BLOB_OVERHEAD) / 4096) * 4096
}

/** What an attempt of a part takes for sure; `resumed`: what it holds of its earlier attempts. */
export function partSizes(packTarget: number, chunk: number, threads: number, resumed: number): BufferSizes {
  const slots = Math.min(24, Math.max(8, 4 * threads))
  return { pack: packTarget, chunk, slots, extra: 8 * MiB + resumed }
}

function once(work: (reusable: boolean) => void): (reusable: boolean) => void {
  let done = false
  return (reusable) => {
    if (done) return
    done = true
    work(reusable)
  }
}
