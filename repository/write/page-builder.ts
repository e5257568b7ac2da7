import { toHex, type ChunkEntry, type Page, type PageEntry } from '../format/index.ts'
import type { Placed } from './pack-builder.ts'

/** A chunk of a page that is being built; its pack may not have its name yet. */
interface OpenChunk {
  readonly kind: 'chunk'
  readonly id: Uint8Array
  readonly placed: Placed
}
type OpenEntry = OpenChunk | { readonly kind: 'zero' } | { readonly kind: 'unallocated' }

/** Collects the entries of one page of a part (§4.3). */
export class PageBuilder {
  readonly pageNo: number
  readonly chunkShift: number
  /** Of the parent, whose entries stand where nothing else is set; its ids are views into its bytes. */
  readonly parent: Page | undefined
  readonly #entries: (OpenEntry | undefined)[]
  /** Whether an entry names another place than the parent's for the same id (§6.7). */
  #hintReplaced = false

  constructor(pageNo: number, chunkShift: number, count: number, parent: Page | undefined) {
    this.pageNo = pageNo
    this.chunkShift = chunkShift
    this.parent = parent
    this.#entries = new Array<OpenEntry | undefined>(count).fill(undefined)
  }

  get count(): number {
    return this.#entries.length
  }

  isSet(index: number): boolean {
    return this.#entries[index] !== undefined
  }

  setHole(index: number, count: number, kind: 'zero' | 'unallocated'): void {
    this.#entries.fill({ kind }, index, index + count)
  }

  setChunk(index: number, id: Uint8Array, placed: Placed): void {
    this.#entries[index] = { kind: 'chunk', id, placed }
  }

  /** First entry that is decided by nobody; `count` if there is none. */
  firstUndecided(): number {
    const index = this.#entries.findIndex((entry) => entry === undefined)
    return this.parent !== undefined || index < 0 ? this.count : index
  }

  /** After the packs of all its chunks have their names. */
  finish(): { readonly page: Page; readonly hintReplaced: boolean } {
    const entries = this.#entries.map((entry, index) => this.#finished(entry, index))
    return { page: { chunkShift: this.chunkShift, pageNo: this.pageNo, entries }, hintReplaced: this.#hintReplaced }
  }

  #finished(entry: OpenEntry | undefined, index: number): PageEntry {
    const inherited = this.parent?.entries[index]
    if (entry === undefined) {
      if (inherited === undefined) throw new TypeError(`entry ${index} of page ${this.pageNo} is not decided`)
      return inherited
    }
    if (entry.kind !== 'chunk') return entry
    const chunk = namedChunk(entry.id, entry.placed)
    if (inherited?.kind === 'chunk' && toHex(inherited.id) === toHex(entry.id)) {
      if (inherited.pack !== chunk.pack || inherited.slot !== chunk.slot) this.#hintReplaced = true
    }
    return chunk
  }
}

export function namedChunk(id: Uint8Array, { pack, slot, off, clen }: Placed): ChunkEntry {
  if (pack.name === undefined) throw new TypeError('the pack of a chunk has no name yet')
  return { kind: 'chunk', id, pack: pack.name, slot, off, clen }
}
