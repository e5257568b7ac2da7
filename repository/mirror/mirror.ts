import { HoldfastError, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import { lookOnly, type Engine } from '../engine.ts'
import { parseStem } from '../format/index.ts'
import { loadManifest, notRestorable, type LoadedManifest } from '../read/manifest.ts'
import { carryOwner } from '../owners.ts'
import type { Points } from '../read/points.ts'
import type { MirrorOptions, MirrorReport, MirroredPoint, PointEntry, Repository, Stem } from '../types.ts'
import { mirroredDisks, mirrorPoint, type MirrorJob } from './point.ts'
import { readBack } from './read-back.ts'
import { isWhole, SeriesAtTarget, seriesOf, type Target } from './targets.ts'

/** What of an open repository the mirror writes with. */
export type Writer = Pick<Repository, 'openSession' | 'copyPart' | 'commit' | 'endSession'>

/** One side of a mirror. */
export interface MirrorSide {
  readonly engine: Engine
  readonly points: Points
}

/** Points there that are looked at for one to inherit from. */
const PARENT_CANDIDATES = 16

/**
 * §13: publishes points of one repository in another one, oldest first, each by the full write protocol with the keys,
 * retention and sessions of the other. A point whose data are lost here is reported and does not keep the others back;
 * whatever else goes wrong ends the run, and the next one goes on where it stopped.
 */
export async function mirror(
  source: MirrorSide,
  destination: MirrorSide & { readonly writer: Writer },
  options: MirrorOptions,
): Promise<MirrorReport> {
  // Reading comes upon damage, and would note it under `bad/`: not in a dry run.
  const engineOf = ({ engine }: MirrorSide) => (options.dryRun === true ? lookOnly(engine) : engine)
  const from = { engine: engineOf(source), points: source.points }
  const to = { engine: engineOf(destination), points: destination.points, writer: destination.writer }
  if (from.engine.ring.repo === to.engine.ring.repo) {
    throw new HoldfastError('ConfigInvalid', 'a repository cannot be mirrored into itself')
  }
  const { signal } = options
  await to.engine.view.refresh(to.engine.store, signal)
  const bySeries = await choose(from, options)
  const report: { points: MirroredPoint[]; there: number; removed: number; older: number } = {
    points: [],
    there: 0,
    removed: 0,
    older: 0,
  }
  const known = new Map<Stem, LoadedManifest>()
  for (const [series, entries] of bySeries) {
    const refused = options.dryRun === true ? undefined : await foreign(from.engine, to.engine, series, signal)
    if (refused !== undefined) {
      for (const { stem, createdMs } of entries)
        report.points.push({ ...there({ stem, createdMs }, stem), outcome: 'failed', problem: refused })
      continue
    }
    const target = await SeriesAtTarget.read(to.engine, to.points, series, signal)
    const newest = target.points[0]?.createdMs ?? -1
    /** What a dry run takes for mirrored. */
    let planned: Parent | undefined
    for (const entry of entries) {
      signal.throwIfAborted()
      const isNamed = options.points !== undefined
      const place = await target.targetOf(entry, isNamed && options.leaveRemoved !== true, signal)
      if (place.state === 'there') {
        report.there += 1
        const sides = { from, to, target, known }
        const isRead = options.readThere === true && options.dryRun !== true
        if (isNamed)
          report.points.push(isRead ? await readThere(sides, entry, place.stem, options) : there(entry, place.stem))
      } else if (place.state === 'removed') {
        report.removed += 1
        if (isNamed) report.points.push({ ...there(entry, place.stem), outcome: 'removed' })
      }
      // Its own retention may have removed it so long ago that nothing is left of it.
      else if (!isNamed && options.all !== true && entry.createdMs <= newest) report.older += 1
      else {
        const side = { from, to, target, known }
        const done = await one(side, entry, place, options, planned)
        report.points.push(done.point)
        planned = options.dryRun === true ? done.as : undefined
      }
    }
  }
  return report
}

/** Why nothing is copied: another installation writes this series there. It does not keep other series back. */
async function foreign(from: Engine, to: Engine, series: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await carryOwner(from, to, series, signal)
    return undefined
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'ForeignOwner') throw error
    return `${error.message}. ${error.hint}`
  }
}

/** Said of points that were asked for by name: which one there it is. */
function there({ stem, createdMs }: Pick<PointEntry, 'stem' | 'createdMs'>, target: Stem): MirroredPoint {
  return { stem, target, createdMs, vm: '', outcome: 'there', bytesStored: 0, bytesVerified: 0 }
}

/** Of a point that an earlier attempt has published: what it changed is read back from there. */
async function readThere(
  sides: Sides,
  entry: PointEntry,
  target: Stem,
  options: MirrorOptions,
): Promise<MirroredPoint> {
  const { from, to } = sides
  const { signal } = options
  const known = there(entry, target)
  try {
    const manifest = await loadManifest(from.engine.store, from.engine.ring, entry.stem, signal)
    if (manifest === undefined) throw notRestorable(entry.stem, 'has lost its manifest')
    const parent = await findParent(sides, entry, target, signal)
    const copy = await loadManifest(to.engine.store, to.engine.ring, target, signal)
    const job = { from: from.engine, to: to.engine, manifest, target, parent, signal }
    const bytesVerified = await readBack(job, options.verify ?? 'new')
    const lockUntilSec = copy?.body.json.retention.lockUntilSec ?? 0
    return { ...known, vm: manifest.body.json.vm.name, bytesVerified, lockUntilSec }
  } catch (error) {
    if (!isLoss(error)) throw error
    return { ...known, outcome: 'failed', problem: toHoldfastError(error).message }
  }
}

interface Parent {
  readonly stem: Stem
  readonly manifest: LoadedManifest
  readonly here: LoadedManifest
}

interface Sides {
  readonly from: MirrorSide
  readonly to: MirrorSide & { readonly writer: Writer }
  readonly target: SeriesAtTarget
  /** Manifests of this run: a point is the parent of the next one. */
  readonly known: Map<Stem, LoadedManifest>
}

async function one(
  sides: Sides,
  entry: PointEntry,
  place: Target,
  options: MirrorOptions,
  planned: Parent | undefined,
): Promise<{ readonly point: MirroredPoint; readonly as: Parent | undefined }> {
  const { from, to } = sides
  const { signal } = options
  const what = { stem: entry.stem, target: place.stem, createdMs: entry.createdMs }
  const failed = (error: unknown) => ({
    point: {
      ...what,
      vm: '',
      outcome: 'failed',
      bytesStored: 0,
      bytesVerified: 0,
      problem: toHoldfastError(error).message,
    } as const,
    as: undefined,
  })
  let manifest: LoadedManifest | undefined
  try {
    manifest = await loadManifest(from.engine.store, from.engine.ring, entry.stem, signal)
    if (manifest === undefined) throw notRestorable(entry.stem, 'has lost its manifest')
  } catch (error) {
    if (!isLoss(error)) throw error
    return failed(error)
  }
  const vm = manifest.body.json.vm.name
  const parent = planned ?? (await findParent(sides, entry, place.stem, signal))
  const job: MirrorJob = {
    from: from.engine,
    to: to.engine,
    writer: to.writer,
    entry,
    manifest,
    target: place.stem,
    parent,
    retention: options.retention,
    pace: options.pace,
    signal,
    onProgress: (disk, progress) =>
      options.onProgress({ stem: entry.stem, vm, disk: disk.id, diskBytes: disk.bytes, ...progress }),
  }
  try {
    if (options.dryRun === true) {
      let bytesStored = 0
      for (const { source } of mirroredDisks(job)) bytesStored += await source.needed(signal)
      const point = { ...what, vm, outcome: 'planned', bytesStored, bytesVerified: 0 } as const
      return { point, as: { stem: place.stem, manifest, here: manifest } }
    }
    const { bytesStored, lockUntilSec } = await mirrorPoint(job)
    const bytesVerified = await readBack(job, options.verify ?? 'new')
    return { point: { ...what, vm, outcome: 'mirrored', bytesStored, bytesVerified, lockUntilSec }, as: undefined }
  } catch (error) {
    if (!isLoss(error)) throw error
    return { ...failed(error), point: { ...failed(error).point, vm } }
  }
}

/** Of this point alone: the run goes on with the others. */
function isLoss(error: unknown): boolean {
  const codes = ['ChunkLost', 'FormatError', 'PointNotRestorable', 'CommitRefused']
  return isHoldfastError(error) && codes.includes(error.code)
}

/** Series with their points, oldest first. */
async function choose(from: MirrorSide, options: MirrorOptions): Promise<Map<string, PointEntry[]>> {
  const { series, points, signal } = options
  const wanted = points === undefined ? undefined : new Set(points)
  const only = series ?? (points && [...new Set(points.map(seriesOf))])
  const chosen = new Map<string, PointEntry[]>()
  for (const one of only ?? [undefined]) {
    for await (const entry of from.points.list({
      ...(one !== undefined && { series: one }),
      signal,
      unreadable: 'show',
    })) {
      if (wanted !== undefined && !wanted.delete(entry.stem)) continue
      if (!isWhole(entry)) {
        if (wanted === undefined) continue
        throw notRestorable(entry.stem, `is ${entry.state.replaceAll('-', ' ')}`)
      }
      chosen.set(entry.series, [...(chosen.get(entry.series) ?? []), entry])
    }
  }
  const [missing] = wanted ?? []
  if (missing !== undefined) throw new HoldfastError('NotFound', `there is no point ${missing} in the repository`)
  for (const entries of chosen.values()) entries.sort((a, b) => a.createdMs - b.createdMs)
  return chosen
}

/** The newest point there that is older and is a copy, or the original, of a point here. */
async function findParent(
  sides: Sides,
  entry: PointEntry,
  target: Stem,
  signal: AbortSignal,
): Promise<Parent | undefined> {
  const { to } = sides
  // What this run has published is not in the listing that was made before it.
  const fresh = await SeriesAtTarget.read(to.engine, to.points, entry.series, signal)
  const older = fresh.points.filter(({ createdMs, stem }) => createdMs <= entry.createdMs && stem !== target)
  for (const { stem } of older.slice(0, PARENT_CANDIDATES)) {
    const manifest = await manifestOf(sides, to, stem, signal)
    if (manifest === undefined) continue
    const here = await originalOf(sides, manifest, signal)
    if (here !== undefined && here.stem !== entry.stem) return { stem, manifest, here }
  }
  return undefined
}

/** The point here that is the same as one there (§4.4 `source`). */
async function originalOf(
  sides: Sides,
  there: LoadedManifest,
  signal: AbortSignal,
): Promise<LoadedManifest | undefined> {
  const { from, to } = sides
  const { source } = there.body.json
  const { series, createdMs, snap } = parseStem(there.stem)
  for await (const entry of from.points.list({ series, signal, unreadable: 'show' })) {
    if (entry.createdMs !== createdMs || !isWhole(entry)) continue
    const here = await manifestOf(sides, from, entry.stem, signal)
    const back = here?.body.json.source
    const isCopy = source?.repo === from.engine.ring.repo && source.snap === entry.snap
    const isOriginal = back?.repo === to.engine.ring.repo && back.snap === snap
    const areSiblings = source !== undefined && source.repo === back?.repo && source.snap === back.snap
    if (isCopy || isOriginal || areSiblings) return here
  }
  return undefined
}

/** undefined: damaged or gone, and nothing to inherit from. */
async function manifestOf(
  { known }: Sides,
  { engine }: MirrorSide,
  stem: Stem,
  signal: AbortSignal,
): Promise<LoadedManifest | undefined> {
  const key = `${engine.ring.repo} ${stem}`
  const seen = known.get(key)
  if (seen !== undefined) return seen
  try {
    const manifest = await loadManifest(engine.store, engine.ring, stem, signal)
    // The last few are enough: each point is asked for again as the parent of the next.
    if (known.size >= 8) known.delete([...known.keys()][0] ?? '')
    if (manifest !== undefined) known.set(key, manifest)
    return manifest
  } catch (error) {
    if (isLoss(error)) return undefined
    throw error
  }
}
