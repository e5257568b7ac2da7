import { randomBytes } from 'node:crypto'
import type { Engine } from '../engine.ts'
import { toHex } from '../format/index.ts'
import type { GcState } from '../gcstate/index.ts'
import type { SegmentFile } from '../index-view/index.ts'
import type { BadSlots } from '../read/quarantine.ts'
import type { Points } from '../read/points.ts'
import { cancelled } from '../store/index.ts'
import { Rereader } from '../verify/reread.ts'
import { choose, type Choice } from './choose.ts'
import { requireCollectable } from './collectable.ts'
import { condemn, type Condemned } from './condemn.ts'
import { Contents } from './contents.ts'
import { copyLive } from './copy-live.ts'
import { deleteFinals, recordAges } from './delete.ts'
import { readLocks } from './locked.ts'
import { Marks } from './marks.ts'
import { mergeIndex } from './merge.ts'
import { packFlag, PackTable } from './pack-table.ts'
import { requireProbed } from './probed.ts'
import { retire } from './retire.ts'
import { publishRoster } from './rosters.ts'
import { listRoots, type Root } from './roots.ts'
import { latecomers, Tally, type Run, type Seen } from './run.ts'
import { isLive, readSessions, sweepSessions } from './sessions.ts'
import { TocReader } from './toc.ts'
import type { CollectOptions, CollectReport } from './types.ts'
import { waitsOf } from './waits.ts'
import { RootWalker, type WalkedPages } from './walk.ts'

const COMPACT_BELOW = 0.6
const COPY_BYTES = 64 * 1024 ** 3

/**
 * One collection (§9): G0 to G7. It holds no lock and may run beside anything, itself included; it may be killed anywhere, and
 * any later run goes on. Throws CollectionAborted where a root cannot be read, RecordForged, ListingIncomplete, FloorMissing,
 * and what the store throws; then nothing of this run is deleted.
 */
export async function collect(engine: Engine, points: Points, options: CollectOptions): Promise<CollectReport> {
  const { signal } = options
  const started = performance.now()
  try {
    await requireCollectable(engine, signal)
    const nowMs = Number(await engine.store.now())
    // A dry run deletes nothing, and leaves nothing behind that a probe would.
    if (options.dryRun !== true) await requireProbed(engine, nowMs, options.onProgress, signal)
    const notes: string[] = []
    const note = (message: string) => void notes.push(message)
    const reread = new Rereader(engine, signal, note)
    const run: Run = {
      engine,
      id: toHex(randomBytes(16)),
      waits: waitsOf(options.waits),
      points,
      reread,
      tocs: new TocReader(engine, reread, signal),
      known: [...(options.knownPoints ?? [])],
      nowMs,
      signal,
      note,
      progress: options.onProgress,
    }
    const report = await new Collection(run, options).run()
    return { ...report, notes, durationMs: Math.round(performance.now() - started) }
  } catch (error) {
    if (signal.aborted) throw cancelled(signal)
    throw error
  }
}

/** What G1 knows of the roots. */
interface Marked {
  readonly marks: Marks
  readonly roots: readonly Root[]
  readonly rosters: readonly string[]
  readonly whole: ReadonlySet<string>
  readonly skipped: number
  readonly pages: WalkedPages
}

class Collection {
  readonly #run: Run
  readonly #options: CollectOptions

  constructor(run: Run, options: CollectOptions) {
    this.#run = run
    this.#options = options
  }

  async run(): Promise<Omit<CollectReport, 'notes' | 'durationMs'>> {
    const { engine, signal } = this.#run
    using open = new DisposableStack()
    const state = await engine.gc.read(engine.store, signal)
    const listed = await this.#listIndex(open)
    const table = await this.#listPacks(state)
    const bad = await engine.quarantines.read(engine.store, signal)
    const contents = open.use(await this.#contents(table, listed))
    const seen: Seen = { state, table, contents }
    const marked = await this.#mark(seen, bad)
    const choice = await this.#choose(seen, marked, bad)
    const facts = this.#facts(seen, marked, choice)
    if (this.#options.dryRun === true) {
      const copy = choice.copy.filter((ordinal) => !choice.keep.has(ordinal))
      return { ...facts, outcome: 'dry-run', condemned: this.#sum(seen, [...choice.garbage, ...copy]) }
    }
    const copies = await copyLive(this.#run, seen, marked.marks, choice.copy, choice.keep)
    const emptied = [...copies.copies.keys()].filter((ordinal) => !choice.keep.has(ordinal))
    const candidates = [...choice.garbage, ...emptied].sort((a, b) => a - b)
    const result = await this.#condemn(seen, marked, candidates, copies.copies)
    const base = { ...facts, copied: copies.copied.sum, ...result }
    // Another run is under way: what is left is its to do.
    if (result.outcome === 'stopped') return base
    const now = await engine.gc.read(engine.store, signal)
    const { deleted, waiting } = await deleteFinals(this.#run, now, table)
    const index = await mergeIndex(this.#run, state, contents, marked.marks, listed)
    const minStamp = Math.min(...engine.view.segments.map(({ header }) => header.stampEpoch))
    const records = await retire(this.#run, table, minStamp)
    const sessionsSwept = await sweepSessions(engine, signal)
    const kept = { ...base.kept, waiting: waiting.sum }
    return { ...base, kept, deleted: deleted.sum, index, records, sessionsSwept }
  }

  /** LIST `idx/` (G1), before `pack/`: files of this run's own over what it shows. */
  async #listIndex(open: DisposableStack): Promise<SegmentFile[]> {
    const { engine, signal, progress } = this.#run
    progress('reading the index')
    await engine.view.refresh(engine.store, signal)
    const listed = engine.view.openFiles()
    for (const segment of listed) open.use(segment)
    return listed
  }

  /** L, with what the records of G0 and the sessions say of each pack. */
  async #listPacks(state: GcState): Promise<PackTable> {
    const { engine, waits, nowMs, signal, progress } = this.#run
    let youngAfter = nowMs - waits.minAgeMs
    for await (const session of readSessions(engine, signal)) {
      if (isLive(session, nowMs)) youngAfter = Math.min(youngAfter, session.startedMs - waits.sessionSlackMs)
    }
    progress('listing the packs')
    return await PackTable.list(
      engine.store,
      (sha, { modified }) => {
        let flags = Number(modified) > youngAfter ? packFlag.young : 0
        for (const record of state.records) {
          if (record.set.has(sha)) flags |= record.final ? packFlag.final : packFlag.pending
        }
        return flags
      },
      signal,
    )
  }

  async #contents(table: PackTable, segments: readonly SegmentFile[]): Promise<Contents> {
    const { engine, tocs, signal, progress, note } = this.#run
    progress(`reading the contents of ${table.count} packs`)
    const contents = await Contents.read(table, {
      segments,
      readToc: (pack, size) => tocs.read(pack, size),
      unlisted: (content) => engine.view.unlisted(content),
      repo: engine.ring.repo,
      clock: engine.clock,
      signal,
    })
    for (const one of contents.notes) note(one)
    return contents
  }

  /** Roots and mark (§9.2). */
  async #mark({ table, contents }: Seen, bad: BadSlots): Promise<Marked> {
    const run = this.#run
    const { roots, rosters } = await listRoots(run.engine, run.points, run.known, run.signal)
    using late = latecomers(run, table)
    const marks = new Marks(contents, bad, late, run.note)
    const { engine, points, reread, signal } = run
    const walker = new RootWalker({ engine, points, contents, late, reread, visitor: marks, signal })
    const whole = new Set<string>()
    let skipped = 0
    for (const [index, root] of roots.entries()) {
      run.progress(`marking ${index + 1} of ${roots.length} points`)
      const walked = await walker.walk(root)
      if (walked === 'whole') whole.add(root.snap)
      if (walked !== 'skipped') continue
      skipped += 1
      run.note(`${root.stem} is not validated, and some of what it needs is proved absent`)
    }
    return { marks, roots, rosters, whole, skipped, pages: walker.pages }
  }

  async #choose({ state, contents }: Seen, { marks }: Marked, bad: BadSlots): Promise<Choice> {
    const { compactBelow = COMPACT_BELOW, copyBytes = COPY_BYTES } = this.#options
    const { waits, signal } = this.#run
    const ages = await recordAges(this.#run, 'condemned')
    const abandoned = state.records.filter(({ final, epoch, nonce }) => {
      return !final && (ages.get(`${epoch} ${nonce}`) ?? 0) >= waits.abandonedMs
    })
    const isAbandoned = (pack: string) => abandoned.some(({ set }) => set.has(pack))
    const locks = (ordinals: readonly number[] | Uint32Array) => readLocks(this.#run, contents.table, ordinals)
    return await choose({ contents, marks, bad, compactBelow, copyBytes, isAbandoned, readLocks: locks, signal })
  }

  /** G2 to G4, or only a roster where nothing is to be condemned. */
  async #condemn(
    seen: Seen,
    marked: Marked,
    candidates: readonly number[],
    copies: ReadonlyMap<number, ReadonlySet<string>>,
  ): Promise<Pick<CollectReport, 'outcome' | 'epoch' | 'condemned' | 'reprieved'>> {
    const { engine, id, signal } = this.#run
    if (candidates.length === 0) {
      const snaps = marked.roots.map(({ snap }) => snap)
      const fields = { epoch: seen.state.base, nonce: toHex(randomBytes(16)), owner: id, snaps }
      await publishRoster(engine, fields, marked.rosters, signal)
      const none = new Tally().sum
      return { outcome: 'nothing', epoch: null, condemned: none, reprieved: none }
    }
    const { whole, pages } = marked
    const done: Condemned = await condemn(this.#run, { seen, candidates, copies, whole, pages })
    return { ...done, condemned: done.condemned.sum, reprieved: done.reprieved.sum }
  }

  #facts(seen: Seen, { roots, skipped, pages }: Marked, choice: Choice): Omit<CollectReport, 'notes' | 'durationMs'> {
    const { table, state } = seen
    const none = new Tally().sum
    return {
      run: this.#run.id,
      dryRun: this.#options.dryRun === true,
      outcome: 'nothing',
      epoch: null,
      roots: roots.length,
      incompleteRoots: skipped,
      pages: pages.size,
      listed: { packs: table.count, bytes: table.bytes },
      live: choice.live.sum,
      condemned: none,
      reprieved: none,
      deleted: none,
      copied: none,
      kept: {
        young: choice.young.sum,
        unknown: choice.unknown.sum,
        locked: choice.locked.sum,
        waiting: choice.final.sum,
      },
      index: { merged: 0, written: 0 },
      records: { present: state.records.length, retired: 0, floor: state.floor },
      sessionsSwept: 0,
    }
  }

  #sum({ table }: Seen, ordinals: readonly number[]) {
    const tally = new Tally()
    for (const ordinal of ordinals) tally.add(table.size(ordinal))
    return tally.sum
  }
}
