import type { Catalog, SeriesPolicyRow, SweepSeriesRow } from '../../catalog/index.ts'
import { nobodyKnows, Rulebook, widest, type PointPolicy } from '../../policy/index.ts'
import type { SurveyedPoint } from './blob.ts'

/** Why nobody makes points of a series any more. */
export type OrphanKind = NonNullable<SweepSeriesRow['orphan']>

/** Whose a series is. */
export interface SeriesOwner {
  readonly vmId: string | null
  readonly vmName: string
  /** null: somebody makes points of it. */
  readonly orphan: OrphanKind | null
}

export interface Ageing {
  readonly owners: ReadonlyMap<string, SeriesOwner>
  /** By stem. */
  readonly policies: ReadonlyMap<string, PointPolicy>
  /** Stems that age by what is remembered of their series, because nobody knows their own policy. */
  readonly guessed: ReadonlySet<string>
}

/**
 * By what each point ages: the policy of its VM, and of the plan that made it, as it is now. Of a VM, or a point, that the
 * catalog does not know: the last policies that its series aged by (product P-ORPHAN). Where there are none it stays: it
 * may be of another installation, and the class that its manifest names says nothing of the plans that made it.
 */
export function ageingOf(catalog: Catalog, repositoryId: string, points: readonly SurveyedPoint[]): Ageing {
  const rulebook = new Rulebook(catalog.retained.rulesSource(repositoryId))
  const owners = new Map<string, SeriesOwner>()
  const policies = new Map<string, PointPolicy>()
  const guessed = new Set<string>()
  for (const [series, own] of Map.groupBy(points, (point) => point.series)) {
    const vm = catalog.retained.seriesVm(series)
    const rows = catalog.retained.policies(repositoryId, series)
    const last = lastOf(rows) ?? nobodyKnows
    if (vm !== undefined) {
      const { vmId, vmName, goneMs } = vm
      let planIsGone = false
      // Newest first: of what plans have made, the last says whether one is still at it.
      let isSaid = false
      for (const { stem } of own.toSorted((a, b) => b.timeMs - a.timeMs)) {
        const by = rulebook.ofPoint(vm, stem)
        policies.set(stem, by ?? last)
        if (by === undefined) guessed.add(stem)
        if (by?.planIsGone === undefined || isSaid) continue
        planIsGone = by.planIsGone
        isSaid = true
      }
      owners.set(series, { vmId, vmName, orphan: goneMs !== null ? 'vm-gone' : planIsGone ? 'plan-gone' : null })
      continue
    }
    const newest = own.reduce((best, point) => (point.timeMs > best.timeMs ? point : best))
    owners.set(series, { vmId: rows[0]?.vmId ?? null, vmName: rows[0]?.vmName ?? newest.vm, orphan: 'unknown-vm' })
    for (const { stem } of own) policies.set(stem, last)
  }
  return { owners, policies, guessed }
}

/** Which point aged by which of them nobody knows any more: each stays while any of them keeps it. */
function lastOf(rows: readonly SeriesPolicyRow[]): PointPolicy | undefined {
  const [first, ...others] = rows
  if (first === undefined) return undefined
  const policy = rows.map((row) => row.policy).join(' or ')
  return { policy, rules: widest(first.rules, ...others.map(({ rules }) => rules)) }
}
