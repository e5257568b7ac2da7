import { formatDuration, formatInstant } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import { isListingStale } from '../policy/index.ts'
import type { Attention } from './attention.ts'
import type { ApiDeps } from './deps.ts'

export function hypervisorTrouble(catalog: Catalog): Attention[] {
  return [...catalog.endpoints.all()]
    .filter((endpoint) => endpoint.probe?.error)
    .map((endpoint) => ({
      kind: 'hypervisor-failed',
      severity: 'failed',
      title: `${endpoint.name} could not be reached`,
      detail: endpoint.probe?.error?.message ?? '',
      sinceMs: endpoint.probe?.testedMs ?? null,
      subject: { kind: 'hypervisor', id: endpoint.id },
      action: { label: 'Test again', command: `holdfast hypervisor test ${endpoint.id}` },
    }))
}

/** A VM that came since is known to nobody: it is in no count of what is protected. That it cannot be reached is told by itself. */
export function staleListings({ catalog, now, byItself }: Pick<ApiDeps, 'catalog' | 'now' | 'byItself'>): Attention[] {
  const everyMs = byItself.discoverEveryMs ?? null
  if (everyMs === null) return []
  return [...catalog.endpoints.all()]
    .filter((one) => !one.probe?.error && isListingStale({ nowMs: now(), ...one }, everyMs))
    .map(({ id, name, createdMs, discoveredMs }) => ({
      kind: 'hypervisor-unlisted',
      severity: 'unknown',
      title: `Nobody knows which VMs are on ${name}`,
      detail: `They were ${discoveredMs === null ? 'never listed' : `last listed ${agoOf(discoveredMs, now())}`}. One that came since is in no plan, and in no count here.`,
      sinceMs: discoveredMs ?? createdMs,
      subject: { kind: 'hypervisor', id },
      action: { label: 'List them', command: `holdfast hypervisor discover ${id}` },
    }))
}

function agoOf(ms: number, nowMs: number): string {
  return ms > nowMs ? `at ${formatInstant(ms)}, which lies ahead of the clock` : `${formatDuration(nowMs - ms)} ago`
}

const dayMs = 86_400_000
const named = 100

/**
 * What a hypervisor no longer lists is in no count of what is protected: for a day it is told that it went. One that lists
 * nothing at all any more, as a folder that is not mounted, is told until it does.
 */
export function goneVms(catalog: Catalog, nowMs: number): Attention[] {
  return catalog.vms.goneSince(nowMs - dayMs).map(({ endpointId: id, endpointName, gone, left, newestMs, names }) => {
    const isEmpty = left === 0
    const list = names.length > named ? `${names.slice(0, named)}…` : names
    return {
      kind: isEmpty ? 'hypervisor-empty' : 'vms-gone',
      severity: isEmpty ? 'failed' : 'attention',
      title: isEmpty
        ? `${endpointName} lists no VM any more`
        : `${gone} ${gone === 1 ? 'VM is' : 'VMs are'} no longer on ${endpointName}`,
      detail: `${list === '' ? '' : `${list}. `}Their points stay; nothing is backed up there, and no count of what is protected has them.`,
      sinceMs: newestMs,
      subject: { kind: 'hypervisor', id },
      action: { label: 'List them again', command: `holdfast hypervisor discover ${id}` },
    }
  })
}
