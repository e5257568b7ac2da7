import type { SegmentPack, TocEntry } from '../format/index.ts'
import type { SegmentFile } from '../index-view/index.ts'

/** One pack as one segment has it. */
export interface IndexedPack {
  readonly segment: SegmentFile
  readonly ordinal: number
  readonly pack: SegmentPack
}

interface Cursor {
  readonly segment: SegmentFile
  ordinal: number
  pack: SegmentPack | undefined
}

/**
 * The pack tables of all segments as one ascending list, so that they can be laid beside a listing of `pack/`, which is in
 * the same order: memory is one cursor for each segment, whatever the number of packs.
 */
export class IndexedPacks {
  readonly #cursors: Cursor[]

  constructor(segments: readonly SegmentFile[]) {
    this.#cursors = segments.map((segment) => ({ segment, ordinal: -1, pack: undefined }))
    for (const cursor of this.#cursors) advance(cursor)
  }

  /** Packs before `pack` in the order of names that have not been taken yet; with undefined, all that are left. */
  *before(pack: string | undefined): Generator<IndexedPack[]> {
    for (let next = this.#least(); next !== undefined && (pack === undefined || next < pack); next = this.#least()) {
      yield this.take(next)
    }
  }

  /** Every segment's entry for this pack, which must be the next one. */
  take(pack: string): IndexedPack[] {
    const taken: IndexedPack[] = []
    for (const cursor of this.#cursors) {
      if (cursor.pack?.sha !== pack) continue
      taken.push({ segment: cursor.segment, ordinal: cursor.ordinal, pack: cursor.pack })
      advance(cursor)
    }
    return taken
  }

  #least(): string | undefined {
    let least: string | undefined
    for (const { pack } of this.#cursors)
      if (pack !== undefined && (least === undefined || pack.sha < least)) least = pack.sha
    return least
  }
}

function advance(cursor: Cursor): void {
  cursor.ordinal += 1
  cursor.pack = cursor.ordinal < cursor.segment.header.nPacks ? cursor.segment.pack(cursor.ordinal) : undefined
}

/** Entries after which other work gets its turn. */
const BREATH = 65_536

/** Number of entries of each pack in a segment: 4 bytes a pack. */
export async function countEntries(segment: SegmentFile, signal: AbortSignal): Promise<Uint32Array> {
  const counts = new Uint32Array(segment.header.nPacks)
  let seen = 0
  for (const { packOrd } of segment.entries()) {
    counts[packOrd] = (counts[packOrd] ?? 0) + 1
    if (++seen % BREATH !== 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
  }
  return counts
}

/**
 * §12.1 L2, TOC against index. A level-0 segment lists all blobs of a pack that it names; of level 1, all segments that name
 * the pack do so together. Nothing may be listed that the TOC does not have. Returns what is wrong, segment by segment.
 */
export function compareToc(
  toc: readonly TocEntry[],
  indexed: readonly IndexedPack[],
  counts: ReadonlyMap<SegmentFile, Uint32Array>,
): { readonly segment: SegmentFile; readonly why: string }[] {
  const wrong: { segment: SegmentFile; why: string }[] = []
  const inLevel1 = new Uint8Array(toc.length)
  for (const { segment, ordinal } of indexed) {
    let matched = 0
    let missing: number | undefined
    for (const [slot, entry] of toc.entries()) {
      if (listed(segment, ordinal, slot, entry)) {
        matched += 1
        if (segment.header.level === 1) inLevel1[slot] = 1
      } else missing ??= slot
    }
    const total = counts.get(segment)?.[ordinal] ?? 0
    if (matched !== total) wrong.push({ segment, why: `lists ${total - matched} blobs that the pack has not` })
    if (segment.header.level === 0 && missing !== undefined) {
      wrong.push({ segment, why: `does not list slot ${missing} of the pack as it is` })
    }
  }
  const [level1] = indexed.filter(({ segment }) => segment.header.level === 1)
  const gap = inLevel1.indexOf(0)
  if (level1 !== undefined && gap >= 0 && !indexed.some(({ segment }) => segment.header.level === 0)) {
    wrong.push({ segment: level1.segment, why: `no partition lists slot ${gap} of the pack as it is` })
  }
  return wrong
}

function listed(segment: SegmentFile, ordinal: number, slot: number, entry: TocEntry): boolean {
  for (const found of segment.lookup(entry.id)) {
    if (found.packOrd !== ordinal || found.slot !== slot) continue
    if (found.off === entry.off && found.clen === entry.clen && found.type === entry.type) return true
  }
  return false
}
