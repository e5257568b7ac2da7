import type { Catalog, MirrorState } from '../../catalog/index.ts'
import { lagAllowedMs, mirrorLagMs } from '../../policy/index.ts'
import { gauge, type Family } from './exposition.ts'

const pairKey = ({ sourceId, targetId }: Pick<MirrorState, 'sourceId' | 'targetId'>): string =>
  `${sourceId} ${targetId}`

/** Of each pair that is late: by how many milliseconds, by the plan that waits longest beyond what it takes to make its next point. */
function overdueOf(catalog: Catalog, nowMs: number): Map<string, number> {
  const found = new Map<string, number>()
  for (const { oldestMs, plan, ...pair } of catalog.mirrors.lags()) {
    const byMs = mirrorLagMs(oldestMs, nowMs) - lagAllowedMs(plan === null ? undefined : catalog.plans.last(plan))
    if (byMs > 0) found.set(pairKey(pair), Math.max(byMs, found.get(pairKey(pair)) ?? 0))
  }
  return found
}

/** How far repositories are behind those that they mirror. */
export function mirrorFamilies(catalog: Catalog, nowMs: number): Family[] {
  const states = catalog.mirrors.states()
  const late = overdueOf(catalog, nowMs)
  const isExpected = catalog.shipments.underWay(nowMs)
  const of = (value: (state: MirrorState) => number) =>
    states.map((state) => ({ labels: { source: state.sourceId, repo: state.targetId }, value: value(state) }))
  return [
    gauge(
      'holdfast_mirror_lag_seconds',
      'For how long the oldest point that is not there yet could have been copied; 0 if none is behind',
      of(({ oldestMs }) => (oldestMs === null ? 0 : mirrorLagMs(oldestMs, nowMs) / 1000)),
    ),
    gauge(
      'holdfast_mirror_overdue_seconds',
      'By how much a point that is not there yet is later than its plan takes to make the next one; 0 if none is',
      of((state) => (late.get(pairKey(state)) ?? 0) / 1000),
    ),
    gauge(
      'holdfast_mirror_points_behind',
      'Points that are wanted there and are not there yet',
      of(({ behind }) => behind),
    ),
    gauge(
      'holdfast_mirror_points_failed',
      'Of these: points that failed when they were last tried',
      of(({ failed }) => failed),
    ),
    gauge(
      'holdfast_mirror_shipment',
      '1 while media with copies are expected there; the lag is no outage then',
      of((state) => Number(isExpected(state))),
    ),
  ]
}
