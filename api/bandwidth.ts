import type { Catalog } from '../catalog/index.ts'
import { bandwidthAt, parseLinkKey, type BandwidthLimit, type Weekday } from '../policy/index.ts'

/** How many copies of one process share a limit. */
export interface MovingCopies {
  /** `plan/nightly`, `link/lab/main/backup` */
  readonly key: string
  readonly copies: number
}

type LimitView = Omit<BandwidthLimit, 'days'> & { days?: Weekday[] }

/** As answers have it. */
export function limitsView(limits: readonly BandwidthLimit[]): LimitView[] {
  return limits.map(({ days, ...limit }) => ({ ...limit, ...(days !== undefined && { days: [...days] }) }))
}

interface Limit {
  readonly limits: readonly BandwidthLimit[]
  readonly timeZone: string
}
export interface BandwidthShare {
  readonly key: string
  /** null: nothing limits it now. */
  readonly bytesPerSecond: number | null
  /** By which a mover goes on where it cannot ask any more. */
  readonly limits: LimitView[]
  readonly timeZone: string
}

/** A process that has not asked for so long moves nothing any more. */
const forgottenMs = 10_000
const noLimit: Limit = { limits: [], timeZone: 'UTC' }

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
   * that its copies began with. `site`: of its token; null: any. A worker of one site takes no share of what is between ends
   * of another.
   */
  report(worker: string, all: readonly MovingCopies[], site: string | null = null): BandwidthShare[] {
    const now = this.#now()
    const moving = site === null ? all : all.filter(({ key }) => this.#concerns(key, site))
    const name = site === null ? worker : `${site}/${worker}`
    this.#reports.set(name, { ms: now, copies: new Map(moving.map(({ key, copies }) => [key, copies])) })
    return moving.flatMap(({ key, copies }): BandwidthShare[] => {
      const limit = this.#limitOf(key)
      if (limit === undefined) return []
      const { bytesPerSecond: all } = bandwidthAt(limit.limits, limit.timeZone, now)
      const bytesPerSecond = all === null ? null : Math.floor((all * copies) / Math.max(1, this.copies(key)))
      return [{ key, bytesPerSecond, limits: limitsView(limit.limits), timeZone: limit.timeZone }]
    })
  }

  /** Of all processes that have asked of late. */
  copies(key: string): number {
    const now = this.#now()
    for (const [name, { ms }] of this.#reports) if (now - ms > forgottenMs) this.#reports.delete(name)
    return [...this.#reports.values()].reduce((sum, report) => sum + (report.copies.get(key) ?? 0), 0)
  }

  #concerns(key: string, site: string): boolean {
    const { hypervisorId = null, repositoryId = null } = parseLinkKey(key) ?? {}
    const { endpoints, repositories } = this.#catalog
    return (
      (hypervisorId === null ||
        endpoints.find(hypervisorId)?.site === site ||
        (repositoryId === null && this.#isFollowed(hypervisorId, site))) &&
      (repositoryId === null || repositories.find(repositoryId)?.site === site)
    )
  }

  /** A standby is written by workers of its own site, and a failback by those of the source: they read the other end. */
  #isFollowed(hypervisorId: string, site: string): boolean {
    const { endpoints, replications, vms } = this.#catalog
    return replications.list().some(({ vmId, endpointId }) => {
      const ends = [vms.get(vmId).endpointId, endpointId]
      return ends.includes(hypervisorId) && ends.some((one) => endpoints.find(one)?.site === site)
    })
  }

  /** What is said now: a change counts with the next report. undefined: there is no such plan. */
  #limitOf(key: string): Limit | undefined {
    const link = parseLinkKey(key)
    if (link !== null) {
      const found = this.#catalog.links.find(link)
      return found === undefined ? noLimit : { limits: found[link.direction], timeZone: found.timeZone }
    }
    const [kind, name = ''] = key.split('/')
    const plan = kind === 'plan' ? this.#catalog.plans.find(name) : undefined
    return plan && { limits: plan.bandwidth, timeZone: plan.timeZone }
  }
}
