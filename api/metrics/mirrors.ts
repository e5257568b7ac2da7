import type { Catalog, MirrorState } from '../../catalog/index.ts'
import { gauge, type Family } from './exposition.ts'

/** How far repositories are behind those that they mirror. */
export function mirrorFamilies(catalog: Catalog, nowMs: number): Family[] {
  const states = catalog.mirrors.states()
  const isExpected = catalog.shipments.underWay(nowMs)
  const of = (value: (state: MirrorState) => number) =>
    states.map((state) => ({ labels: { source: state.sourceId, repo: state.targetId }, value: value(state) }))
  return [
    gauge(
      'holdfast_mirror_lag_seconds',
      'For how long the oldest point that is not there yet could have been copied; 0 if none is behind',
      of(({ oldestMs }) => (oldestMs === null ? 0 : Math.max(0, nowMs - oldestMs) / 1000)),
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
