/**
 * Looks at endpoints, repositories and restore targets of a site. They change nothing; what they find wrong is a
 * result for the person who asked.
 */
import { describeError, toHoldfastError } from '../../base/index.ts'
import { describeImages, listLooseImages, type Endpoint, type VmFacts } from '../../drivers/index.ts'
import { listRepositoryKeys, type Repository } from '../../repository/index.ts'
import type {
  DiscoverPage,
  RepositorySecurity,
  TestRepositoryInput,
  TestRepositoryResult,
} from '../../workflows/inventory/contract.ts'
import { discoverPageSize } from '../../workflows/inventory/contract.ts'
import type { Site } from '../shared/deps.ts'
import { beating, lookOperation, operate } from '../shared/operation.ts'
import { inspectRestore } from './restore-look.ts'
import { reachAll } from './reach.ts'
import type { InventoryActivities } from './types.ts'

export type * from './types.ts'

const listingAgeMs = 120_000
const mostSlots = 50
/** Of the ninety seconds that somebody waits; what takes longer is measured by itself, once a day. */
const measuringMs = 30_000

export function createInventoryActivities(site: Site): InventoryActivities {
  const listings = new Map<string, { readonly atMs: number; readonly vms: readonly VmFacts[] }>()
  return {
    probeEndpoint: ({ endpoint }) =>
      operate(site, { endpoint, operation: lookOperation }, async ({ driver, ctx }) => {
        const { version, identity, capabilities, findings } = await driver.probe(ctx)
        return {
          version,
          identity,
          evidence: site.module(endpoint).evidence.headline,
          capabilities: { ...capabilities },
          findings,
        }
      }),
    discoverVms: async ({ endpoint, after }) => {
      const known = listings.get(endpoint.id)
      const young = known !== undefined && site.now() - known.atMs < listingAgeMs
      const vms = after !== null && young ? known.vms : await listing(site, endpoint)
      listings.set(endpoint.id, { atMs: site.now(), vms })
      return page(vms, after)
    },
    listImages: ({ endpoint }) => beating(site, () => listLooseImages(endpoint)),
    describeImages: ({ endpoint, name, files }) => beating(site, () => describeImages(endpoint, name, files)),
    inspectRepository: (input) => inspectRepository(site, input),
    reachAll: (input) => reachAll(site, input),
    inspectRestore: (input) => inspectRestore(site, input),
  }
}

/** Sorted by id, so that pages of one listing fit together even if another worker reads the next one. */
async function listing(site: Site, endpoint: Endpoint): Promise<readonly VmFacts[]> {
  return operate(site, { endpoint, operation: lookOperation }, async ({ driver, ctx }) => {
    const vms: VmFacts[] = []
    for await (const vm of driver.discover(ctx)) vms.push(vm)
    return vms.sort((a, b) => (a.vm.id < b.vm.id ? -1 : 1))
  })
}

function page(vms: readonly VmFacts[], after: string | null): DiscoverPage {
  const rest = after === null ? vms : vms.filter(({ vm }) => vm.id > after)
  const here = rest.slice(0, discoverPageSize)
  const last = here.at(-1)
  return { vms: here, next: rest.length > here.length && last !== undefined ? last.vm.id : null }
}

async function inspectRepository(site: Site, { repository: ref }: TestRepositoryInput): Promise<TestRepositoryResult> {
  return beating(site, async ({ signal }) => {
    let probe: TestRepositoryResult['probe'] = null
    try {
      probe = await site.options.probeLocation(site.wayTo(ref.location), signal)
      const seen = await site.repository(ref, async (repository) => ({
        repositoryUuid: repository.id,
        security: await securityOf(repository, site),
        usage: await briefUsage(repository, signal),
      }))
      return { v: 1, ...seen, probe, error: null }
    } catch (error) {
      signal.throwIfAborted()
      return { v: 1, repositoryUuid: null, probe, usage: null, error: toHoldfastError(error).toJSON() }
    }
  })
}

/** Beside what was asked for: keys that cannot be listed fail no test. */
async function securityOf(repository: Repository, site: Site): Promise<RepositorySecurity | null> {
  try {
    const { kekGen, isComplete, damaged, slots } = await listRepositoryKeys(repository.location)
    return {
      ...{ kekGen, isComplete, damaged: damaged.length, lock: repository.lock && { ...repository.lock } },
      slots: slots
        .slice(0, mostSlots)
        .map(({ id, role, type, label, createdMs, sound, isCurrent, threshold = null, shares = null }) => ({
          ...{ id, role, type, label, createdMs, sound, isCurrent, threshold, shares },
        })),
    }
  } catch (error) {
    site.log.warn({ repository: repository.id, error: describeError(error) }, 'its keys could not be listed')
    return null
  }
}

async function briefUsage(repository: Repository, signal: AbortSignal): Promise<TestRepositoryResult['usage']> {
  const limit = AbortSignal.timeout(measuringMs)
  try {
    return await repository.usage(AbortSignal.any([signal, limit]))
  } catch (error) {
    if (limit.aborted && !signal.aborted) return null
    throw error
  }
}
