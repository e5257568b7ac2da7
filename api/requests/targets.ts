import { HoldfastError } from '../../base/index.ts'
import type { Catalog, EndpointView, RepositoryView, VmView } from '../../catalog/index.ts'
import type { RepositoryRef, Tuning, VmTarget } from '../../workflows/shared/contract.ts'

type Endpoint = VmTarget['endpoint']

/** Catalog rows as workflows want them: references, never secrets. */
export function endpointOf(endpoint: EndpointView): Endpoint {
  return {
    id: endpoint.id as Endpoint['id'],
    platform: endpoint.platform,
    address: endpoint.address,
    credentialRef: endpoint.credentialRef,
    identity: endpoint.identity,
    options: endpoint.options,
  }
}

export function vmTargetOf(catalog: Catalog, vm: VmView): VmTarget {
  const endpoint = catalog.endpoints.get(vm.endpointId)
  const ref: VmTarget['ref'] = {
    platform: vm.platform,
    endpoint: endpoint.id as Endpoint['id'],
    scope: vm.scope,
    id: vm.externalId,
    name: vm.name,
  }
  return { id: vm.id, ref, endpoint: endpointOf(endpoint), site: endpoint.site }
}

export function repositoryRefOf(repository: RepositoryView): RepositoryRef {
  const { id, name, site, location, credentialRef } = repository
  return { id, name, site, location, credentialRef }
}

/** Movers read the VM and write the repository, so one site must reach both. */
export function requireOneSite(what: string, where: string, repository: RepositoryView): void {
  if (where === repository.site) return
  throw new HoldfastError(
    'Unsupported',
    `${what} is at site ${where}, the repository ${repository.name} is reached from ${repository.site}`,
    { hint: `Choose a repository of site ${where}.` },
  )
}

/** Members that were not given are absent, not undefined. */
export function tuningOf(given: { readonly [name in keyof Tuning]?: number | undefined }): Tuning {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
