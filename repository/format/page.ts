import { BLOB_HEADER, BLOB_OVERHEAD, bounds, PAGE_BYTES, PAGE_SHIFT } from './bounds.ts'
import { buffer, isZero, packTable, readPackTable } from './bytes.ts'
import { demand } from './errors.ts'
import { PACK_HEADER } from './pack.ts'
import { record, u16, u32, u64, u8 } from './record.ts'

const HEADER = 32
export const PAGE_ENTRY = 44
const ZERO = 0xffff
const UNALLOCATED = 0xfffe

/** Where a blob was when the reference was written (§2: location, hint). */
export interface Location {
  /** 64 hex digits. */
  readonly pack: string
  readonly slot: number
  /** Offset of the blob header. */
  readonly off: number
  readonly clen: number
}
export type ChunkEntry = { readonly kind: 'chunk'; readonly id: Uint8Array } & Location
export type PageEntry = ChunkEntry | { readonly kind: 'zero' } | { readonly kind: 'unallocated' }

/** Map of 1 GiB of a disk: entry i covers `pageNo·2^30 + i·2^chunkShift` (§4.3). */
export interface Page {
  /** 16 … 22. */
  readonly chunkShift: number
  /** Disk offset ≫ 30. */
  readonly pageNo: number
  readonly entries: readonly PageEntry[]
}

/** §4.3, page header, 32 bytes. */
const header = record({
  what: 'page header',
  size: HEADER,
  magic: 'PAGE',
  version: { at: 4, bytes: 1 },
  flags: { at: 6, bytes: 2, known: 0 },
  reserved: [[24, 8]],
  fields: { chunkShift: u8(5), flags: u16(6), pageNo: u64(8), nEntries: u32(16), nPacks: u32(20) },
})

/** §4.3. Builds the pack table from the entries. A page that is all ZERO or all UNALLOCATED has no blob. */
export function encodePage(page: Page): Buffer {
  const packs = [...new Set(page.entries.flatMap((item) => (item.kind === 'chunk' ? [item.pack] : [])))].sort()
  const ordinal = new Map(packs.map((pack, index) => [pack, index]))
  const { chunkShift, pageNo, entries } = page
  const head = { chunkShift, flags: 0, pageNo, nEntries: entries.length, nPacks: packs.length }
  checkHeader(head)
  const [first] = entries
  demand(packs.length > 0 || entries.some((item) => item.kind !== first?.kind), 'page', 'all of one kind: has no blob')
  const whole = Buffer.alloc(HEADER + 32 * packs.length + PAGE_ENTRY * entries.length)
  header.encode(head).copy(whole)
  packTable(packs, 'page').copy(whole, HEADER)
  for (const [index, item] of entries.entries()) {
    const at = HEADER + 32 * packs.length + PAGE_ENTRY * index
    writePageEntry(whole, at, item, item.kind === 'chunk' ? (ordinal.get(item.pack) ?? -1) : 0)
    checkEntry(item, chunkShift, `page entry ${index}`)
  }
  return whole
}

/** Throws FormatError or FormatUnsupported. Ids are views into `bytes`. */
export function decodePage(bytes: Uint8Array): Page {
  demand(bytes.length >= bounds.page.min && bytes.length <= bounds.page.max, 'page', `${bytes.length} bytes`)
  const from = buffer(bytes)
  const head = header.decode(from)
  checkHeader(head)
  const { chunkShift, pageNo, nEntries, nPacks } = head
  const entriesAt = HEADER + 32 * nPacks
  demand(from.length === entriesAt + PAGE_ENTRY * nEntries, 'page', 'length and counts disagree')
  const packs = readPackTable(from.subarray(HEADER, entriesAt), 'page pack table')
  const used = new Uint8Array(nPacks)
  const entries: PageEntry[] = []
  for (let index = 0; index < nEntries; index++) {
    const what = `page entry ${index}`
    const item = readPageEntry(from, entriesAt + PAGE_ENTRY * index, packs, used, what)
    checkEntry(item, chunkShift, what)
    entries.push(item)
  }
  demand(!used.includes(0), 'page pack table', 'a pack is not used by any entry')
  return { chunkShift, pageNo, entries }
}

/** §4.3: number of entries of a page, from the size of its disk. */
export function pageEntryCount(diskBytes: number, pageNo: number, chunkShift: number): number {
  return Math.ceil(pageLength(diskBytes, pageNo) / 2 ** chunkShift)
}

/** Bytes of the disk that page `pageNo` covers. */
export function pageLength(diskBytes: number, pageNo: number): number {
  return Math.max(0, Math.min(PAGE_BYTES, diskBytes - pageNo * PAGE_BYTES))
}

/** §4.12: content length of entry `index` of a page. */
export function chunkLength(diskBytes: number, page: Pick<Page, 'pageNo' | 'chunkShift'>, index: number): number {
  const offset = page.pageNo * PAGE_BYTES + index * 2 ** page.chunkShift
  return Math.min(2 ** page.chunkShift, diskBytes - offset)
}

/** §17 step 5: the page is the one that the root entry `pageNo` of a disk of `diskBytes` stands for. */
export function checkPagePlace(page: Page, pageNo: number, diskBytes: number): void {
  demand(page.pageNo === pageNo, 'page', `page number ${page.pageNo} instead of ${pageNo}`)
  const expected = pageEntryCount(diskBytes, pageNo, page.chunkShift)
  demand(page.entries.length === expected, 'page', `${page.entries.length} entries instead of ${expected}`)
}

/** Writes the 44 bytes of a page entry; also part of the entry records of a session (§7.1). */
export function writePageEntry(into: Buffer, at: number, item: PageEntry, packIdx: number): void {
  if (item.kind !== 'chunk') {
    into.fill(0, at, at + PAGE_ENTRY)
    into.writeUInt16LE(item.kind === 'zero' ? ZERO : UNALLOCATED, at + 32)
    return
  }
  demand(item.id.length === 32, 'page entry', 'the id has not 32 bytes')
  into.set(item.id, at)
  into.writeUInt16LE(packIdx, at + 32)
  into.writeUInt16LE(item.slot, at + 34)
  into.writeUInt32LE(item.off, at + 36)
  into.writeUInt32LE(item.clen, at + 40)
}

/** The inverse; marks the pack it uses in `used`. */
export function readPageEntry(
  from: Buffer,
  at: number,
  packs: readonly string[],
  used: Uint8Array,
  what: string,
): PageEntry {
  const packIdx = from.readUInt16LE(at + 32)
  if (packIdx === ZERO || packIdx === UNALLOCATED) {
    const blank = isZero(from.subarray(at, at + 32)) && isZero(from.subarray(at + 34, at + PAGE_ENTRY))
    demand(blank, what, 'an entry without a chunk is not blank')
    return { kind: packIdx === ZERO ? 'zero' : 'unallocated' }
  }
  const pack = packs[packIdx]
  demand(pack !== undefined, what, `pack ${packIdx} of ${packs.length}`)
  used[packIdx] = 1
  const slot = from.readUInt16LE(at + 34)
  const off = from.readUInt32LE(at + 36)
  const clen = from.readUInt32LE(at + 40)
  return { kind: 'chunk', id: from.subarray(at, at + 32), pack, slot, off, clen }
}

/** §4.12 as far as a location can be checked without its pack. `ulenMax`: the longest content that may lie there. */
export function checkLocation(at: Omit<Location, 'pack'>, ulenMax: number, what: string): void {
  demand(at.slot < bounds.pack.blobs, what, `slot ${at.slot}`)
  demand(at.clen >= bounds.blob.clenMin && at.clen <= BLOB_OVERHEAD + ulenMax, what, `ciphertext length ${at.clen}`)
  demand(at.off >= PACK_HEADER && at.off + BLOB_HEADER + at.clen <= bounds.pack.max, what, `offset ${at.off}`)
}

export function checkEntry(item: PageEntry, chunkShift: number, what: string): void {
  if (item.kind === 'chunk') checkLocation(item, 2 ** chunkShift, what)
}

function checkHeader(head: { chunkShift: number; pageNo: number; nEntries: number; nPacks: number }): void {
  const { chunkShift, pageNo, nEntries, nPacks } = head
  demand(chunkShift >= bounds.page.shiftMin && chunkShift <= bounds.page.shiftMax, 'page', `chunk shift ${chunkShift}`)
  demand(pageNo < bounds.manifest.pagesPerDisk, 'page', `page number ${pageNo}`)
  demand(nEntries >= 1 && nEntries <= 2 ** (PAGE_SHIFT - chunkShift), 'page', `${nEntries} entries`)
  demand(nPacks <= nEntries, 'page', `${nPacks} packs for ${nEntries} entries`)
}
