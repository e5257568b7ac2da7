import { seriesOf, type Catalog } from '../../catalog/index.ts'
import { nobodyKnows, planSweep, type PlannedPoint, type PointPolicy } from '../../policy/index.ts'
import type { SurveyedPoint } from './blob.ts'
import { ageingOf, type Ageing } from './policies.ts'

export interface Plan extends Ageing {
  readonly points: readonly SurveyedPoint[]
  readonly planned: readonly PlannedPoint[]
  readonly remembered: Parameters<Catalog['retained']['rememberPolicies']>[0]
}

/** By the policies that hold now, and what the catalog knows of the points. */
export function planOf(catalog: Catalog, repositoryId: string, points: readonly SurveyedPoint[], nowMs: number): Plan {
  const ageing = ageingOf(catalog, repositoryId, points)
  const damaged = catalog.retained.damaged(repositoryId)
  const read = catalog.retained.beingRead()
  const needed = catalog.retained.neededElsewhere(repositoryId)
  const held = catalog.retained.heldPoints(repositoryId)
  const rules = new Map([...ageing.policies.values()].map((one) => [groupOf(one), one.rules]))
  const planned = planSweep(
    points.map(({ stem, series, timeMs, origin, guard: own }) => {
      const id = catalog.copies.pointIdOf(stem)
      const reading = read.get(id)
      // What runs from a point holds it as well; this says why.
      const known = own === null || (own === 'held' && reading === 'being restored') ? (reading ?? own) : own
      const guard = known ?? held.get(id) ?? needed.get(id) ?? null
      const policy = groupOf(ageing.policies.get(stem) ?? nobodyKnows)
      return { id: stem, series, timeMs, origin, guard, policy, isDamaged: damaged.has(stem) }
    }),
    (policy) => rules.get(policy) ?? null,
    nowMs,
  )
  const remembered = new Map<string, Plan['remembered'][number]>()
  for (const { series, stem } of points) {
    if (ageing.guessed.has(stem)) {
      // What a point goes on ageing by is not forgotten for the policies of its neighbours.
      for (const row of catalog.retained.policies(repositoryId, series)) {
        const key = `${series} ${row.policy}`
        if (!remembered.has(key)) remembered.set(key, row)
      }
      continue
    }
    const owner = ageing.owners.get(series)
    const by = ageing.policies.get(stem)
    const rules = by?.rules ?? null
    if (owner === undefined || by === undefined || rules === null || owner.orphan === 'unknown-vm') continue
    const { vmId, vmName } = owner
    const row = { repositoryId, series, policy: by.policy, vmId, vmName, rules, seenMs: nowMs }
    remembered.set(`${series} ${by.policy}`, row)
  }
  return { ...ageing, points, planned, remembered: [...remembered.values()] }
}

/** Points that age together: what a policy says now and what it said once are two. */
function groupOf({ policy, rules }: PointPolicy): string {
  const said = Object.entries(rules ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${policy} ${JSON.stringify(said)}`
}

/**
 * Which of these points, that were to go, something keeps by now, and what. Their series are planned again from what the
 * sweep has seen, without what has gone since. Ages count from the last look, so that no time that passes lets a point go.
 */
export function keptByNow(
  catalog: Catalog,
  runId: string,
  repositoryId: string,
  batch: readonly { readonly stem: string }[],
): Map<string, string> {
  const { plannedMs, confirmedMs } = catalog.sweeps.get(runId)
  const wanted = new Set(batch.map(({ stem }) => stem))
  const series = new Set(batch.map(({ stem }) => seriesOf(stem)))
  const seen = [...series].flatMap((one) => catalog.sweeps.ofSeries(runId, one))
  const points = seen.flatMap(({ stem, series: own, timeMs, state, ...said }): SurveyedPoint[] => {
    // It was written down from such a point.
    const origin = said.origin as SurveyedPoint['origin']
    const copy = catalog.copies.at(repositoryId, stem)
    const isGone = state === 'removed' || (copy !== undefined && (copy.state === 'removed' || copy.goneMs !== null))
    // What the repository said of it is in the plan: what goes had no guard, and nothing more is to go.
    return isGone
      ? []
      : [{ stem, series: own, timeMs, origin, vm: '', retentionClass: '', lockedUntilMs: null, guard: null }]
  })
  const { planned } = planOf(catalog, repositoryId, points, confirmedMs ?? plannedMs)
  return new Map(
    planned.flatMap(({ id, keptBy }) =>
      wanted.has(id) && keptBy.length > 0 ? [[id, keptBy.join(', ')] as const] : [],
    ),
  )
}
