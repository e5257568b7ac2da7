import { randomBytes } from 'node:crypto'
import type { Engine } from '../engine.ts'
import { abandonKind, decodeRoster, names, parseName, parseStem, toHex, tombstoneKind } from '../format/index.ts'
import { protectJson } from '../keys/index.ts'
import { listStem } from '../read/manifest.ts'
import type { Points } from '../read/points.ts'
import { getObject, getWhole, isAbsent, listAll } from '../store/index.ts'
import { putSmall } from '../write/session-log.ts'
import { removeObject } from './remove.ts'
import { readPlans } from './sessions.ts'

const DAY = 24 * 60 * 60 * 1000
/** `.a` and `.t` stay so long after they were put (§11.3). */
const REMEMBER_MS = 30 * DAY

/** §11.1: removing a point is PUT `.t`; it takes effect for the next G3b. Again: yes, the first one stays. */
export async function putTombstone(
  engine: Engine,
  stem: string,
  why: { readonly reason: 'retention' | 'operator' | 'abandoned'; readonly policy?: string; readonly actor: string },
  signal: AbortSignal,
): Promise<void> {
  const { ring } = engine
  const fields = { repo: ring.repo, snap: parseStem(stem).snap, ...why, decidedMs: engine.clock() }
  const body = protectJson(tombstoneKind, fields, ring, 'maintenance')
  await putSmall(engine.store, names.snap(stem, 'tombstone'), body, signal)
}

/**
 * §11.3: of what is effectively tombstoned, `.ok` goes, then `.m`; `.a` and `.t` follow when both are gone, no present roster
 * names the snapshot and 30 days have passed. `snap/` was listed before `hold/`, so no hold that was confirmed is overlooked.
 */
export async function removeTombstoned(
  engine: Engine,
  points: Points,
  nowMs: number,
  signal: AbortSignal,
): Promise<{ readonly removed: number; readonly locked: number; readonly forgotten: number }> {
  let removed = 0
  let locked = 0
  let forgotten = 0
  const gone: { readonly stem: string; readonly snap: string }[] = []
  for await (const { stem, snap, present, tombstoned, held } of points.survey(signal)) {
    if (!tombstoned || held) continue
    const left = present.has('validated') || present.has('manifest')
    if (!left) {
      gone.push({ stem, snap })
      continue
    }
    // In this order, so `.m` stays if `.ok` does (§11.3). What is locked goes with the first sweep after its retention.
    const kinds = ['validated', 'manifest'] as const
    let isGone = true
    for (const kind of kinds) {
      isGone &&= (await removeObject(engine.store, names.snap(stem, kind))) === 'removed'
    }
    if (isGone) removed += 1
    else locked += 1
  }
  if (gone.length === 0) return { removed, locked, forgotten }
  const remembered = await inRosters(engine, signal)
  for (const { stem, snap } of gone) {
    if (remembered.has(snap) || !(await isForgettable(engine, stem, nowMs))) continue
    // An intent alone says nothing: the tombstone goes last.
    if ((await removeObject(engine.store, names.snap(stem, 'abandon'))) === 'locked') continue
    if ((await removeObject(engine.store, names.snap(stem, 'tombstone'))) === 'locked') continue
    forgotten += 1
  }
  return { removed, locked, forgotten }
}

/** A fresh look: what a listing has shown a while ago may be there again. */
async function isForgettable(engine: Engine, stem: string, nowMs: number): Promise<boolean> {
  const { manifest, validated } = await listStem(engine.store, stem)
  const tombstone = await engine.store.head(names.snap(stem, 'tombstone'))
  return (
    manifest === undefined && !validated && tombstone !== undefined && Number(tombstone.modified) + REMEMBER_MS <= nowMs
  )
}

async function inRosters(engine: Engine, signal: AbortSignal): Promise<Set<string>> {
  const snaps = new Set<string>()
  for (const { name } of await listAll(engine.store, 'gc/')) {
    if (parseName(name)?.kind !== 'roster') continue
    try {
      // One that is not genuine remembers as well: it keeps a tombstone, nothing else.
      for (const snap of decodeRoster(await getObject(engine.store, name, signal)).snaps) snaps.add(snap)
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
  }
  return snaps
}

/**
 * §11.4, the cleaner: a manifest without `.ok` whose session has been over for so long gets an intent, and, if there is still no
 * `.ok` after it, a tombstone. Its writer may be asleep: it looks for both after its `.ok`.
 */
export async function cleanAbandoned(
  engine: Engine,
  points: Points,
  options: { readonly nowMs: number; readonly afterMs: number; readonly actor: string; readonly signal: AbortSignal },
): Promise<string[]> {
  const { nowMs, afterMs, actor, signal } = options
  const unvalidated: string[] = []
  for await (const { stem, present } of points.survey(signal)) {
    if (present.has('manifest') && !present.has('validated') && !present.has('tombstone')) unvalidated.push(stem)
  }
  if (unvalidated.length === 0) return []
  const ends = new Map<string, number>()
  for await (const { endMs, plan } of readPlans(engine, signal)) {
    // It may be anybody's: nothing is abandoned while it may go on.
    if (plan === undefined && endMs + afterMs > nowMs) return []
    if (plan !== undefined) ends.set(plan.snap, Math.max(endMs, ends.get(plan.snap) ?? 0))
  }
  const cleaned: string[] = []
  for (const stem of unvalidated) {
    const { snap } = parseStem(stem)
    const manifest = await engine.store.head(names.snap(stem, 'manifest'))
    // No session any more: it was swept, long after it was over. But a manifest just written is somebody's.
    const endMs = Math.max(ends.get(snap) ?? 0, Number(manifest?.modified ?? 0))
    if (manifest === undefined || endMs + afterMs > nowMs) continue
    if (await abandon(engine, stem, actor, signal)) cleaned.push(stem)
  }
  return cleaned
}

/** PUT `.a`, look for `.ok`, PUT `.t`. Whether it was abandoned. */
async function abandon(engine: Engine, stem: string, actor: string, signal: AbortSignal): Promise<boolean> {
  const { ring, store } = engine
  const fields = { repo: ring.repo, snap: parseStem(stem).snap, owner: toHex(randomBytes(16)), ms: engine.clock() }
  await putSmall(store, names.snap(stem, 'abandon'), protectJson(abandonKind, fields, ring, 'maintenance'), signal)
  if ((await getWhole(store, names.snap(stem, 'validated'), signal)) !== undefined) return false
  await putTombstone(engine, stem, { reason: 'abandoned', actor }, signal)
  return true
}
