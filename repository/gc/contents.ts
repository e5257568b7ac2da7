import { HoldfastError } from '../../base/index.ts'
import {
  BLOB_PAGE,
  bounds,
  packSizeOf,
  SEGMENT_ENTRY,
  SEGMENT_PACK,
  type SegmentEntry,
  type SegmentHeader,
  type SegmentPack,
  type TocEntry,
} from '../format/index.ts'
import type { SegmentFile } from '../index-view/index.ts'
import { inParallel, throwIfAborted } from '../store/index.ts'
import { Bits } from './bits.ts'
import { packFlag, type PackTable } from './pack-table.ts'
import { SegmentBatch } from './segment-batch.ts'

/** An index segment as a collection reads it: entry by entry in passes, or by id. */
export interface SegmentSource {
  readonly header: Pick<SegmentHeader, 'level' | 'nEntries' | 'nPacks' | 'stampEpoch' | 'prefix' | 'prefixBits'>
  rawEntries(): Iterable<Buffer>
  rawPacks(): Iterable<Buffer>
  lookup(id: Uint8Array): Iterable<SegmentEntry>
  pack(ordinal: number): SegmentPack
}

/** The table of contents of a pack, or why it is not known: a note for people. */
export type TocReading =
  | { readonly known: true; readonly entries: readonly TocEntry[] }
  | { readonly known: false; readonly why: string }

export interface ContentsSources {
  /** What the index says; stays the caller's. */
  readonly segments: readonly SegmentSource[]
  /** Reads the table of contents of a pack of the listing from its end (§4.2). */
  readonly readToc: (pack: string, size: number) => Promise<TocReading>
  /** Keeps a segment that nobody else sees. */
  readonly unlisted: (content: Uint8Array) => Promise<SegmentFile>
  readonly repo: string
  readonly clock: () => number
  readonly signal: AbortSignal
}

interface Kept {
  readonly sha: string
  readonly why: string
}

/** TOCs that are read at the same time. */
const PARALLEL = 8
/** Windows after which other work gets its turn. */
const BREATH = 16
const NOT_LISTED = 0xffffffff

/**
 * What is in which pack (§9.3): from the index where it accounts for every byte of a pack, else from the pack's own table of
 * contents. Gives every slot of every pack a number, so that marks are bits. 4 bytes a pack beyond the bits.
 */
export class Contents implements Disposable {
  readonly table: PackTable
  /** Everything known, by id or in passes: the index and what was read from packs. */
  readonly segments: readonly SegmentSource[]
  /** Only what was read from packs: no index knows it, or not all of it. */
  readonly unindexed: readonly SegmentFile[]
  /** Packs whose contents are not known, and why. */
  readonly notes: readonly string[]
  /** One of them. */
  readonly unknown: string | undefined
  /** Number of the first slot of each pack, and after the last one their sum. */
  readonly #first: Uint32Array

  private constructor(
    table: PackTable,
    segments: readonly SegmentSource[],
    unindexed: readonly SegmentFile[],
    kept: readonly Kept[],
    first: Uint32Array,
  ) {
    this.table = table
    this.segments = segments
    this.unindexed = unindexed
    this.notes = kept.map(({ sha, why }) => `pack ${sha} is kept: ${why}`)
    this.unknown = kept[0]?.sha
    this.#first = first
  }

  static async read(table: PackTable, sources: ContentsSources): Promise<Contents> {
    const { segments, signal } = sources
    const slots = await countSlots(table, segments, signal)
    const incomplete = await incompletePacks(table, segments, signal, slots)
    const unindexed: SegmentFile[] = []
    const kept: Kept[] = []
    try {
      await readTocs(table, incomplete, sources, { slots, unindexed, kept })
    } catch (error) {
      for (const segment of unindexed) segment[Symbol.dispose]()
      throw error
    }
    return new Contents(table, [...segments, ...unindexed], unindexed, kept, firstSlots(slots))
  }

  [Symbol.dispose](): void {
    for (const segment of this.unindexed) segment[Symbol.dispose]()
  }

  /** Of all packs together. */
  get slots(): number {
    return this.#first[this.table.count] ?? 0
  }

  slotsOf(ordinal: number): number {
    return this.from(ordinal + 1) - this.from(ordinal)
  }

  /** Number of a pack's first slot. */
  from(ordinal: number): number {
    return this.#first[ordinal] ?? 0
  }

  /** Every slot that is known, some more than once: as often as segments name it. */
  async each(signal: AbortSignal, visit: (ordinal: number, slot: number, clen: number) => void): Promise<void> {
    await eachEntry(this.table, this.segments, signal, visit)
  }
}

async function eachEntry(
  table: PackTable,
  segments: readonly SegmentSource[],
  signal: AbortSignal,
  visit: (ordinal: number, slot: number, clen: number) => void,
): Promise<void> {
  let windows = 0
  for (const segment of segments) {
    const ordinals = ordinalsOf(table, segment)
    for (const window of segment.rawEntries()) {
      for (let at = 0; at < window.length; at += SEGMENT_ENTRY) {
        const ordinal = ordinals[window.readUInt32LE(at + 32)]
        const slot = window.readUInt16LE(at + 44)
        // What is not listed is gone; what is out of bounds leaves its pack incomplete, which is then read itself.
        if (ordinal === undefined || ordinal === NOT_LISTED || slot >= bounds.pack.blobs) continue
        visit(ordinal, slot, window.readUInt32LE(at + 40))
      }
      if (++windows % BREATH !== 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      throwIfAborted(signal)
    }
  }
}

/** Ordinal in the listing of each pack of a segment's table; both are in the order of names. */
export function ordinalsOf(table: PackTable, segment: SegmentSource): Uint32Array {
  const ordinals = new Uint32Array(segment.header.nPacks).fill(NOT_LISTED)
  let index = 0
  let from = 0
  for (const window of segment.rawPacks()) {
    for (let at = 0; at < window.length; at += SEGMENT_PACK) {
      from = table.lowerBound(window, at, from)
      if (from < table.count && table.isAt(from, window, at)) ordinals[index] = from
      index += 1
    }
  }
  return ordinals
}

/** Number of slots of each pack, as far as the index knows them. */
async function countSlots(
  table: PackTable,
  segments: readonly SegmentSource[],
  signal: AbortSignal,
): Promise<Uint16Array> {
  const slots = new Uint16Array(table.count)
  await eachEntry(table, segments, signal, (ordinal, slot) => {
    if (slot >= (slots[ordinal] ?? 0)) slots[ordinal] = slot + 1
  })
  return slots
}

/** Packs of which the index does not account for every byte (§9.3). Each slot counts once, however many segments name it. */
export async function incompletePacks(
  table: PackTable,
  segments: readonly SegmentSource[],
  signal: AbortSignal,
  counted?: Uint16Array,
): Promise<number[]> {
  const slots = counted ?? (await countSlots(table, segments, signal))
  const first = firstSlots(slots)
  const seen = new Bits(first[table.count] ?? 0)
  const known = new Uint32Array(table.count)
  const perBlob = packSizeOf([{ clen: 0 }]) - packSizeOf([])
  await eachEntry(table, segments, signal, (ordinal, slot, clen) => {
    if (seen.set((first[ordinal] ?? 0) + slot)) known[ordinal] = (known[ordinal] ?? 0) + perBlob + clen
  })
  const incomplete: number[] = []
  for (let ordinal = 0; ordinal < table.count; ordinal++) {
    // The dead are not homes and are not condemned again.
    if (table.has(ordinal, packFlag.final)) continue
    if ((known[ordinal] ?? 0) + packSizeOf([]) !== table.size(ordinal)) incomplete.push(ordinal)
  }
  return incomplete
}

async function readTocs(
  table: PackTable,
  ordinals: readonly number[],
  sources: ContentsSources,
  into: { readonly slots: Uint16Array; readonly unindexed: SegmentFile[]; readonly kept: Kept[] },
): Promise<void> {
  const { repo, clock, readToc, unlisted, signal } = sources
  const batch = new SegmentBatch({ repo, stampEpoch: 0, producer: '0'.repeat(32) }, clock, async (content) => {
    into.unindexed.push(await unlisted(content))
  })
  await inParallel(ordinals, PARALLEL, async (ordinal) => {
    throwIfAborted(signal)
    const sha = table.name(ordinal)
    const size = table.size(ordinal)
    const toc = await readToc(sha, size)
    if (!toc.known) {
      table.flag(ordinal, packFlag.unknown)
      into.kept.push({ sha, why: toc.why })
      return
    }
    into.slots[ordinal] = toc.entries.length
    await batch.add({ sha, size, lockUntilDay: 0, meta: toc.entries[0]?.type === BLOB_PAGE }, toc.entries)
  })
  await batch.close()
}

function firstSlots(slots: Uint16Array): Uint32Array {
  const first = new Uint32Array(slots.length + 1)
  let sum = 0
  for (const [ordinal, count] of slots.entries()) {
    first[ordinal] = sum
    sum += count
  }
  if (sum > 0xffffffff)
    throw new HoldfastError('CollectionAborted', `the index names ${sum} blobs, more than a run can mark`)
  first[slots.length] = sum
  return first
}
