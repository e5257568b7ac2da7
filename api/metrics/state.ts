import type { Catalog, RepositoryView, ScrubRow } from '../../catalog/index.ts'
import { lookState } from '../../policy/index.ts'
import type { Engine } from '../facts.ts'
import { forecastOf } from '../views/capacity.ts'
import { gauge, one, type Family, type Sample } from './exposition.ts'

/** Above, single VMs are left out, the most urgent last; how many is told. */
export const largestVms = 10_000

const seconds = (ms: number): number => ms / 1000

/** How the VMs stand against their promise. */
export function vmFamilies(catalog: Catalog, most = largestVms): Family[] {
  const { metrics, statistics } = catalog
  const vms = metrics.vms(most)
  const known = new Set(vms.map(({ id }) => id))
  const { total, by } = statistics.postureCounts()
  const promised = vms.filter(({ state }) => state !== 'excluded')
  return [
    gauge(
      'holdfast_vms',
      'VMs by posture, as the overview counts them',
      Object.entries(by).map(([state, value]) => ({ labels: { state }, value })),
    ),
    one('holdfast_vms_left_out', 'VMs that have no series of their own because there are too many', total - vms.length),
    gauge(
      'holdfast_vm_last_recovery_point_timestamp_seconds',
      'Instant of the newest validated point of the VM in a repository',
      metrics
        .newestPoints()
        .filter(({ vmId }) => known.has(vmId))
        .map(({ vmId: vm, repositoryId: repo, plan, createdMs }) => ({
          labels: { vm, plan: plan ?? '', repo },
          value: seconds(createdMs),
        })),
    ),
    gauge(
      'holdfast_vms_short_of_copies',
      'VMs whose newest point has fewer copies than their category promises, those under way counted as made',
      shortOfCopies(catalog),
    ),
    gauge(
      'holdfast_vm_rpo_seconds',
      'How old the newest point of the VM may be; not of VMs that are left out on purpose',
      promised.map(({ id: vm, rpoMs }) => ({ labels: { vm }, value: seconds(rpoMs) })),
    ),
    gauge(
      'holdfast_vm_protected',
      'Whether the VM is inside its promise, grace included',
      promised.map(({ id: vm, state }) => ({ labels: { vm }, value: state === 'protected' ? 1 : 0 })),
    ),
    gauge(
      'holdfast_vm_last_verified_timestamp_seconds',
      'When a verify of the repository was last satisfied with a point of the VM',
      metrics
        .verified()
        .filter(({ vmId }) => known.has(vmId))
        .map(({ vmId: vm, repositoryId: repo, verifiedMs }) => ({ labels: { vm, repo }, value: seconds(verifiedMs) })),
    ),
    gauge(
      'holdfast_vm_suspicious_points',
      'Points of the VM whose change was flagged and that nobody has looked at; only of VMs that have one',
      catalog.changes.suspiciousByVm().map(({ vmId: vm, points: value }) => ({ labels: { vm }, value })),
    ),
    gauge(
      'holdfast_drill_last_success_timestamp_seconds',
      'When a drill of the VM last passed',
      vms.flatMap(({ id: vm, provenMs }): Sample[] =>
        provenMs === null ? [] : [{ labels: { vm }, value: seconds(provenMs) }],
      ),
    ),
  ]
}

/** A series for each category, so that an end is a fall to 0 and no series that is gone. */
function shortOfCopies(catalog: Catalog): Sample[] {
  const short = Map.groupBy(catalog.copyPromises.short(), ({ category }) => category)
  return catalog.categories
    .list()
    .map(({ name }) => ({ labels: { category: name }, value: short.get(name)?.length ?? 0 }))
}

/** What the watchdog found, and what was measured. */
export function repositoryFamilies(catalog: Catalog, nowMs: number): Family[] {
  const repositories = [...catalog.repositories.all()]
  const of = (value: (row: RepositoryView) => number | null | undefined): Sample[] =>
    repositories.flatMap((row): Sample[] => {
      const found = value(row) ?? null
      return found === null ? [] : [{ labels: { repo: row.id }, value: found }]
    })
  const watch = ({ id }: RepositoryView) => catalog.watches.find(id)
  const copies = new Map(catalog.own.backups().map(({ repositoryId, madeMs }) => [repositoryId, madeMs]))
  const scrub = new Map(repositories.map(({ id }) => [id, catalog.scrubs.find(id)]))
  const forecasts = new Map(repositories.map((row) => [row.id, forecastOf(catalog, row)]))
  const time = (ms: number | null | undefined): number | null => (ms === null || ms === undefined ? null : seconds(ms))
  return [
    gauge(
      'holdfast_repo_size_bytes',
      'Bytes that the repository takes',
      of(({ usage }) => usage?.storedBytes),
    ),
    gauge(
      'holdfast_repo_capacity_bytes',
      'Bytes of its place, where that is known',
      of(({ usage }) => usage?.capacityBytes),
    ),
    gauge(
      'holdfast_repo_free_bytes',
      'Bytes that are free there',
      of(({ usage }) => usage?.freeBytes),
    ),
    gauge(
      'holdfast_repo_growth_bytes_per_day',
      'By how much it grows, by the samples of two months',
      of((row) => forecasts.get(row.id)?.perDay),
    ),
    gauge(
      'holdfast_repo_full_timestamp_seconds',
      'When it is full by that growth; of none that does not grow',
      of((row) => time(forecasts.get(row.id)?.fullMs)),
    ),
    gauge(
      'holdfast_repo_measured_timestamp_seconds',
      'When sizes were measured',
      of(({ usage }) => time(usage?.measuredMs)),
    ),
    gauge(
      'holdfast_repo_read_ratio',
      'Share of its bytes that a verify has ever read as a whole',
      of(({ id }) => ratioOf(scrub.get(id))),
    ),
    gauge(
      'holdfast_repo_oldest_read_timestamp_seconds',
      'Of what was ever read as a whole: the oldest last time',
      of(({ id }) => time(scrub.get(id)?.oldestMs)),
    ),
    gauge(
      'holdfast_repo_points',
      'Recovery points that are there by the catalog',
      of(({ points }) => points),
    ),
    gauge(
      'holdfast_repo_last_look_timestamp_seconds',
      'When the watchdog has last looked through it',
      of((row) => time(watch(row)?.lookedMs)),
    ),
    gauge(
      'holdfast_repo_unseen',
      'Whether the last look did not come to its end, or none did for half an hour',
      of((row) => (isUnseen(catalog, row, nowMs) ? 1 : 0)),
    ),
    gauge(
      'holdfast_repo_points_vanished',
      'Points that nobody removed and that are not there any more',
      of((row) => watch(row)?.vanished ?? 0),
    ),
    gauge(
      'holdfast_repo_unreadable_vms',
      'VMs whose newest point the last look could not read: whether it is whole is not known',
      of((row) => watch(row)?.unreadable ?? 0),
    ),
    gauge(
      'holdfast_repo_catalog_copy_timestamp_seconds',
      'When the catalog was last copied into it',
      of(({ id }) => time(copies.get(id))),
    ),
  ]
}

function ratioOf(row: ScrubRow | undefined): number | null {
  const { bytes = null, readBytes = null } = row ?? {}
  return bytes === null || readBytes === null ? null : bytes === 0 ? 1 : readBytes / bytes
}

/** A repository that nobody has ever looked into counts from when it was added: that nothing failed says nothing of it. */
function isUnseen(catalog: Catalog, { id, createdMs }: RepositoryView, nowMs: number): boolean {
  const { lookedMs = null, error = null } = catalog.watches.find(id) ?? {}
  return error !== null || lookState({ nowMs, sinceMs: createdMs, lookedMs, error: null }) === 'blind'
}

/** Engine, workers, clock, alerts. */
export function ownFamilies(catalog: Catalog, engine: Engine, version: string): Family[] {
  const { driftMs, movedMs } = catalog.watches.clock() ?? { driftMs: 0, movedMs: null }
  const open = Map.groupBy(catalog.alerts.open(), ({ kind, severity }) => `${kind}/${severity}`)
  const failing = new Set(catalog.alerts.failing().map(({ name }) => name))
  return [
    one('holdfast_build_info', 'Version of the server', 1, { version }),
    one('holdfast_engine_up', 'Whether Temporal answers', engine.up ? 1 : 0),
    gauge(
      'holdfast_worker_up',
      'Whether somebody works on the queue; of no queue while Temporal does not answer',
      engine.up
        ? Object.entries(engine.pollers).map(([queue, { count }]) => ({ labels: { queue }, value: count > 0 ? 1 : 0 }))
        : [],
    ),
    one(
      'holdfast_clock_drift_seconds',
      'By how much the clock was moved, while that is told',
      movedMs === null ? 0 : seconds(driftMs),
    ),
    gauge(
      'holdfast_incidents',
      'What wants attention now',
      [...open].map(([key, rows]) => {
        const [kind = '', severity = ''] = key.split('/')
        return { labels: { kind, severity }, value: rows.length }
      }),
    ),
    gauge(
      'holdfast_channel_failing',
      'Whether nothing reaches the channel',
      catalog.alerts
        .channels()
        .filter(({ enabled }) => enabled)
        .map(({ name }) => ({ labels: { channel: name }, value: failing.has(name) ? 1 : 0 })),
    ),
  ]
}
