import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseStem } from '../format/index.ts'
import { loadManifest } from '../read/manifest.ts'
import type { Points } from '../read/points.ts'
import { listAll } from '../store/index.ts'
import { requireCollectable } from './collectable.ts'
import { isLive, readPlans, requireClock } from './sessions.ts'
import { cleanAbandoned, putTombstone, removeTombstoned } from './tombstones.ts'
import type { PruneOptions, PruneReport, RetentionPoint } from './types.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
/** §11.1: how far the time of a point may be from the store's time of its manifest. */
const EARLIER_MS = 7 * DAY
const LATER_MS = 10 * 60 * 1000
const MAX_SHARE = 0.5

/**
 * Every recovery point as keep rules see it (§11.1), newest first inside a series. Throws for one that cannot be read.
 * `series`: only of these.
 */
export async function retentionPoints(
  engine: Engine,
  points: Points,
  signal: AbortSignal,
  series?: readonly string[],
): Promise<RetentionPoint[]> {
  const nowMs = Number(await engine.store.now())
  const parents = new Set<string>()
  for await (const session of readPlans(engine, signal)) {
    if (isLive(session, nowMs) && session.plan?.parent !== undefined && session.plan.parent !== null) {
      parents.add(session.plan.parent)
    }
  }
  const stored = new Map<string, number>()
  for (const prefix of series?.map((one) => `snap/${one}/`) ?? ['snap/']) {
    for (const { name, modified } of await listAll(engine.store, prefix)) stored.set(name, Number(modified))
  }
  const found: RetentionPoint[] = []
  const newest = new Set<string>()
  for await (const { stem, snap, entry, held } of surveyOf(points, signal, series)) {
    if (entry?.state !== 'recovery-point') continue
    const manifest = await loadManifest(engine.store, engine.ring, stem, signal)
    if (manifest === undefined) continue
    const { vm, point, source, retention } = manifest.body.json
    const { createdMs } = entry
    const isNewest = !newest.has(entry.series)
    newest.add(entry.series)
    const lockedUntilMs = manifest.header.lockUntilSec * 1000
    const isLocked = lockedUntilMs > nowMs
    const guard = isNewest
      ? 'newest'
      : held
        ? 'held'
        : isLocked
          ? 'locked'
          : parents.has(snap)
            ? 'parent of a live session'
            : null
    const timeMs = source?.retentionMs ?? clamp(createdMs, stored.get(names.snap(stem, 'manifest')) ?? createdMs)
    const until = isLocked ? lockedUntilMs : null
    const what = { stem, series: entry.series, snap, vm: vm.name, origin: point.origin, timeMs }
    found.push({ ...what, retentionClass: retention.class, guard, lockedUntilMs: until })
  }
  return found
}

async function* surveyOf(
  points: Points,
  signal: AbortSignal,
  series: readonly string[] | undefined,
): ReturnType<Points['survey']> {
  if (series === undefined) yield* points.survey(signal)
  else for (const one of series) yield* points.survey(signal, one)
}

/** Stems that are effectively tombstoned and still remembered (§11.3), whether or not anything else of them is left. */
export async function removedPoints(points: Points, signal: AbortSignal): Promise<string[]> {
  const removed: string[] = []
  for await (const { stem, tombstoned, held } of points.survey(signal)) if (tombstoned && !held) removed.push(stem)
  return removed
}

/** Writers cannot push good points out by dating theirs far from when they were stored. */
function clamp(createdMs: number, storedMs: number): number {
  return Math.min(Math.max(createdMs, storedMs - EARLIER_MS), storedMs + LATER_MS)
}

/**
 * §11.1, §11.3, §11.4: puts tombstones on points, abandons manifests whose sessions are long over, and removes what is
 * effectively tombstoned. Never the newest recovery point of a series, nor a held or a locked one, nor the parent of a live session. Again:
 * yes. Throws RetentionRefused before anything is changed.
 */
export async function prune(engine: Engine, points: Points, options: PruneOptions): Promise<PruneReport> {
  const { reason, actor, dryRun = false, tidy = true, maxShare = MAX_SHARE, abandonAfterMs = DAY, signal } = options
  await requireCollectable(engine, signal)
  const nowMs = await requireClock(engine)
  // Only series that lose something are looked at: a sweep comes with one batch after the other.
  const series = [...new Set(options.remove.map(({ stem }) => stem.split('/')[1] ?? ''))]
  const known = new Map((await retentionPoints(engine, points, signal, series)).map((point) => [point.stem, point]))
  const states = new Map<string, { readonly tombstoned: boolean; readonly held: boolean }>()
  for await (const { stem, tombstoned, held } of surveyOf(points, signal, series)) {
    states.set(stem, { tombstoned, held })
  }
  const refused: { stem: string; why: string }[] = []
  const chosen = options.remove.filter(({ stem }) => {
    const state = states.get(stem)
    if (state?.tombstoned === true && !state.held) return false
    const why = state === undefined ? 'there is no such point' : guardOf(known.get(stem), state.held)
    if (why !== null) refused.push({ stem, why })
    return why === null
  })
  requireShare([...known.values()], new Set(chosen.map(({ stem }) => stem)), maxShare)
  const wanted = chosen.map(({ stem }) => stem)
  if (dryRun) return { dryRun, tombstoned: wanted, refused, abandoned: [], removed: 0, locked: 0, forgotten: 0 }
  for (const { stem, policy } of chosen) {
    await putTombstone(engine, stem, { reason, actor, ...(policy !== undefined && { policy }) }, signal)
  }
  // A hold that was confirmed meanwhile keeps its point: who put the tombstone lists `hold/` after it as well (§11.2).
  const held = chosen.length === 0 ? new Set<string>() : await points.held()
  const isHeld = (stem: string): boolean => held.has(parseStem(stem).snap)
  const tombstoned = wanted.filter((stem) => !isHeld(stem))
  for (const stem of wanted) if (isHeld(stem)) refused.push({ stem, why: 'held' })
  if (!tidy) return { dryRun, tombstoned, refused, abandoned: [], removed: 0, locked: 0, forgotten: 0 }
  const abandoned = await cleanAbandoned(engine, points, { nowMs, afterMs: abandonAfterMs, actor, signal })
  const { removed, locked, forgotten } = await removeTombstoned(engine, points, nowMs, signal)
  return { dryRun, tombstoned, refused, abandoned, removed, locked, forgotten }
}

/** Why a point may not be removed, in words; null: it may. */
function guardOf(point: RetentionPoint | undefined, held: boolean): string | null {
  const guard = point?.guard ?? (held ? 'held' : null)
  if (guard !== 'locked') return guard
  return `locked until ${new Date(point?.lockedUntilMs ?? 0).toISOString()}`
}

/** A sweep that takes more than its share of a series is more likely a mistake than a wish. */
function requireShare(points: readonly RetentionPoint[], chosen: ReadonlySet<string>, maxShare: number): void {
  for (const [series, all] of Map.groupBy(points, (point) => point.series)) {
    const going = all.filter(({ stem }) => chosen.has(stem)).length
    if (going <= 1 || going <= maxShare * all.length) continue
    throw new HoldfastError(
      'RetentionRefused',
      `${going} of ${all.length} points of ${all[0]?.vm ?? series} would go at once`,
      {
        data: { series, going, points: all.length },
      },
    )
  }
}
