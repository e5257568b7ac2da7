import { isHoldfastError } from '../../base/index.ts'
import { buffer, names, TOC_ENTRY } from '../format/index.ts'
import { LruCache } from '../read/lru.ts'
import { readPackTail } from '../read/pack-tail.ts'
import type { Rereader } from './reread.ts'

const CACHE_BYTES = 32 * 1024 * 1024

/** One blob as its pack's TOC has it, found by its slot. */
export interface TocFacts {
  readonly count: number
  /** 56 bytes for each slot, as they stand. */
  readonly toc: Buffer
}

export type TocState =
  | ({ readonly state: 'sound' } & TocFacts)
  | { readonly state: 'absent' }
  | { readonly state: 'damaged' | 'unreadable'; readonly why: string }

/** TOCs of packs by name, the most recently used kept: the pages of a disk name the same packs again and again. */
export class PackTocs {
  readonly #reread: Rereader
  readonly #signal: AbortSignal
  readonly #cache = new LruCache<TocState>(CACHE_BYTES)

  constructor(reread: Rereader, signal: AbortSignal) {
    this.#reread = reread
    this.#signal = signal
  }

  async get(pack: string): Promise<TocState> {
    const known = this.#cache.get(pack)
    if (known !== undefined) return known
    const state = await this.#read(pack)
    this.#cache.set(pack, state, state.state === 'sound' ? state.toc.length + 100 : 200)
    return state
  }

  async #read(pack: string): Promise<TocState> {
    const reading = await this.#reread.read(names.pack(pack), async (store) => {
      const info = await store.head(names.pack(pack))
      return info === undefined ? undefined : await readPackTail(store, pack, info.size, this.#signal)
    })
    if (reading.sound) {
      if (reading.value === undefined) return { state: 'absent' }
      const { footer, entries } = reading.value
      const toc = Buffer.alloc(TOC_ENTRY * footer.count)
      for (const [slot, { id, off, clen, ulen, type }] of entries.entries()) {
        const at = TOC_ENTRY * slot
        toc.set(id, at)
        for (const [index, value] of [off, clen, ulen, type].entries()) toc.writeUInt32LE(value, at + 32 + 4 * index)
      }
      return { state: 'sound', count: footer.count, toc }
    }
    const { error, proved } = reading
    if (isHoldfastError(error) && error.code === 'ObjectAbsent') return { state: 'absent' }
    return { state: proved ? 'damaged' : 'unreadable', why: error.message }
  }
}

/** What the TOC says of a slot; undefined beyond its end. */
export function tocSlot(
  { toc, count }: TocFacts,
  slot: number,
):
  | { readonly id: Buffer; readonly off: number; readonly clen: number; readonly ulen: number; readonly type: number }
  | undefined {
  if (slot >= count) return undefined
  const at = TOC_ENTRY * slot
  const [off, clen, ulen, type] = [0, 4, 8, 12].map((field) => toc.readUInt32LE(at + 32 + field))
  return { id: buffer(toc).subarray(at, at + 32), off: off ?? 0, clen: clen ?? 0, ulen: ulen ?? 0, type: type ?? 0 }
}
