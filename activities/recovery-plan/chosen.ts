import type { Catalog, RecoveryRunRow } from '../../catalog/index.ts'
import { repositoryRefOf } from '../../workflows/shared/targets.ts'
import { newestAt } from './point.ts'
import type { ChosenCopies } from './types.ts'

/** Input and result of a step stay below 8 KiB. */
const batchSize = 40

/** Where a VM of the plan comes back; undefined: nobody knows its place any more. */
export function siteOf(
  catalog: Catalog,
  spec: Pick<RecoveryRunRow['spec'], 'hypervisorId'>,
  { vmId, hypervisorId }: { readonly vmId: string; readonly hypervisorId: string | null },
): string | undefined {
  const place = hypervisorId ?? spec.hypervisorId ?? catalog.vms.find(vmId)?.endpointId
  return place === undefined ? undefined : catalog.endpoints.find(place)?.site
}

/** The copies that the VMs are read from, as `planMember` would choose them now, in the order of their keys. */
export function nextChosen(catalog: Catalog, runId: string, after: string | null): ChosenCopies | null {
  const { spec, tiers } = catalog.recoveryRuns.get(runId)
  const places = new Map(
    spec.tiers.flatMap(({ members }) => members).map((one) => [one.vmId, siteOf(catalog, spec, one)] as const),
  )
  const chosen = tiers
    .flatMap(({ members }) => members)
    .flatMap(({ vmId, pointId }) => {
      const site = places.get(vmId)
      const point = pointId === null ? undefined : catalog.points.find(pointId)
      const copy =
        site === undefined || point === undefined ? undefined : newestAt(catalog, vmId, site, point.createdMs)
      return copy === undefined ? [] : [{ key: `${copy.repositoryId} ${copy.stem}`, ...copy }]
    })
    .filter(({ key }) => after === null || key > after)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const [first] = chosen
  if (first === undefined) return null
  const batch = chosen.filter(({ repositoryId }) => repositoryId === first.repositoryId).slice(0, batchSize)
  return {
    repository: repositoryRefOf(catalog.repositories.get(first.repositoryId)),
    stems: batch.map(({ stem }) => stem),
    after: batch.at(-1)?.key ?? first.key,
  }
}
