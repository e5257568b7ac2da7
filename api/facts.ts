import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, isHoldfastError } from '../base/index.ts'
import type { RunFacts } from '../runbook/types.ts'
import type { RunView } from '../catalog/index.ts'
import { controlQueue, siteQueue } from '../workflows/shared/queues.ts'
import type { ApiDeps } from './deps.ts'
import type { Poller } from './orchestrator.ts'

/** Sites that some endpoint or repository names: each needs a worker. */
export function sitesOf({ catalog }: Pick<ApiDeps, 'catalog'>): string[] {
  return [...new Set([...catalog.endpoints.sites(), ...catalog.repositories.sites()])].sort()
}

export function queuesOf(deps: Pick<ApiDeps, 'catalog'>): { readonly queue: string; readonly site: string | null }[] {
  return [{ queue: controlQueue, site: null }, ...sitesOf(deps).map((site) => ({ queue: siteQueue(site), site }))]
}

/**
 * A worker that waits asks again at least once a minute (Temporal's long poll), but the engine remembers for five minutes
 * whom it has seen: one that has not asked for this long is gone, whatever the list says.
 */
const silentAfterMs = 90_000

/** Who works on a queue now, and when anybody was last seen there. Throws TemporalUnavailable. */
export async function workersOn(
  { orchestrator, now }: Pick<ApiDeps, 'orchestrator' | 'now'>,
  queue: string,
): Promise<SiteWorkers> {
  const pollers = await orchestrator.pollers(queue)
  const seen = pollers.map((poller) => poller.lastSeenMs).filter((ms) => ms !== null)
  return {
    workers: pollers.filter(({ lastSeenMs }) => lastSeenMs === null || now() - lastSeenMs <= silentAfterMs),
    lastSeenMs: seen.length === 0 ? null : Math.max(...seen),
  }
}

export interface SiteWorkers {
  readonly workers: Poller[]
  readonly lastSeenMs: number | null
}

/** Who works at a site; null: Temporal does not answer. */
export async function workersAt(
  deps: Pick<ApiDeps, 'orchestrator' | 'now'>,
  site: string,
): Promise<SiteWorkers | null> {
  try {
    return await workersOn(deps, siteQueue(site))
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'TemporalUnavailable') return null
    throw error
  }
}

export type Pollers = RunFacts['pollers']

/** Who polls the queues of the installation. Throws TemporalUnavailable: silence and ignorance are two things. */
export async function readPollers(deps: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now'>): Promise<Pollers> {
  const entries = await Promise.all(
    queuesOf(deps).map(async ({ queue }) => {
      const { workers, lastSeenMs } = await workersOn(deps, queue)
      return [queue, { count: workers.length, lastSeenMs }] as const
    }),
  )
  return Object.fromEntries(entries)
}

export type Engine = { readonly up: true; readonly pollers: Pollers } | { readonly up: false; readonly detail: string }

export async function readEngine(deps: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now'>): Promise<Engine> {
  try {
    return { up: true, pollers: await readPollers(deps) }
  } catch (error) {
    return { up: false, detail: describeError(error) }
  }
}

/** As `readEngine`, and an engine that has not answered within `ms` is away. Awaited in here: what ends the timer ends with it. */
export async function readEngineWithin(
  deps: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now'>,
  ms: number,
  signal?: AbortSignal,
): Promise<Engine> {
  const late = { up: false, detail: 'Temporal does not answer in time' } as const
  using ended = new DisposableStack()
  const stop = new AbortController()
  ended.defer(() => stop.abort())
  const ends = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const timeout = sleep(ms, late, { signal: ends }).catch(() => late)
  return await Promise.race([readEngine(deps), timeout])
}

/** What a history does not know of its run. */
export function factsOf({ catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>, run: RunView, pollers: Pollers): RunFacts {
  const vm = run.vmId === null ? undefined : catalog.vms.find(run.vmId)
  const endpoint = vm && catalog.endpoints.find(vm.endpointId)
  return {
    vmName: vm?.name ?? run.vmName,
    repositoryName: run.repositoryName,
    platform: vm?.platform ?? null,
    driverEvidence: endpoint?.probe?.evidence ?? null,
    pollers,
    nowMs: now(),
  }
}
