import type { Endpoint, VmRef } from '../../drivers/values.ts'
import type { NamesThere, RepositoryRef, VmTarget } from './contract.ts'

/** Rows of the catalog as workflows want them: references, never secrets. */
export function endpointOf({ id, platform, address, credentialRef, identity, options }: Unbranded<Endpoint>): Endpoint {
  return { id: id as Endpoint['id'], platform, address, credentialRef, identity, options }
}

export function targetOf(
  vm: Pick<VmRef, 'platform' | 'scope' | 'name'> & { readonly id: string; readonly externalId: string },
  endpoint: Unbranded<Endpoint> & { readonly site: string },
): VmTarget {
  const { platform, scope, name } = vm
  const ref: VmRef = { platform, endpoint: endpoint.id as Endpoint['id'], scope, id: vm.externalId, name }
  return { id: vm.id, ref, endpoint: endpointOf(endpoint), site: endpoint.site }
}

export function repositoryRefOf({ id, name, site, location, credentialRef }: RepositoryRef): RepositoryRef {
  return { id, name, site, location, credentialRef }
}

/** A mapping between two sites as restores take it; without one, nothing. */
export function namesThere(map: SiteMap | undefined): NamesThere {
  if (map === undefined) return {}
  const { networks, storages } = map
  return {
    ...(networks.length > 0 && { networks: Object.fromEntries(networks.map(({ from, to }) => [from, to])) }),
    ...(storages.length > 0 && { storages: Object.fromEntries(storages.map(({ from, to }) => [from, to])) }),
  }
}

interface SiteMap {
  readonly networks: readonly { readonly from: string; readonly to: string | null }[]
  readonly storages: readonly { readonly from: string; readonly to: string }[]
}
type Unbranded<T extends { readonly id: string }> = Omit<T, 'id'> & { readonly id: string }
