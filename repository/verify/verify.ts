import { isHoldfastError, type HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName } from '../format/index.ts'
import { cancelled, inParallel, type ObjectInfo } from '../store/index.ts'
import type { PointEntry, Stem, VerifyLevel, VerifyReport } from '../types.ts'
import { choosePoints } from './choose-points.ts'
import type { Context } from './context.ts'
import { DamageLog } from './damage-log.ts'
import { IndexedPacks, type IndexedPack } from './indexed.ts'
import { PackTocs } from './pack-tocs.ts'
import { PackChecker } from './packs.ts'
import { PointChecker } from './points.ts'
import { Quarantiner } from './quarantine.ts'
import { Rereader } from './reread.ts'
import { checkDescriptor, checkKeys, checkSegments, readGcState } from './small-objects.ts'
import { Troubles } from './troubles.ts'

export interface VerifyOptions {
  readonly level: VerifyLevel
  /** Every point of the repository, in any order (`Points.list`). */
  readonly points: AsyncIterable<PointEntry>
  /** Only these points and the packs that they need. Throws NotFound for one that is not there. */
  readonly stems?: readonly Stem[]
  readonly quarantine?: boolean
  readonly signal: AbortSignal
  /** Packs and points, as far as their number is known when it begins. */
  readonly onProgress: (done: number, total: number, what: string) => void
}

/** Packs that are checked at the same time: one more than there are threads. Their memory comes from the process's budget. */
const parallel = ({ engine }: Context) => engine.pool.size + 1

/**
 * §12.1: `quick` = L1, L2 and L1r; `full` adds L3 and L4. Everything is streamed: memory follows the number of segments and
 * of distinct pages, not that of packs or chunks. Damage goes into the report; only a store that is away, cancellation and
 * mistakes throw.
 */
export async function verifyRepository(engine: Engine, options: VerifyOptions): Promise<VerifyReport> {
  const { level, signal, stems } = options
  const started = performance.now()
  const progress = { done: 0, total: 0 }
  try {
    signal.throwIfAborted()
    using open = new DisposableStack()
    const context = await begin(engine, options, open, progress)
    await checkDescriptor(context)
    await checkKeys(context)
    const points = await choosePoints(context, options.points, stems)
    const checker = new PointChecker(context)
    progress.total = points.length
    if (stems === undefined) {
      await checkSegments(context)
      progress.total += await countPacks(context)
      await checkAllPacks(context)
    } else {
      const packs = await checker.packsOf(points)
      progress.total += packs.length
      await checkSomePacks(context, packs)
    }
    for (const stem of points) await checker.check(stem)
    const { log, quarantine, totals } = context
    const { damages, notes } = log
    const durationMs = Math.round(performance.now() - started)
    return { level, ...totals, damages, quarantined: quarantine.written, notes, durationMs }
  } catch (error) {
    if (signal.aborted) throw cancelled(signal)
    throw error
  }
}

/** The index before the listing of packs: what it names then is there, or was deleted (§9.1, G6). */
async function begin(
  engine: Engine,
  options: VerifyOptions,
  open: DisposableStack,
  progress: { done: number; total: number },
): Promise<Context> {
  const { level, signal, quarantine = false, onProgress } = options
  const { store } = engine
  const log = new DamageLog()
  const reread = new Rereader(engine, signal, (text) => {
    log.note(text)
  })
  const gc = await readGcState(engine, log, signal)
  const known = await engine.quarantines.read(store, signal)
  try {
    await engine.view.refresh(store, signal)
  } catch (error) {
    // The cache of this host is not the repository: what it lacks is to be mended here, and nothing could be compared.
    if (signal.aborted || !isHoldfastError(error) || !ofStore(error)) throw error
    const message = `the index cannot be read now, packs were not compared with all of it: ${error.message}`
    log.add({ pack: null, object: 'idx/', found: 'L1', message, proved: false })
  }
  const segments = engine.view.openFiles()
  for (const segment of segments) open.use(segment)
  return {
    engine,
    level,
    signal,
    log,
    reread,
    troubles: new Troubles(),
    tocs: new PackTocs(reread, signal),
    quarantine: new Quarantiner({ quarantines: engine.quarantines, store, known, dryRun: !quarantine }),
    segments,
    gc,
    totals: { points: 0, packs: 0, chunks: 0, bytes: 0 },
    step: (what) => {
      progress.done += 1
      onProgress(progress.done, Math.max(progress.done, progress.total), what)
    },
  }
}

function ofStore({ code }: HoldfastError): boolean {
  return (
    code === 'StoreUnavailable' || code === 'StoreRateLimited' || code === 'StoreDenied' || code === 'ListingIncomplete'
  )
}

async function countPacks({ engine, signal }: Context): Promise<number> {
  let count = 0
  for await (const page of packPages(engine, signal)) count += page.length
  return count
}

/** L1, L2 (L3, L4): the listing of `pack/` beside the pack tables of the index, both in the order of names. */
async function checkAllPacks(context: Context): Promise<void> {
  const checker = await PackChecker.create(context)
  const indexed = new IndexedPacks(context.segments)
  let orphans = 0
  const absent = (packs: readonly IndexedPack[]) => () => checker.absent(packs[0]?.pack.sha ?? '', packs)
  for await (const page of packPages(context.engine, context.signal)) {
    const jobs: (() => Promise<void>)[] = []
    for (const { sha, size } of page) {
      for (const missing of indexed.before(sha)) jobs.push(absent(missing))
      const known = indexed.take(sha)
      if (known.length === 0) orphans += 1
      jobs.push(() => checker.present(sha, size, known))
    }
    await inParallel(jobs, parallel(context), (job) => job())
  }
  await inParallel([...indexed.before(undefined)].map(absent), parallel(context), (job) => job())
  if (orphans > 0)
    context.log.note(`${orphans} packs are in no index: of a run under way or cut off, or the index lost a part`)
}

/** As checkAllPacks for these packs, sorted. One that is gone is for L1r to judge: its blobs may have other homes. */
async function checkSomePacks(context: Context, packs: readonly string[]): Promise<void> {
  const checker = await PackChecker.create(context)
  const indexed = new IndexedPacks(context.segments)
  const jobs = packs.map((pack) => {
    for (const _skipped of indexed.before(pack)) continue
    return { pack, known: indexed.take(pack) }
  })
  await inParallel(jobs, parallel(context), async ({ pack, known }) => {
    const name = names.pack(pack)
    const reading = await context.reread.read(name, (store) => store.head(name))
    if (reading.sound && reading.value !== undefined) await checker.present(pack, reading.value.size, known)
    else context.step(name)
  })
}

async function* packPages(engine: Engine, signal: AbortSignal): AsyncGenerator<{ sha: string; size: number }[]> {
  for (let cursor: string | undefined; ;) {
    signal.throwIfAborted()
    const { objects, next } = await engine.store.list('pack/', cursor)
    yield objects.flatMap(({ name, size }: ObjectInfo) => {
      const parsed = parseName(name)
      return parsed?.kind === 'pack' ? [{ sha: parsed.sha, size }] : []
    })
    if (next === undefined) return
    cursor = next
  }
}
