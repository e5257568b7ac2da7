import { isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_HEADER,
  BLOB_PAGE,
  bounds,
  names,
  PACK_FOOTER,
  packSizeOf,
  scanPack,
  TOC_ENTRY,
  type PackTail,
  type TocEntry,
} from '../format/index.ts'
import { readPackTail } from '../read/pack-tail.ts'
import type { Rereader } from '../verify/reread.ts'
import type { TocReading } from './contents.ts'

/** How the contents of a pack were found. `scanned`: its tail is lost; `whole` if the blobs account for all of it. */
export type FoundContents =
  | { readonly how: 'toc'; readonly entries: readonly TocEntry[] }
  | { readonly how: 'scanned'; readonly entries: readonly TocEntry[]; readonly whole: boolean; readonly why: string }
  | { readonly how: 'none'; readonly why: string; readonly proved: boolean }

/** Reads tables of contents from the packs themselves (§4.2), every failure three times before it is believed (§12.2). */
export class TocReader {
  readonly #engine: Engine
  readonly #reread: Rereader
  readonly #signal: AbortSignal

  constructor(engine: Engine, reread: Rereader, signal: AbortSignal) {
    this.#engine = engine
    this.#reread = reread
    this.#signal = signal
  }

  /** The table of a pack; one whose tail is damaged or foreign is not collected by it (§4.2, §9.3). */
  async read(pack: string, size: number): Promise<TocReading> {
    const tail = await this.#tail(pack, size)
    if (!tail.sound) {
      const { code, message } = tail.error
      if (code === 'ObjectAbsent') return { known: false, why: 'it is gone since it was listed' }
      return { known: false, why: `its table of contents cannot be ${tail.proved ? 'used' : 'read now'}: ${message}` }
    }
    const { footer, entries } = tail.value
    if (footer.repo === this.#engine.ring.repo) return { known: true, entries }
    return { known: false, why: `its footer is that of repository ${footer.repo}` }
  }

  /** As read; where the tail is damaged or foreign, the whole pack is scanned for its blobs. */
  async find(pack: string, size: number): Promise<FoundContents> {
    const tail = await this.#tail(pack, size)
    if (tail.sound && tail.value.footer.repo === this.#engine.ring.repo) {
      return { how: 'toc', entries: tail.value.entries }
    }
    if (!tail.sound && (!tail.proved || tail.error.code === 'ObjectAbsent')) {
      return { how: 'none', why: tail.error.message, proved: tail.proved }
    }
    const why = tail.sound ? `its footer is that of repository ${tail.value.footer.repo}` : tail.error.message
    const entries = await this.#scan(pack, size)
    if (entries.length === 0) return { how: 'none', why: `${why}; a scan finds no blob`, proved: true }
    return { how: 'scanned', entries, whole: packSizeOf(entries) === size, why }
  }

  /** Blobs of a pack without a usable tail, as far as an index segment can name them. */
  async #scan(pack: string, size: number): Promise<TocEntry[]> {
    if (size < bounds.pack.min || size > bounds.pack.max) return []
    const { budget, store } = this.#engine
    const grant = await budget.acquire(Math.min(size, budget.limit), this.#signal)
    try {
      const found = scanPack(await store.getRange(names.pack(pack), 0, size, this.#signal))
      const isMeta = found[0]?.type === BLOB_PAGE
      return found
        .filter(({ type }) => (type === BLOB_PAGE) === isMeta)
        .filter(({ off, clen }, slot) => off + BLOB_HEADER + clen <= size - PACK_FOOTER - TOC_ENTRY * (slot + 1))
        .map((entry) => ({ ...entry, id: Buffer.from(entry.id) }))
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'FormatError') return []
      throw error
    } finally {
      grant.release()
    }
  }

  async #tail(pack: string, size: number) {
    return await this.#reread.read<PackTail>(names.pack(pack), async (store) => {
      return await readPackTail(store, pack, size, this.#signal)
    })
  }
}
