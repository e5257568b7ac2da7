import { HoldfastError, formatInstant } from '../../base/index.ts'
import { isStanding, type Catalog, type EndpointView, type PointView, type VmView } from '../../catalog/index.ts'

/** Points of a VM that are looked at for one that the site can read. */
const lookedAt = 50

/** A point, and the copy of it, that workers of a site reach: after a disaster that may be the mirror's. */
export interface ReadablePoint {
  readonly repositoryId: string
  readonly stem: string
  readonly pointId: string
}

/**
 * The point that the run has chosen when it began, as long as a whole copy of it can be read; then the newest one that is no
 * younger. `untilMs`: of one for which none was found then. Throws PointNotRestorable.
 */
export function pointToRead(
  catalog: Catalog,
  vm: Pick<VmView, 'id' | 'name'>,
  endpoint: Pick<EndpointView, 'site' | 'name'>,
  { pointId, untilMs }: { readonly pointId: string | null; readonly untilMs: number | null },
): ReadablePoint {
  const chosen = pointId === null ? undefined : catalog.points.find(pointId)
  const found = newestAt(catalog, vm.id, endpoint.site, chosen?.createdMs ?? untilMs)
  if (found !== undefined) return found
  const when = untilMs === null ? '' : ` of ${formatInstant(untilMs)} or before`
  throw new HoldfastError('PointNotRestorable', `${vm.name} has no whole point${when} that ${endpoint.name} can read`, {
    hint: `A repository of site ${endpoint.site} has to hold a point of it: back it up, or mirror it there.`,
  })
}

/** The newest that the site reads, taken at `untilMs` or before; null: of all. */
export function newestAt(
  catalog: Catalog,
  vmId: string,
  site: string,
  untilMs: number | null,
): ReadablePoint | undefined {
  const filter = { vmId, ...(untilMs !== null && { untilMs: untilMs + 1 }) }
  for (const point of catalog.points.list({ limit: lookedAt }, filter).items) {
    const found = copyAt(catalog, point, site)
    if (found !== undefined) return found
  }
  return undefined
}

function copyAt(
  catalog: Catalog,
  { id: pointId, validatedMs, repositoryId, stem }: Pick<PointView, 'id' | 'validatedMs' | 'repositoryId' | 'stem'>,
  site: string,
): ReadablePoint | undefined {
  const isHere = (id: string): boolean => catalog.repositories.find(id)?.site === site
  if (validatedMs !== null && isHere(repositoryId)) return { repositoryId, stem, pointId }
  for (const copy of catalog.copies.of(pointId))
    if (isStanding(copy) && copy.stem !== null && isHere(copy.repositoryId))
      return { repositoryId: copy.repositoryId, stem: copy.stem, pointId }
  return undefined
}
