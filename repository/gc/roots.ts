import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { decodeRoster, parseName } from '../format/index.ts'
import { isGenuine } from '../keys/index.ts'
import type { Points } from '../read/points.ts'
import { getObject, isAbsent, listAll } from '../store/index.ts'

/** A snapshot whose blobs are kept (§2). */
export interface Root {
  readonly stem: string
  readonly snap: string
  /** A recovery point: nothing that it needs may be missing. Without it, what is proved absent is skipped (§9.2). */
  readonly strict: boolean
}

export interface RootListing {
  /** Recovery points first. */
  readonly roots: readonly Root[]
  /** Names of the rosters that were read: one that lists these roots takes their place. */
  readonly rosters: readonly string[]
}

const MAX_TRIES = 3

/**
 * Roots of §9.2: LIST `snap/`, then `hold/`, without what is effectively tombstoned; every snapshot that a roster or the
 * caller knows must be accounted for, else the listing was short. Throws CollectionAborted and what the store throws.
 */
export async function listRoots(
  engine: Engine,
  points: Points,
  known: Iterable<string>,
  signal: AbortSignal,
): Promise<RootListing> {
  const expected = [...known]
  for (let tries = 1; ; tries++) {
    // Rosters first: what they name was listed before they were written.
    const rosters = await readRosters(engine, signal)
    const { roots, accounted } = await survey(points, signal)
    const missing =
      expected.find((snap) => !accounted.has(snap)) ??
      [...rosters.values()].flatMap((snaps) => snaps.filter((snap) => !accounted.has(snap)))[0]
    if (missing === undefined) return { roots, rosters: [...rosters.keys()] }
    // A roster may have been merged, and what it remembered removed, between the two listings.
    if (tries < MAX_TRIES) continue
    throw new HoldfastError('CollectionAborted', `snapshot ${missing} is known and is not in the listing of snap/`, {
      hint: 'Nothing was deleted. The store leaves objects out of listings, or somebody removed the point: bring it back, or put a tombstone on it.',
      data: { snap: missing },
    })
  }
}

async function survey(
  points: Points,
  signal: AbortSignal,
): Promise<{ readonly roots: Root[]; readonly accounted: ReadonlySet<string> }> {
  const strict: Root[] = []
  const mild: Root[] = []
  const accounted = new Set<string>()
  for await (const { stem, snap, entry, tombstoned } of points.survey(signal)) {
    if (entry === undefined) {
      if (tombstoned) accounted.add(snap)
      continue
    }
    accounted.add(snap)
    switch (entry.state) {
      case 'recovery-point':
        strict.push({ stem, snap, strict: true })
        break
      case 'not-validated':
      case 'held':
        mild.push({ stem, snap, strict: false })
        break
      case 'tombstoned':
        break
      case 'manifest-lost':
        throw aborted(stem, 'is validated and its manifest is gone')
      default:
        throw aborted(stem, `is ${entry.state.replaceAll('-', ' ')}: what it needs is not known`)
    }
  }
  return { roots: [...strict, ...mild], accounted }
}

/** Snapshots that each present roster names. One that is damaged or not genuine ends the run: it may name what is lost. */
async function readRosters(engine: Engine, signal: AbortSignal): Promise<Map<string, readonly string[]>> {
  const rosters = new Map<string, readonly string[]>()
  for (const { name } of await listAll(engine.store, 'gc/')) {
    const parsed = parseName(name)
    if (parsed?.kind !== 'roster') continue
    try {
      const roster = decodeRoster(await getObject(engine.store, name, signal))
      const named = roster.epoch === parsed.epoch && roster.nonce === parsed.nonce
      if (!named || roster.repo !== engine.ring.repo || !isGenuine(roster, engine.ring)) {
        throw new HoldfastError('RecordForged', `${name} is not genuine`, { data: { record: name } })
      }
      rosters.set(name, roster.snaps)
    } catch (error) {
      // Merged by another run since the listing.
      if (!isAbsent(error)) throw error
    }
  }
  return rosters
}

export function aborted(stem: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('CollectionAborted', `${stem} ${why}`, { cause, data: { stem } })
}
