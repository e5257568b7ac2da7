import { HoldfastError } from '../../base/index.ts'
import type { Catalog, PointView, RepositoryView, VmView } from '../../catalog/index.ts'
import type { NamesThere, Tuning, VmTarget } from '../../workflows/shared/contract.ts'
import { namesThere, targetOf } from '../../workflows/shared/targets.ts'

export { endpointOf, namesThere, repositoryRefOf } from '../../workflows/shared/targets.ts'

export function vmTargetOf(catalog: Catalog, vm: VmView): VmTarget {
  return targetOf(vm, catalog.endpoints.get(vm.endpointId))
}

/** A point whose bytes may be read, where it lies and of whom it is. Throws NotFound or PointNotRestorable. */
export function readablePoint(
  catalog: Catalog,
  id: string,
): { readonly point: PointView; readonly repository: RepositoryView; readonly vm: VmView } {
  const point = catalog.points.get(id)
  if (point.validatedMs === null)
    throw new HoldfastError('PointNotRestorable', `the point ${point.id} is not validated`)
  return { point, repository: catalog.repositories.get(point.repositoryId), vm: catalog.vms.get(point.vmId) }
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

/** What names of the VM are called at the site of another hypervisor, as far as somebody has said. */
export function namesAt(catalog: Catalog, vm: VmView, site: string): NamesThere {
  return namesThere(catalog.sites.mapBetween(catalog.endpoints.get(vm.endpointId).site, site))
}

/** Members that were not given are absent, not undefined. */
export function tuningOf(given: { readonly [name in keyof Tuning]?: number | undefined }): Tuning {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
