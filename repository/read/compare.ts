import { BLOB_OVERHEAD, chunkLength, pageEntryCount, CHUNK_SHIFT, type Page, type PageEntry } from '../format/index.ts'
import { throwIfAborted } from '../store/index.ts'
import type { ChangeFigures } from '../types.ts'
import type { ManifestDiskReader } from './disk-reader.ts'
import type { LoadedPoint } from './open-point.ts'

/** Pages that are read at the same time. */
const PARALLEL = 8
/** Of the pages that did not change, so many are read at most; what the disks held is an estimate above that. */
const MOST_UNCHANGED = 256

/** What compression keeps of a chunk that is text, code, a database or an office document, at most. */
const SOFT_SHARE = 0.8
/** Programs beside archives, as an upgrade writes them over what was deleted, come to 0.6 … 0.7; a chunk has turned if compression keeps so much of it now, and so much more than before. */
const TURNED_SHARE = 0.85
const TURNED_BY = 0.25

type Sums = { -readonly [name in keyof ChangeFigures]: ChangeFigures[name] }

/**
 * What became of each chunk between two points of a VM, from their pages alone: no chunk is read, and how either was made
 * (in full or incrementally, in how many attempts) does not matter. The length of a sealed chunk says how far it could be
 * compressed, which is what encryption takes away. Disks are those that both points have, as far as both reach.
 */
export async function comparePoints(
  before: LoadedPoint,
  after: LoadedPoint,
  signal: AbortSignal,
): Promise<ChangeFigures> {
  const sums = nothing()
  for (const { id } of after.info.disks) {
    if (before.info.disks.some((disk) => disk.id === id)) {
      await compareDisks(before.reader(id), after.reader(id), sums, signal)
    }
  }
  return sums
}

async function compareDisks(
  before: ManifestDiskReader,
  after: ManifestDiskReader,
  sums: Sums,
  signal: AbortSignal,
): Promise<void> {
  sums.comparedBytes += Math.min(before.info.bytes, after.info.bytes)
  const pages = Math.min(before.pageCount, after.pageCount)
  const numbers = Array.from({ length: pages }, (_, pageNo) => pageNo)
  const isSame = (pageNo: number): boolean => before.pageIdentity(pageNo) === after.pageIdentity(pageNo)
  const changed = numbers.filter((pageNo) => !isSame(pageNo))
  await each(changed, signal, async (pageNo) => {
    const [old, now] = await Promise.all([entriesOf(before, pageNo, signal), entriesOf(after, pageNo, signal)])
    compareEntries(old, now, sums)
  })
  const unchanged = numbers.filter((pageNo) => isSame(pageNo) && before.hasPage(pageNo))
  const read = evenly(unchanged, MOST_UNCHANGED)
  const held = nothing()
  await each(read, signal, async (pageNo) => {
    for (const chunk of await entriesOf(before, pageNo, signal)) countHeld(chunk, held)
  })
  const scale = read.length === 0 ? 0 : unchanged.length / read.length
  sums.heldBytes += Math.round(held.heldBytes * scale)
  sums.softBytes += Math.round(held.softBytes * scale)
}

/** A chunk as far as it matters here; null: a hole. */
type Chunk = { readonly id: Uint8Array; readonly length: number; readonly stored: number } | null

async function entriesOf(disk: ManifestDiskReader, pageNo: number, signal: AbortSignal): Promise<readonly Chunk[]> {
  // A page that is all hole has no blob.
  if (!disk.hasPage(pageNo)) {
    return new Array<Chunk>(pageEntryCount(disk.info.bytes, pageNo, CHUNK_SHIFT)).fill(null)
  }
  const page = await disk.page(pageNo, signal)
  return page.entries.map((entry, index) => chunkOf(disk, page, entry, index))
}

function chunkOf(disk: ManifestDiskReader, page: Page, entry: PageEntry, index: number): Chunk {
  if (entry.kind !== 'chunk') return null
  return { id: entry.id, length: chunkLength(disk.info.bytes, page, index), stored: entry.clen - BLOB_OVERHEAD }
}

function compareEntries(old: readonly Chunk[], now: readonly Chunk[], sums: Sums): void {
  for (let index = 0; index < Math.min(old.length, now.length); index++) {
    const was = old[index] ?? null
    const is = now[index] ?? null
    countHeld(was, sums)
    if (was === null && is !== null) {
      sums.addedBytes += is.length
      sums.addedStored += is.stored
      if (!isSoft(is)) sums.addedHardBytes += is.length
    } else if (was !== null && is === null) {
      sums.removedBytes += was.length
      if (isSoft(was)) sums.removedSoftBytes += was.length
    } else if (was !== null && is !== null && Buffer.compare(was.id, is.id) !== 0) {
      sums.rewrittenBytes += is.length
      sums.rewrittenStoredBefore += was.stored
      sums.rewrittenStored += is.stored
      if (hasTurned(was, is)) sums.turnedBytes += is.length
      if (!isSoft(was)) sums.rewrittenHardBytes += is.length
    }
  }
}

function countHeld(chunk: Chunk, sums: Sums): void {
  if (chunk === null) return
  sums.heldBytes += chunk.length
  if (isSoft(chunk)) sums.softBytes += chunk.length
}

function isSoft({ stored, length }: NonNullable<Chunk>): boolean {
  return stored <= SOFT_SHARE * length
}

function hasTurned(was: NonNullable<Chunk>, is: NonNullable<Chunk>): boolean {
  const share = is.stored / is.length
  return share >= TURNED_SHARE && share - was.stored / was.length >= TURNED_BY
}

function evenly(all: readonly number[], most: number): readonly number[] {
  if (all.length <= most) return all
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)] ?? 0)
}

async function each(
  numbers: readonly number[],
  signal: AbortSignal,
  work: (pageNo: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < numbers.length; from += PARALLEL) {
    throwIfAborted(signal)
    await Promise.all(numbers.slice(from, from + PARALLEL).map(work))
  }
}

function nothing(): Sums {
  return {
    comparedBytes: 0,
    heldBytes: 0,
    softBytes: 0,
    rewrittenBytes: 0,
    rewrittenStoredBefore: 0,
    rewrittenStored: 0,
    rewrittenHardBytes: 0,
    turnedBytes: 0,
    addedBytes: 0,
    addedStored: 0,
    addedHardBytes: 0,
    removedBytes: 0,
    removedSoftBytes: 0,
  }
}
