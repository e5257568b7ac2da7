import { describeError } from '../base/index.ts'
import type { EndpointView } from '../catalog/index.ts'
import { isDiscoveryDue } from '../policy/index.ts'
import { discoverWorkflow, discoverWorkflowId, type DiscoverInput } from '../workflows/inventory/contract.ts'
import { siteQueue } from '../workflows/shared/queues.ts'
import type { ApiDeps } from './deps.ts'
import { workersOn } from './facts.ts'
import { endpointOf } from './requests/targets.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'now' | 'log'>

/**
 * Lists the VMs of each hypervisor again and again: one that nobody knows is in no plan, and no posture says so. What it finds
 * the workflow writes down itself, that it was not reached as well. A site without a worker is told as such, and not asked.
 */
export interface DiscoveryKeeper {
  tick(): Promise<void>
}

/** `everyMs` null: only who asks. */
export function discoveryKeeper(deps: Deps, everyMs: number | null): DiscoveryKeeper {
  const { catalog, now, log } = deps
  const tried = new Map<string, number>()
  return {
    async tick() {
      if (everyMs === null) return
      for (const endpoint of catalog.endpoints.all()) {
        const { id, createdMs, discoveredMs, probe } = endpoint
        const triedMs = Math.max(tried.get(id) ?? 0, probe?.testedMs ?? 0)
        if (!isDiscoveryDue({ nowMs: now(), createdMs, discoveredMs, triedMs }, everyMs)) continue
        try {
          if ((await workersOn(deps, siteQueue(endpoint.site))).workers.length === 0) continue
          await start(deps, endpoint)
          tried.set(id, now())
        } catch (error) {
          log.warn({ hypervisor: id, error: describeError(error) }, 'the VMs of a hypervisor could not be listed')
        }
      }
      for (const id of tried.keys()) if (catalog.endpoints.find(id) === undefined) tried.delete(id)
    },
  }
}

async function start({ orchestrator }: Deps, endpoint: EndpointView): Promise<void> {
  const input: DiscoverInput = { v: 1, endpoint: endpointOf(endpoint), site: endpoint.site, mode: 'discover' }
  await orchestrator.start({
    workflow: discoverWorkflow,
    workflowId: discoverWorkflowId(endpoint.id),
    input,
    summary: `Discover ${endpoint.name}`,
    memo: null,
    search: { site: endpoint.site },
    priority: 4,
    whenRunning: 'join',
  })
}
