import type { Endpoint, VmRef } from '../../drivers/values.ts'
import type { RepositoryRef, VmTarget } from './contract.ts'

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

type Unbranded<T extends { readonly id: string }> = Omit<T, 'id'> & { readonly id: string }
