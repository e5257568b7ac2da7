import type { Engine, StoredEngine } from '../engine.ts'
import { cancelled } from '../store/index.ts'
import type { PointEntry, ReadCoverage, Stem, VerifyLedger, VerifyLevel, VerifyReport } from '../types.ts'
import { beginVerify, type Progress } from './begin.ts'
import { choosePoints } from './choose-points.ts'
import type { Context } from './context.ts'
import { checkClearHeaders } from './keyless.ts'
import { checkAllPacks, checkSomePacks, preparePacks } from './pack-listing.ts'
import { PointChecker } from './points.ts'
import { checkRecords } from './records.ts'
import { RestoreToNowhere } from './restored.ts'
import { checkDescriptor, checkKeys, checkSegments } from './small-objects.ts'

export interface VerifyBytesOptions {
  readonly level: VerifyLevel
  readonly quarantine?: boolean
  /** Bytes of packs to read at most, those first whose last pass is oldest. Only for levels that read packs. */
  readonly budget?: number
  /** Where passes are kept; undefined: nowhere. */
  readonly ledger?: VerifyLedger
  /** Packs with a pass since then (Unix milliseconds) were judged by an earlier attempt of this verify. */
  readonly since?: number
  readonly signal: AbortSignal
  /** Packs and points, as far as their number is known when it begins. */
  readonly onProgress: (done: number, total: number, what: string) => void
}

export interface VerifyOptions extends VerifyBytesOptions {
  /** Every point of the repository, in any order (`Points.list`). */
  readonly points: AsyncIterable<PointEntry>
  /** Only these points and the packs that they need. Throws NotFound for one that is not there. */
  readonly stems?: readonly Stem[]
  /** After everything that a point refers to was looked at, whatever was found. */
  readonly onPoint?: (stem: Stem) => void
}

/**
 * §12.1: `quick` = L1, L2 and L1r; `data` adds L3; `full` adds L4, and for chosen points L5. Everything is streamed: memory
 * follows the number of segments and of distinct pages, not that of packs or chunks. Damage goes into the report; only a
 * store that is away, cancellation and mistakes throw.
 */
export async function verifyRepository(engine: Engine, options: VerifyOptions): Promise<VerifyReport> {
  const { level, stems } = options
  return await verifying(engine, engine.ring, options, async (begun, progress) => {
    const context = { ...begun, engine }
    await checkDescriptor(context)
    await checkKeys(context)
    await checkRecords(context)
    const points = await choosePoints(context, options.points, stems)
    const checker = new PointChecker(context)
    progress.total = points.length
    if (stems === undefined) {
      await checkSegments(context)
      const packs = await preparePacks(context, options)
      progress.total += packs.count
      progress.coverage = await checkAllPacks(context, packs)
    } else {
      const packs = await checker.packsOf(points)
      progress.total += packs.length
      await checkSomePacks(context, packs)
    }
    const nowhere = new RestoreToNowhere(context)
    for (const stem of points) {
      await checker.check(stem)
      if (stems !== undefined && level === 'full') await nowhere.restore(stem)
      options.onPoint?.(stem)
    }
  })
}

/**
 * L1, L2 and L3 without any key (§12.1): for whoever keeps the storage and must not read what is in it. What could not be
 * checked is in the notes.
 */
export async function verifyStored(engine: StoredEngine, options: VerifyBytesOptions): Promise<VerifyReport> {
  return await verifying(engine, undefined, options, async (context, progress) => {
    await checkDescriptor(context)
    await checkKeys(context)
    await checkRecords(context)
    await checkClearHeaders(context)
    await checkSegments(context)
    const packs = await preparePacks(context, options)
    progress.total = packs.count
    progress.coverage = await checkAllPacks(context, packs)
  })
}

interface Covered extends Progress {
  coverage: ReadCoverage | null
}

async function verifying(
  engine: StoredEngine,
  ring: Context['ring'],
  options: VerifyBytesOptions,
  work: (context: Context, progress: Covered) => Promise<void>,
): Promise<VerifyReport> {
  const { level, signal } = options
  const started = performance.now()
  const progress: Covered = { done: 0, total: 0, coverage: null }
  try {
    signal.throwIfAborted()
    using open = new DisposableStack()
    const context = await beginVerify(engine, ring, options, open, progress)
    await work(context, progress)
    const { log, quarantine, totals } = context
    const { damages, notes } = log
    const durationMs = Math.round(performance.now() - started)
    const { coverage } = progress
    return { level, ...totals, damages, quarantined: quarantine.written, notes, durationMs, coverage }
  } catch (error) {
    if (signal.aborted) throw cancelled(signal)
    throw error
  }
}
