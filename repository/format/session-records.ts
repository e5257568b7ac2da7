import { bounds, PAGE_SHIFT } from './bounds.ts'
import { fromBase64url, fromHex, readU64, toBase64url, writeU64 } from './bytes.ts'
import { demand, unsupported } from './errors.ts'
import { checkEntry, PAGE_ENTRY, readPageEntry, writePageEntry, type ChunkEntry } from './page.ts'

const ENTRY = 8 + PAGE_ENTRY
const HOME = 40
/** packIdx is a u16 whose two highest values are reserved (§4.3). */
const MAX_ENTRY_PACKS = 0xfffe

/** A new chunk that a journal records (§7.1). */
export interface JournalEntry {
  readonly pageNo: number
  readonly entryNo: number
  readonly shift: number
  readonly chunk: ChunkEntry
}

/** Entries that a journal decided without a chunk, within one page. */
export interface JournalRun {
  readonly pageNo: number
  readonly entryNo: number
  readonly count: number
  readonly kind: 'zero' | 'unallocated'
}

/** A pack on which new blobs rely, with the best stamp known. */
export interface Home {
  readonly pack: string
  readonly stamp: number
}

export interface EncodedEntries {
  readonly entries: string
  readonly entryPacks: readonly string[]
}

/** §7.1: 52-byte records `pageNo u32 ‖ entryNo u16 ‖ shift u8 ‖ 0 u8 ‖ page entry 44`. */
export function encodeEntries(items: readonly JournalEntry[]): EncodedEntries {
  const entryPacks = [...new Set(items.map((item) => item.chunk.pack))].sort()
  demand(entryPacks.length <= MAX_ENTRY_PACKS, 'journal entries', `${entryPacks.length} packs`)
  const ordinal = new Map(entryPacks.map((pack, index) => [pack, index]))
  const bytes = Buffer.alloc(ENTRY * items.length)
  for (const [index, item] of items.entries()) {
    const at = ENTRY * index
    checkJournalEntry(item, index)
    bytes.writeUInt32LE(item.pageNo, at)
    bytes.writeUInt16LE(item.entryNo, at + 4)
    bytes.writeUInt8(item.shift, at + 6)
    writePageEntry(bytes, at + 8, item.chunk, ordinal.get(item.chunk.pack) ?? MAX_ENTRY_PACKS)
  }
  return { entries: toBase64url(bytes), entryPacks }
}

export function decodeEntries({ entries, entryPacks }: EncodedEntries): JournalEntry[] {
  const what = 'journal entries'
  const bytes = fromBase64url(entries, what)
  demand(bytes.length % ENTRY === 0, what, `${bytes.length} bytes`)
  demand(entryPacks.length <= MAX_ENTRY_PACKS, what, `${entryPacks.length} packs`)
  demandSorted(entryPacks, what)
  const used = new Uint8Array(entryPacks.length)
  const items: JournalEntry[] = []
  for (let at = 0; at < bytes.length; at += ENTRY) {
    const index = at / ENTRY
    if (bytes[at + 7] !== 0) throw unsupported(`journal entry ${index}`, 'reserved byte is not zero')
    const chunk = readPageEntry(bytes, at + 8, entryPacks, used, `journal entry ${index}`)
    demand(chunk.kind === 'chunk', `journal entry ${index}`, 'not a chunk')
    const item = {
      pageNo: bytes.readUInt32LE(at),
      entryNo: bytes.readUInt16LE(at + 4),
      shift: bytes.readUInt8(at + 6),
      chunk,
    }
    checkJournalEntry(item, index)
    items.push(item)
  }
  demand(!used.includes(0), what, 'a pack is not used by any entry')
  return items
}

/** §7.1: 40-byte records `pack 32 ‖ stamp u64`, sorted by pack. `homes` may come in any order. */
export function encodeHomes(homes: readonly Home[]): string {
  const sorted = [...homes].sort((a, b) => (a.pack < b.pack ? -1 : 1))
  const bytes = Buffer.alloc(HOME * sorted.length)
  for (const [index, home] of sorted.entries()) {
    bytes.set(fromHex(home.pack, 32, 'home'), HOME * index)
    writeU64(bytes, HOME * index + 32, home.stamp)
  }
  const text = toBase64url(bytes)
  decodeHomes(text)
  return text
}

export function decodeHomes(text: string): Home[] {
  const bytes = fromBase64url(text, 'homes')
  demand(bytes.length % HOME === 0, 'homes', `${bytes.length} bytes`)
  const homes: Home[] = []
  let last: string | undefined
  for (let at = 0; at < bytes.length; at += HOME) {
    const pack = bytes.toString('hex', at, at + 32)
    demand(last === undefined || last < pack, 'homes', 'out of order or a duplicate')
    last = pack
    homes.push({ pack, stamp: readU64(bytes, at + 32, 'homes') })
  }
  return homes
}

/** A run as `[pageNo, entryNo, count, kind]`, kind as in §6.5. */
export type RunTuple = readonly [number, number, number, number]

export function encodeRun(run: JournalRun): RunTuple {
  const tuple = [run.pageNo, run.entryNo, run.count, run.kind === 'zero' ? 1 : 2] as const
  decodeRun(tuple)
  return tuple
}

export function decodeRun([pageNo, entryNo, count, kind]: RunTuple): JournalRun {
  demand(kind === 1 || kind === 2, 'journal run', `kind ${kind}`)
  demand(pageNo < bounds.manifest.pagesPerDisk, 'journal run', `page ${pageNo}`)
  demand(count >= 1 && entryNo + count <= bounds.page.entries, 'journal run', `${count} entries from ${entryNo}`)
  return { pageNo, entryNo, count, kind: kind === 1 ? 'zero' : 'unallocated' }
}

/** Names sorted, without duplicates. */
export function demandSorted(names: readonly string[], what: string): void {
  for (let i = 1; i < names.length; i++) {
    demand((names[i - 1] ?? '') < (names[i] ?? ''), what, 'packs are out of order')
  }
}

function checkJournalEntry(item: JournalEntry, index: number): void {
  const what = `journal entry ${index}`
  demand(item.shift >= bounds.page.shiftMin && item.shift <= bounds.page.shiftMax, what, `chunk shift ${item.shift}`)
  demand(item.pageNo < bounds.manifest.pagesPerDisk, what, `page ${item.pageNo}`)
  demand(item.entryNo < 2 ** (PAGE_SHIFT - item.shift), what, `entry ${item.entryNo}`)
  checkEntry(item.chunk, item.shift, what)
}
