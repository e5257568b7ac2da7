import { HoldfastError, locationText } from '../../base/index.ts'
import { surveyParts } from '../../activities/retention/blob.ts'
import type { HoldEntry, PointEntry, Repository, RetentionPoint, SeriesHead } from '../../repository/index.ts'

/**
 * A repository as retention and the watchdog see it: names, times, tombstones, holds, and the guards that keep what no plan
 * may take. How the real one keeps its promises is shown by its own tests, its model and its simulation.
 */
export class SimStore {
  readonly id: string
  readonly #uuid: string
  readonly #points = new Map<string, RetentionPoint>()
  readonly #removed = new Set<string>()
  #holds: readonly HoldEntry[] = []
  isAway = false
  refusals = 0

  constructor(id: string, nth: number) {
    this.id = id
    this.#uuid = String(nth).repeat(32).slice(0, 32)
  }

  get stems(): ReadonlySet<string> {
    return new Set(this.#points.keys())
  }

  put(point: Omit<RetentionPoint, 'guard' | 'lockedUntilMs' | 'retentionClass'>): void {
    this.#points.set(point.stem, { ...point, retentionClass: '', lockedUntilMs: null, guard: null })
  }

  hold(snap: string, ms: number): void {
    const name = `hold/${snap}`
    this.#holds = [...this.#holds, { name, snap, type: 'pin', actor: 'operator', reason: 'kept', ms }]
  }

  release(snap: string): void {
    this.#holds = this.#holds.filter((hold) => hold.snap !== snap)
  }

  /** As `surveyRetention` hands it in. */
  survey(): ReturnType<typeof surveyParts> {
    const newest = this.#newest()
    const held = new Set(this.#holds.map(({ snap }) => snap))
    const points = [...this.#points.values()].map((point): RetentionPoint => ({
      ...point,
      guard: newest.has(point.stem) ? 'newest' : held.has(point.snap) ? 'held' : null,
    }))
    return surveyParts(this.id, points, [...this.#removed], this.#holds)
  }

  /** What the guards keep is refused, whatever the plan says. */
  tombstone(stems: readonly string[]): { readonly stem: string; readonly why: string }[] {
    const newest = this.#newest()
    const held = new Set(this.#holds.map(({ snap }) => snap))
    const refused = stems.flatMap((stem) => {
      const why = newest.has(stem) ? 'newest' : held.has(stem.slice(-32)) ? 'held' : null
      return why === null ? [] : [{ stem, why }]
    })
    const kept = new Set(refused.map(({ stem }) => stem))
    for (const stem of stems) {
      if (kept.has(stem) || !this.#points.delete(stem)) continue
      this.#removed.add(stem)
    }
    this.refusals += refused.length
    return refused
  }

  #newest(): Set<string> {
    const of = new Map<string, RetentionPoint>()
    for (const point of this.#points.values())
      if ((of.get(point.series)?.timeMs ?? 0) < point.timeMs) of.set(point.series, point)
    return new Set([...of.values()].map(({ stem }) => stem))
  }

  /** For the watchdog. */
  open(): Repository {
    this.#reach()
    const entry = ({ stem, series, snap, timeMs }: RetentionPoint): PointEntry => ({
      ...{ stem, series, snap, createdMs: timeMs, validatedMs: timeMs },
      state: 'recovery-point',
    })
    const all = this.#points
    const reach = (): void => this.#reach()
    return {
      id: this.#uuid,
      async *heads(): AsyncGenerator<SeriesHead> {
        reach()
        for (const [series, own] of Map.groupBy(all.values(), (point) => point.series)) {
          const [first] = own.toSorted((a, b) => b.timeMs - a.timeMs)
          if (first !== undefined)
            yield { series, newest: entry(first), standing: own.map(({ snap }) => snap), unreadable: null }
        }
      },
      async *listPoints() {
        yield* [...all.values()].map(entry)
      },
      removedPoints: async () => [...this.#removed],
      [Symbol.asyncDispose]: async () => undefined,
    } as unknown as Repository
  }

  #reach(): void {
    if (this.isAway) throw new HoldfastError('StoreUnavailable', `${this.id} does not answer`)
  }
}

export function storeAt(stores: ReadonlyMap<string, SimStore>, location: Parameters<typeof locationText>[0]): SimStore {
  const found = [...stores.values()].find(({ id }) => locationText(location).endsWith(`/${id}`))
  if (found === undefined) throw new HoldfastError('RepositoryMissing', `nothing is at ${locationText(location)}`)
  return found
}
