import {
  BLOB_HEADER,
  CHUNK_SHIFT,
  formatError,
  PAGE_BYTES,
  type JournalEntry,
  type JournalRun,
} from '../format/index.ts'

/** Entries of a page of chunks of the size that this version writes. */
const ENTRIES = PAGE_BYTES / 2 ** CHUNK_SHIFT
const UNDECIDED = 0
const CHUNK = 1
const holes = ['zero', 'unallocated'] as const
/** Kind of the first of `holes`. */
const HOLE = 2

export interface ResumedChunk {
  readonly entryNo: number
  readonly id: Uint8Array
  readonly pack: string
  readonly slot: number
  readonly off: number
  readonly clen: number
}

/** What is known of the entries of one page: 47 KiB, however many of them are decided. */
class DecidedPage {
  readonly kinds = new Uint8Array(ENTRIES)
  readonly packs = new Uint32Array(ENTRIES)
  readonly slots = new Uint16Array(ENTRIES)
  readonly offs = new Uint32Array(ENTRIES)
  readonly clens = new Uint32Array(ENTRIES)
  readonly ids = new Uint8Array(32 * ENTRIES)

  get bytes(): number {
    const { kinds, packs, slots, offs, clens, ids } = this
    return [kinds, packs, slots, offs, clens, ids].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }
}

/**
 * Entries that the journals of a part have decided (§7.6). A part of 256 GiB has 262,144: they are kept in packed tables,
 * 12 MiB, and become objects page by page as they are used.
 */
export class ResumedPages {
  readonly #pages = new Map<number, DecidedPage>()
  readonly #packNames: string[] = []
  readonly #packNumbers = new Map<string, number>()

  /** Bytes of the tables. */
  get bytes(): number {
    let sum = 0
    for (const page of this.#pages.values()) sum += page.bytes
    return sum
  }

  has(pageNo: number): boolean {
    return this.#pages.has(pageNo)
  }

  pageNumbers(): Iterable<number> {
    return this.#pages.keys()
  }

  addChunk({ pageNo, entryNo, chunk }: JournalEntry): void {
    const page = this.#page(pageNo, entryNo, 1)
    page.kinds[entryNo] = CHUNK
    page.packs[entryNo] = this.#packNumber(chunk.pack)
    page.slots[entryNo] = chunk.slot
    page.offs[entryNo] = chunk.off
    page.clens[entryNo] = chunk.clen
    page.ids.set(chunk.id, 32 * entryNo)
  }

  /** A chunk counts over a hole, whichever comes first. */
  addRun({ pageNo, entryNo, count, kind }: JournalRun): void {
    const { kinds } = this.#page(pageNo, entryNo, count)
    for (let entry = entryNo; entry < entryNo + count; entry++) {
      if (kinds[entry] !== CHUNK) kinds[entry] = HOLE + holes.indexOf(kind)
    }
  }

  *chunks(pageNo: number): Generator<ResumedChunk> {
    const page = this.#pages.get(pageNo)
    if (page === undefined) return
    for (const [entryNo, kind] of page.kinds.entries()) {
      if (kind !== CHUNK) continue
      const [pack, slot, off, clen] = [page.packs, page.slots, page.offs, page.clens].map((each) => each[entryNo] ?? 0)
      const id = page.ids.slice(32 * entryNo, 32 * entryNo + 32)
      yield { entryNo, id, pack: this.#packNames[pack ?? 0] ?? '', slot: slot ?? 0, off: off ?? 0, clen: clen ?? 0 }
    }
  }

  *runs(pageNo: number): Generator<JournalRun> {
    const kinds = this.#pages.get(pageNo)?.kinds ?? []
    for (let entryNo = 0; entryNo < kinds.length;) {
      const code = kinds[entryNo] ?? UNDECIDED
      let end = entryNo + 1
      while (end < kinds.length && kinds[end] === code) end += 1
      const kind = holes[code - HOLE]
      if (kind !== undefined) yield { pageNo, entryNo, count: end - entryNo, kind }
      entryNo = end
    }
  }

  /** The first of `count` entries of a page that no journal decided; undefined if there is none. */
  firstUndecided(pageNo: number, count: number): number | undefined {
    const first = this.#pages.get(pageNo)?.kinds.indexOf(UNDECIDED) ?? 0
    return first >= 0 && first < count ? first : undefined
  }

  /** Stored bytes of the distinct blobs in packs that `isOwn` takes. */
  storedBytes(isOwn: (pack: string) => boolean): number {
    const own = this.#packNames.map(isOwn)
    const seen = new Map<number, Uint8Array>()
    let bytes = 0
    for (const { kinds, packs, slots, clens } of this.#pages.values()) {
      for (let entry = 0; entry < ENTRIES; entry++) {
        const pack = packs[entry] ?? 0
        if (kinds[entry] !== CHUNK || own[pack] !== true) continue
        if (isNew(seen, pack, slots[entry] ?? 0)) bytes += BLOB_HEADER + (clens[entry] ?? 0)
      }
    }
    return bytes
  }

  #page(pageNo: number, entryNo: number, count: number): DecidedPage {
    if (entryNo + count > ENTRIES) throw formatError('journal', `page ${pageNo} has no entry ${entryNo + count - 1}`)
    const page = this.#pages.get(pageNo) ?? new DecidedPage()
    this.#pages.set(pageNo, page)
    return page
  }

  #packNumber(pack: string): number {
    let number = this.#packNumbers.get(pack)
    if (number === undefined) {
      number = this.#packNames.push(pack) - 1
      this.#packNumbers.set(pack, number)
    }
    return number
  }
}

/** Marks a slot of a pack; one bit for each. */
function isNew(seen: Map<number, Uint8Array>, pack: number, slot: number): boolean {
  let bits = seen.get(pack) ?? new Uint8Array(16)
  if (slot >> 3 >= bits.length) {
    const larger = new Uint8Array(Math.max(2 * bits.length, (slot >> 3) + 1))
    larger.set(bits)
    bits = larger
  }
  seen.set(pack, bits)
  const mask = 1 << (slot & 7)
  const byte = bits[slot >> 3] ?? 0
  bits[slot >> 3] = byte | mask
  return (byte & mask) === 0
}
