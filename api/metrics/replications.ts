import type { Catalog, ReplicationView } from '../../catalog/index.ts'
import { replicationLagMs } from '../../policy/index.ts'
import { gauge, type Family, type Sample } from './exposition.ts'

/** How far standbys are behind the VMs that they follow. */
export function replicationFamilies(catalog: Catalog, nowMs: number): Family[] {
  const rows = catalog.replications.list()
  const of = (value: (row: ReplicationView) => number | null): Sample[] =>
    rows.flatMap((row): Sample[] => {
      const found = value(row)
      return found === null ? [] : [{ labels: { vm: row.vmId, hypervisor: row.endpointId }, value: found }]
    })
  return [
    gauge(
      'holdfast_replication_lag_seconds',
      'Age of what the standby holds; of none that has taken over',
      of((row) => {
        const lagMs = replicationLagMs({ nowMs, ...row })
        return lagMs === null ? null : lagMs / 1000
      }),
    ),
    gauge(
      'holdfast_replication_rpo_seconds',
      'How old that may be',
      of(({ rpoMs }) => rpoMs / 1000),
    ),
    gauge(
      'holdfast_replication_failed_cycles',
      'Cycles that failed since the last that came whole',
      of(({ failures }) => failures),
    ),
    gauge(
      'holdfast_replication_failed_over',
      'Whether the standby is the one that runs',
      of(({ state }) => (state === 'failed-over' ? 1 : 0)),
    ),
  ]
}
