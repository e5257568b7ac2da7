import type { z } from '@hono/zod-openapi'
import { locationText } from '../../base/index.ts'
import type { EndpointView, RepositoryView, SiteProxyRecord, SiteTestRecord, SiteView } from '../../catalog/index.ts'
import type { SiteWorkers } from '../facts.ts'
import type { siteDetailSchema, siteSchema, siteTestSchema } from '../schemas/sites.ts'

type Site = z.infer<typeof siteSchema>

export function siteTestView({ testedMs, worker, checks, error }: SiteTestRecord): z.infer<typeof siteTestSchema> {
  const ok = error === null && checks.every((check) => check.error === null)
  return { state: ok ? 'ok' : 'failed', testedMs, worker, checks: checks.map((check) => ({ ...check })), error }
}

export function proxyView(proxy: SiteProxyRecord | null): Site['proxy'] {
  return proxy && { url: proxy.url, except: [...proxy.except] }
}

/** `workers`: null where Temporal does not answer. */
export function siteView(site: SiteView, workers: SiteWorkers | null): Site {
  const { name, description, handsSecrets, createdMs, hypervisors, repositories, running, test, proxy, maps } = site
  const needs = hypervisors + repositories > 0
  const state: Site['state'] =
    workers === null ? 'unknown' : workers.workers.length > 0 ? 'ok' : needs ? 'silent' : 'idle'
  return {
    ...{ name, description, handsSecrets, createdMs, state, hypervisors, repositories, running },
    workers: (workers?.workers ?? []).map(({ identity, lastSeenMs }) => ({ identity, lastSeenMs })),
    lastSeenMs: workers?.lastSeenMs ?? null,
    proxy: proxyView(proxy),
    maps: maps.map(({ to, networks, storages }) => ({ to, networks: [...networks], storages: [...storages] })),
    test: test && siteTestView(test),
  }
}

export function siteMembersView(
  hypervisors: readonly EndpointView[],
  repositories: readonly RepositoryView[],
): z.infer<typeof siteDetailSchema>['members'] {
  return {
    hypervisors: hypervisors.map(({ id, name, platform, address: place, vms }) => ({ id, name, platform, place, vms })),
    repositories: repositories.map(({ id, name, location, points }) => ({
      ...{ id, name, points },
      place: locationText(location),
    })),
  }
}
