import { names, toHex, type SegmentContent } from '../format/index.ts'
import type { GcState } from '../gcstate/index.ts'
import { segmentName, type SegmentFile } from '../index-view/index.ts'
import { throwIfAborted } from '../store/index.ts'
import { Bits } from './bits.ts'
import { ordinalsOf, type Contents, type SegmentSource } from './contents.ts'
import type { Marks } from './marks.ts'
import { MergeCursors } from './merge-cursors.ts'
import { PackFacts, Partition, prefixBitsFor } from './partition.ts'
import { removeObject } from './remove.ts'
import type { Run } from './run.ts'

/** Level 0 is merged when it has this share of all entries (§16), or so many segments. */
const LEVEL_0_SHARE = 0.1
const LEVEL_0_SEGMENTS = 256
/** Entries of an index that is merged whenever there is a reason: it makes one object. */
const SMALL = 700_000
/** With more records than this, re-stamping takes precedence (§9.6). */
const MANY_RECORDS = 64
/** Share of the partitions that each run stamps anew, so that records can be retired. */
const RESTAMPED = 1 / 16
const BREATH = 65_536

/** Segments that are merged away, and segments that take their place. */
export interface Merged {
  readonly merged: number
  readonly written: number
}

/** What is merged into what. `cut`: the prefix of the one partition; undefined: the whole index, cut anew. */
interface Group {
  readonly segments: readonly SegmentFile[]
  readonly orphans: readonly SegmentFile[]
  readonly cut: { readonly prefix: number; readonly prefixBits: number } | undefined
}

/**
 * G6 (§9.1): merges segments that G1 listed into level 1, by prefix, under the stamp of G0. Entries of packs that were listed
 * then, and are in no set of a new reading, stay: the listing after G0 establishes even what was stale. `listed`: files of the
 * run's own over those segments.
 */
export async function mergeIndex(
  run: Run,
  base: GcState,
  contents: Contents,
  marks: Marks,
  listed: readonly SegmentFile[],
): Promise<Merged> {
  const { engine, signal } = run
  const left = await removeSuperseded(run, listed)
  const now = await engine.gc.read(engine.store, signal)
  const merge = new Merge(run, base.base, contents, marks, dropped(contents, now))
  const groups = planMerge(left, merge.liveOrphans(), base.base, now.records.length, (segment) =>
    merge.hasGarbage(segment),
  )
  let written = 0
  const gone: SegmentFile[] = []
  for (const group of groups) {
    run.progress(`merging ${group.segments.length} index segments`)
    written += await merge.write(group)
    gone.push(...group.segments)
  }
  for (const segment of gone) await removeObject(engine.store, segmentName(segment))
  await engine.view.refresh(engine.store, signal)
  return { merged: gone.length, written }
}

/** What an earlier merge has replaced and not come to remove: a present segment lists it, and all it promises is there. */
async function removeSuperseded(run: Run, listed: readonly SegmentFile[]): Promise<SegmentFile[]> {
  const superseded = new Set(listed.flatMap((segment) => segment.supersedes()))
  const left: SegmentFile[] = []
  for (const segment of listed) {
    if (superseded.has(segment.sha)) await removeObject(run.engine.store, segmentName(segment))
    else left.push(segment)
  }
  return left
}

/** Packs whose entries go: in a set at G0 or now. By ordinal. */
function dropped({ table }: Contents, now: GcState): Bits {
  const drops = new Bits(table.count)
  for (let ordinal = 0; ordinal < table.count; ordinal++) if (!table.isHome(ordinal)) drops.set(ordinal)
  for (const { set } of now.records) {
    for (const pack of set) {
      const ordinal = table.ordinal(pack)
      if (ordinal !== undefined) drops.set(ordinal)
    }
  }
  return drops
}

/** Bounded levels (§4.6): everything into level 1 when that is cheap or due, else some partitions stamped anew. */
export function planMerge(
  listed: readonly SegmentFile[],
  orphans: readonly SegmentFile[],
  stamp: number,
  records: number,
  hasGarbage: (segment: SegmentFile) => boolean,
): Group[] {
  const total = entriesOf(listed)
  const level0 = listed.filter(({ header }) => header.level === 0)
  const level1 = listed.filter(({ header }) => header.level === 1)
  const whole: Group = { segments: listed, orphans, cut: undefined }
  const isOld = ({ header }: SegmentFile) => header.stampEpoch < stamp && records > 0
  if (orphans.length > 0) return [whole]
  if (total <= SMALL) {
    const [only] = listed
    if (only === undefined) return []
    return listed.length > 1 || isOld(only) || hasGarbage(only) ? [whole] : []
  }
  const share = entriesOf(level0) / total
  const isDue = share >= LEVEL_0_SHARE || level0.length >= LEVEL_0_SEGMENTS || records > MANY_RECORDS
  if (level0.length > 0 && isDue) return [whole]
  return level1
    .filter(isOld)
    .sort((a, b) => a.header.stampEpoch - b.header.stampEpoch)
    .slice(0, Math.ceil(level1.length * RESTAMPED))
    .map((segment) => {
      const { prefix, prefixBits } = segment.header
      return { segments: [segment], orphans: [], cut: { prefix, prefixBits } }
    })
}

class Merge {
  readonly #run: Run
  readonly #stamp: number
  readonly #contents: Contents
  readonly #marks: Marks
  readonly #drops: Bits
  readonly #facts: PackFacts

  constructor(run: Run, stamp: number, contents: Contents, marks: Marks, drops: Bits) {
    this.#run = run
    this.#stamp = stamp
    this.#contents = contents
    this.#marks = marks
    this.#drops = drops
    this.#facts = new PackFacts(contents.table)
  }

  /** Segments of packs that no index knows whole, and that a root needs: what is garbage besides is not indexed any more. */
  liveOrphans(): SegmentFile[] {
    return this.#contents.unindexed.filter((segment) => {
      return ordinalsOf(this.#contents.table, segment).some((ordinal) => this.#keeps(ordinal, true))
    })
  }

  /** Whether anything of it would go. */
  hasGarbage(segment: SegmentSource): boolean {
    return ordinalsOf(this.#contents.table, segment).some((ordinal) => !this.#keeps(ordinal, false))
  }

  /** Number of segments written. The last one lists what all of them replace (§4.6). */
  async write({ segments, orphans, cut }: Group): Promise<number> {
    const { table } = this.#contents
    const cursors = new MergeCursors(segments, orphans, this.#facts)
    const partition = new Partition(this.#facts, table.count)
    const bits = cut?.prefixBits ?? prefixBitsFor(entriesOf([...segments, ...orphans]), table.count)
    const parts = cut === undefined ? 2 ** bits : 1
    const supersedes = segments.map(({ sha }) => sha)
    let written = 0
    for (let part = 0; part < parts; part++) {
      const prefix = cut?.prefix ?? (bits === 0 ? 0 : (part << (32 - bits)) >>> 0)
      await this.#fill(partition, cursors, bits, prefix)
      const isLast = part === parts - 1
      if (partition.count === 0 && !isLast) continue
      await this.#put(partition, bits, prefix, isLast ? supersedes : [])
      written += 1
    }
    return written
  }

  /** Moves the entries of one prefix from the cursors to the partition; each place once, whoever names it. */
  async #fill(partition: Partition, cursors: MergeCursors, bits: number, prefix: number): Promise<void> {
    const last = Buffer.alloc(38)
    let steps = 0
    for (let next = cursors.peek(); next !== undefined; next = cursors.peek()) {
      const { window, at, ordinal, isOrphan } = next
      if (bits > 0 && (window.readUInt32BE(at) ^ prefix) >>> (32 - bits) !== 0) return
      if (this.#keeps(ordinal, isOrphan)) {
        const slot = window.readUInt16LE(at + 44)
        const isNew =
          partition.count === 0 ||
          last.readUInt32LE(32) !== ordinal ||
          last.readUInt16LE(36) !== slot ||
          window.compare(last, 0, 32, at, at + 32) !== 0
        if (isNew) {
          partition.add(window, at, ordinal)
          window.copy(last, 0, at, at + 32)
          last.writeUInt32LE(ordinal, 32)
          last.writeUInt16LE(slot, 36)
        }
      }
      cursors.next()
      if (++steps % BREATH !== 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      throwIfAborted(this.#run.signal)
    }
  }

  async #put(partition: Partition, prefixBits: number, prefix: number, supersedes: readonly string[]): Promise<void> {
    const { engine, id, signal } = this.#run
    const fields: Omit<SegmentContent, 'entries' | 'packs'> = {
      level: 1,
      prefixBits,
      prefix,
      repo: engine.ring.repo,
      stampEpoch: this.#stamp,
      createdMs: engine.clock(),
      producer: id,
      supersedes,
    }
    const content = partition.finish(fields)
    const { sha256 } = await engine.pool.run<'hash'>(engine.ring, { kind: 'hash', content })
    const name = names.segment(1, prefix >>> 24, toHex(sha256))
    await engine.store.putIfAbsent(name, content, { sha256, signal })
  }

  #keeps(ordinal: number, isOrphan: boolean): boolean {
    if (ordinal >= this.#contents.table.count || this.#drops.has(ordinal)) return false
    return !isOrphan || this.#marks.any(ordinal)
  }
}

function entriesOf(segments: readonly SegmentFile[]): number {
  return segments.reduce((sum, { header }) => sum + header.nEntries, 0)
}
