import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, parseStem, type SnapKind } from '../format/index.ts'
import { isFormatProblem, loadManifest } from '../read/manifest.ts'
import type { Points } from '../read/points.ts'
import { listAll } from '../store/index.ts'
import type { PointEntry, Stem } from '../types.ts'

/** What becomes of a point in the other repository. */
export type Target =
  /** To be made, or to be completed, under this name. */
  | { readonly state: 'wanted'; readonly stem: Stem }
  | { readonly state: 'there'; readonly stem: Stem }
  /** The other repository's own retention, or somebody, has removed it. */
  | { readonly state: 'removed'; readonly stem: Stem }

/** Names that one point may try; each is given up for good by a tombstone or by damage. */
const MAX_NAMES = 64

/** What one series holds in the repository that is mirrored to. */
export class SeriesAtTarget {
  readonly #engine: Engine
  readonly #kinds: ReadonlyMap<Stem, ReadonlySet<SnapKind>>
  readonly #entries: ReadonlyMap<Stem, PointEntry>

  private constructor(
    engine: Engine,
    kinds: ReadonlyMap<Stem, ReadonlySet<SnapKind>>,
    entries: ReadonlyMap<Stem, PointEntry>,
  ) {
    this.#engine = engine
    this.#kinds = kinds
    this.#entries = entries
  }

  static async read(engine: Engine, points: Points, series: string, signal: AbortSignal): Promise<SeriesAtTarget> {
    const kinds = new Map<Stem, Set<SnapKind>>()
    for (const { name } of await listAll(engine.store, `snap/${series}/`)) {
      const parsed = parseName(name)
      if (parsed === undefined || !('stem' in parsed)) continue
      kinds.set(parsed.stem, (kinds.get(parsed.stem) ?? new Set()).add(parsed.kind))
    }
    const entries = new Map<Stem, PointEntry>()
    for await (const entry of points.list({ series, signal, unreadable: 'show' })) entries.set(entry.stem, entry)
    return new SeriesAtTarget(engine, kinds, entries)
  }

  /** Recovery points, newest first. */
  get points(): PointEntry[] {
    return [...this.#entries.values()].filter(isWhole).sort((a, b) => b.createdMs - a.createdMs)
  }

  /**
   * §13: a mirrored point keeps its name; one that was removed there, or whose objects are damaged there, and that is wanted
   * again gets a fresh snapUUID, the same in every attempt. `again`: it is wanted although it was removed.
   */
  async targetOf(point: PointEntry, again: boolean, signal: AbortSignal): Promise<Target> {
    const { series, createdMs, snap } = point
    for (let n = 0; n < MAX_NAMES; n++) {
      const stem = names.stem(series, createdMs, n === 0 ? snap : freshSnap(snap, n))
      const kinds = this.#kinds.get(stem)
      if (kinds === undefined) return { state: 'wanted', stem }
      const entry = this.#entries.get(stem)
      if (entry?.unreadable !== undefined) {
        throw new HoldfastError(
          'StoreUnavailable',
          `${entry.unreadable.object} cannot be read now: nobody knows whether ${stem} is there`,
        )
      }
      if (entry !== undefined && isWhole(entry) && (!again || (await this.#opens(stem, signal)))) {
        return { state: 'there', stem }
      }
      if (kinds.has('tombstone') || kinds.has('abandon')) {
        if (!again) return { state: 'removed', stem }
        continue
      }
      // Published and never validated: it is completed, unless what is there cannot be.
      const complete = kinds.has('manifest') && !kinds.has('validated') && (await this.#opens(stem, signal))
      if (complete) return { state: 'wanted', stem }
    }
    throw new HoldfastError('CommitRefused', `every name that ${point.stem} may have in the mirror is used up`)
  }

  /** Damage costs the name; what cannot be read now throws. */
  async #opens(stem: Stem, signal: AbortSignal): Promise<boolean> {
    try {
      return (await loadManifest(this.#engine.store, this.#engine.ring, stem, signal)) !== undefined
    } catch (error) {
      if (isFormatProblem(error)) return false
      throw error
    }
  }
}

/** It restores as it stands (§3.3). */
export function isWhole({ state, validatedMs }: PointEntry): boolean {
  return state === 'recovery-point' || (state === 'held' && validatedMs !== null)
}

/** The n-th name after the own one: derived, so that a mirror that was cut off goes on under it. */
function freshSnap(snap: string, n: number): string {
  return createHash('sha256').update(`holdfast/r1/mirror-snap\0${snap}\0${n}`).digest('hex').slice(0, 32)
}

/** Session of a point's mirror run: the same in every attempt, as long as parent and name are. */
export function sessionOf(parts: readonly string[]): string {
  return createHash('sha256')
    .update(['holdfast/r1/mirror-session', ...parts].join('\0'))
    .digest('hex')
    .slice(0, 32)
}

export function seriesOf(stem: Stem): string {
  return parseStem(stem).series
}
