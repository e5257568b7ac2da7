import type { Catalog, SeriesPolicyRow } from '../../catalog/index.ts'
import { Rulebook, type PointPolicy } from '../../policy/index.ts'
import type { SurveyedPoint } from './blob.ts'

/** Whose a series is. */
export interface SeriesOwner {
  readonly vmId: string | null
  readonly vmName: string
  /** Why nobody makes points of it any more; null: somebody does. */
  readonly orphan: 'vm-gone' | 'unknown-vm' | null
}

export interface Ageing {
  readonly owners: ReadonlyMap<string, SeriesOwner>
  /** By stem. */
  readonly policies: ReadonlyMap<string, PointPolicy>
}

const unknown: PointPolicy = { policy: 'none', rules: null }

/**
 * By what each point ages: the policy of its VM, and of the plan that made it, as it is now; of a VM that the catalog does
 * not know the last policy that its series aged by (product P-ORPHAN), else the class that its manifest names.
 */
export function ageingOf(catalog: Catalog, repositoryId: string, points: readonly SurveyedPoint[]): Ageing {
  const rulebook = new Rulebook(catalog.retained.rulesSource(repositoryId))
  const known = new Map(catalog.retained.seriesOf(repositoryId).map((row) => [row.series, row]))
  const remembered = catalog.retained.policies(repositoryId)
  const owners = new Map<string, SeriesOwner>()
  const policies = new Map<string, PointPolicy>()
  for (const [series, own] of Map.groupBy(points, (point) => point.series)) {
    const vm = known.get(series)
    if (vm !== undefined) {
      const { vmId, vmName, goneMs } = vm
      owners.set(series, { vmId, vmName, orphan: goneMs === null ? null : 'vm-gone' })
      for (const { stem } of own) policies.set(stem, rulebook.ofPoint(vm, stem))
      continue
    }
    const newest = own.reduce((best, point) => (point.timeMs > best.timeMs ? point : best))
    const last = lastOf(remembered.get(series))
    owners.set(series, { vmId: last?.vmId ?? null, vmName: last?.vmName ?? newest.vm, orphan: 'unknown-vm' })
    const by = last === undefined ? (rulebook.ofCategory(newest.retentionClass) ?? unknown) : policyOf(last)
    for (const { stem } of own) policies.set(stem, by)
  }
  return { owners, policies }
}

function policyOf({ policy, rules }: SeriesPolicyRow): PointPolicy {
  return { policy, rules }
}

function lastOf(rows: readonly SeriesPolicyRow[] | undefined): SeriesPolicyRow | undefined {
  return rows?.reduce((best, row) => (row.seenMs > best.seenMs ? row : best))
}
