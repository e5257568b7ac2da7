import type { Catalog } from '../catalog/index.ts'
import { bandwidthAt } from '../policy/index.ts'

/** How many copies of one process share a limit. */
export interface MovingCopies {
  /** `plan/nightly` */
  readonly key: string
  readonly copies: number
}

export interface BandwidthShare {
  readonly key: string
  /** null: nothing limits it now. */
  readonly bytesPerSecond: number | null
}

/** A process that has not asked for so long moves nothing any more. */
const forgottenMs = 10_000

interface Report {
  readonly ms: number
  readonly copies: ReadonlyMap<string, number>
}

/**
 * Divides each limit among the processes that copy under it, by how many copies each has under way. What they report is a
 * lease of ten seconds: a killed one gives its share back by itself, and a server that comes back knows all of them after
 * one round.
 */
export class BandwidthShares {
  readonly #catalog: Catalog
  readonly #now: () => number
  readonly #reports = new Map<string, Report>()

  constructor(catalog: Catalog, now: () => number) {
    this.#catalog = catalog
    this.#now = now
  }

  /**
   * `worker`: names the process. Answers what it may do now. What nobody here knows is left out: it goes on with the limit
   * that its copies began with.
   */
  report(worker: string, moving: readonly MovingCopies[]): BandwidthShare[] {
    const now = this.#now()
    this.#reports.set(worker, { ms: now, copies: new Map(moving.map(({ key, copies }) => [key, copies])) })
    for (const [name, { ms }] of this.#reports) if (now - ms > forgottenMs) this.#reports.delete(name)
    return moving.flatMap(({ key, copies }): BandwidthShare[] => {
      const limit = this.#limitOf(key, now)
      if (limit === undefined) return []
      if (limit === null) return [{ key, bytesPerSecond: null }]
      const all = [...this.#reports.values()].reduce((sum, report) => sum + (report.copies.get(key) ?? 0), 0)
      return [{ key, bytesPerSecond: Math.floor((limit * copies) / Math.max(1, all)) }]
    })
  }

  /** What the plan says now: a change counts with the next report. null: no limit; undefined: no such plan. */
  #limitOf(key: string, nowMs: number): number | null | undefined {
    const [kind, name = ''] = key.split('/')
    const plan = kind === 'plan' ? this.#catalog.plans.find(name) : undefined
    return plan && bandwidthAt(plan.bandwidth, plan.timeZone, nowMs).bytesPerSecond
  }
}
