import type { RunFacts } from '../runbook/types.ts'
import type { RunView } from '../catalog/index.ts'
import { controlQueue, siteQueue } from '../workflows/shared/queues.ts'
import type { ApiDeps } from './deps.ts'

/** Sites that some endpoint or repository names: each needs a worker. */
export function sitesOf({ catalog }: Pick<ApiDeps, 'catalog'>): string[] {
  return [...new Set([...catalog.endpoints.sites(), ...catalog.repositories.sites()])].sort()
}

export function queuesOf(deps: Pick<ApiDeps, 'catalog'>): { readonly queue: string; readonly site: string | null }[] {
  return [{ queue: controlQueue, site: null }, ...sitesOf(deps).map((site) => ({ queue: siteQueue(site), site }))]
}

export type Pollers = RunFacts['pollers']

/** Who polls the queues of the installation. Throws TemporalUnavailable: silence and ignorance are two things. */
export async function readPollers(deps: Pick<ApiDeps, 'catalog' | 'orchestrator'>): Promise<Pollers> {
  const entries = await Promise.all(
    queuesOf(deps).map(async ({ queue }) => {
      const pollers = await deps.orchestrator.pollers(queue)
      const seen = pollers.map((poller) => poller.lastSeenMs).filter((ms) => ms !== null)
      return [queue, { count: pollers.length, lastSeenMs: seen.length === 0 ? null : Math.max(...seen) }] as const
    }),
  )
  return Object.fromEntries(entries)
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
