import { millis, type HoldfastError, type Millis } from '../../base/index.ts'
import {
  BLOB_HEADER,
  BLOB_PAGE,
  decodePackHeader,
  encodeSegment,
  names,
  PACK_DATA,
  PACK_HEADER,
  PACK_META,
  toHex,
  type PackKind,
  type TocEntry,
} from '../format/index.ts'
import { segmentObject } from '../index-view/index.ts'
import { revive } from '../workers/index.ts'
import type { PageMemory } from '../store/index.ts'
import { Lane } from '../write/lane.ts'
import type { PackRef } from '../write/pack-builder.ts'
import { PackWriter, segmentOf } from '../write/pack-writer.ts'
import { putSmall } from '../write/session-log.ts'
import type { Marks } from './marks.ts'
import { Tally, type Run, type Seen } from './run.ts'

/** Blobs that lie close together are read by one request of at most this. */
const READ_BYTES = 4 * 1024 * 1024
/** Packs after which the index gets a segment. */
const PACKS_PER_SEGMENT = 64

/** What §9.7 has copied: sources by ordinal, with the packs that hold their live blobs now. */
export interface Copies {
  readonly copies: ReadonlyMap<number, ReadonlySet<string>>
  /** Packs written. */
  readonly copied: Tally
}

/** One pack to be emptied. */
interface Source {
  readonly ordinal: number
  readonly sha: string
  readonly kind: PackKind
  /** First four bytes of the series, in hex; packs are filled by series so that retention frees whole ones. */
  readonly series: string
  readonly slots: readonly { readonly slot: number; readonly entry: TocEntry }[]
}

/**
 * §9.7: copies the live blobs of packs verbatim into new ones, with the stamp of G0, as any writer does: packs first, then their
 * segment. A pack of which a blob does not open is left as it is, the blob quarantined. `locks`: until when sources are locked;
 * their copies are, too.
 */
export async function copyLive(
  run: Run,
  seen: Seen,
  marks: Marks,
  ordinals: readonly number[],
  locks: ReadonlyMap<number, number>,
): Promise<Copies> {
  const { engine, signal } = run
  const done = new Map<number, PackRef[]>()
  const copied = new Tally()
  if (ordinals.length === 0) return { copies: new Map(), copied }
  const sources = await readSources(run, seen, marks, ordinals)
  const { packTarget } = engine.fmt
  const grant = await engine.budget.acquire(packTarget + READ_BYTES, signal)
  const memory = engine.budget.lend(packTarget)
  try {
    for (const group of Map.groupBy(sources, ({ kind, series }) => `${kind} ${series}`).values()) {
      const until = Math.max(0, ...group.map(({ ordinal }) => locks.get(ordinal) ?? 0))
      await copyGroup(run, seen, { memory, until }, group, done, copied)
    }
    engine.budget.giveBack(memory)
  } finally {
    grant.release()
  }
  const copies = new Map<number, ReadonlySet<string>>()
  for (const [ordinal, refs] of done) copies.set(ordinal, new Set(refs.map(({ name }) => nameOf(name))))
  return { copies, copied }
}

/** What was not locked needs no lock: that of every point which refers to it has ended. A hold has no end; who places it sees to it. */
async function copyUntil({ engine }: Run, until: number): Promise<Millis> {
  if (until === Infinity) return (await engine.retention.uploadUntil(engine.store)) ?? millis(0)
  return millis(until)
}

async function readSources(run: Run, seen: Seen, marks: Marks, ordinals: readonly number[]): Promise<Source[]> {
  const { table } = seen.contents
  const { signal } = run
  const sources: Source[] = []
  for (const ordinal of ordinals) {
    const sha = table.name(ordinal)
    const toc = await run.tocs.read(sha, table.size(ordinal))
    if (!toc.known) {
      run.note(`pack ${sha} is not emptied: ${toc.why}`)
      continue
    }
    const header = await run.reread.read(names.pack(sha), async (store) => {
      return decodePackHeader(await store.getRange(names.pack(sha), 0, PACK_HEADER, signal))
    })
    if (!header.sound) {
      run.note(notEmptied(sha, header.error))
      continue
    }
    const slots = toc.entries.flatMap((entry, slot) => (marks.has(ordinal, slot) ? [{ slot, entry }] : []))
    const kind = toc.entries[0]?.type === BLOB_PAGE ? PACK_META : PACK_DATA
    sources.push({ ordinal, sha, kind, series: toHex(header.value.seriesHash), slots })
  }
  return sources
}

async function copyGroup(
  run: Run,
  seen: Seen,
  { memory, until }: { readonly memory: PageMemory; readonly until: number },
  group: readonly Source[],
  done: Map<number, PackRef[]>,
  copied: Tally,
): Promise<void> {
  const { engine, signal } = run
  const [first] = group
  if (first === undefined) return
  const lane = new Lane()
  const store = engine.connect()
  const packs = new PackWriter({
    store,
    ring: engine.ring,
    pool: engine.pool,
    identity: { repo: engine.ring.repo, series: first.series.padEnd(32, '0'), kind: first.kind, byCompaction: true },
    clock: engine.clock,
    stamp: () => seen.state.base,
    retention: { uploadUntil: () => copyUntil(run, until) },
    takeMemory: () => lane.take(memory),
    signal,
  })
  const publish = async (): Promise<void> => {
    await packs.close()
    const finished = packs.drain()
    if (finished.length === 0) return
    await store.flush()
    const fields = { repo: engine.ring.repo, createdMs: engine.clock(), producer: run.id }
    const content = encodeSegment(segmentOf(finished, fields))
    const { sha, name } = segmentObject(content)
    await putSmall(store, name, content, signal)
    await engine.view.add(sha, content)
    for (const { size } of finished) copied.add(size)
  }
  try {
    for (const [index, source] of group.entries()) {
      run.progress(`copying live blobs: ${index + 1} of ${group.length} packs`)
      const refs = await copyPack(run, source, packs)
      if (refs !== undefined) done.set(source.ordinal, refs)
      if (packs.pending >= PACKS_PER_SEGMENT) await publish()
    }
    await publish()
  } catch (error) {
    packs.abandon()
    await store.discard()
    throw error
  }
}

/** Where its live blobs went; undefined if one of them does not open. */
async function copyPack(run: Run, source: Source, packs: PackWriter): Promise<PackRef[] | undefined> {
  const { engine } = run
  const refs: PackRef[] = []
  for (const group of runsOf(source.slots)) {
    const reading = await run.reread.read(names.pack(source.sha), (store) => openAll(run, store, source, group))
    if (!reading.sound) {
      run.note(notEmptied(source.sha, reading.error))
      const places = group.map(({ slot, entry }) => ({ slot, id: entry.id }))
      // One that is gone has no bad slots: another run has deleted it, or a verify names what it held.
      if (reading.proved && reading.error.code !== 'ObjectAbsent')
        await engine.quarantines.report(engine.store, source.sha, 'read', places)
      return undefined
    }
    for (const blob of reading.value) {
      const { pack } = await packs.append(blob)
      if (refs.at(-1) !== pack) refs.push(pack)
    }
  }
  return refs
}

/** It stays as it is; another run may have deleted it since it was listed. */
function notEmptied(sha: string, { code, message }: HoldfastError): string {
  return `pack ${sha} is not emptied: ${code === 'ObjectAbsent' ? 'it is gone since it was listed' : message}`
}

/** The blobs of a run, header and ciphertext, each opened once: what is damaged is not carried on. */
async function openAll(
  { engine, signal }: Run,
  store: Run['engine']['store'],
  source: Source,
  group: Source['slots'],
): Promise<Uint8Array[]> {
  const from = group[0]?.entry.off ?? 0
  const last = group.at(-1)?.entry
  const end = last === undefined ? from : last.off + BLOB_HEADER + last.clen
  const bytes = await store.getRange(names.pack(source.sha), from, end - from, signal)
  const blobs = group.map(({ entry: { type, id, off, clen, ulen } }) => ({ type, id, clen, ulen, at: off - from }))
  // A copy: the thread frees what it gets.
  const range = Uint8Array.from(bytes)
  const opened = await engine.pool.run<'open'>(engine.ring, { kind: 'open', range, blobs }, [range.buffer])
  for (const one of opened) if ('error' in one) throw revive(one.error)
  return group.map(({ entry }) => bytes.subarray(entry.off - from, entry.off - from + BLOB_HEADER + entry.clen))
}

/** Slots that follow one another, up to the size of a read. */
function* runsOf(slots: Source['slots']): Generator<Source['slots']> {
  let group: Source['slots'][number][] = []
  let bytes = 0
  for (const one of slots) {
    const size = BLOB_HEADER + one.entry.clen
    const follows = group.at(-1)?.slot === one.slot - 1
    if (group.length > 0 && (!follows || bytes + size > READ_BYTES)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(one)
    bytes += size
  }
  if (group.length > 0) yield group
}

function nameOf(name: string | undefined): string {
  if (name === undefined) throw new TypeError('a pack that was put has no name')
  return name
}
