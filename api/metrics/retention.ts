import type { Catalog } from '../../catalog/index.ts'
import { keepFor, manualQuotaProblem, mostByHand } from '../../policy/index.ts'
import { gauge, type Family, type Sample } from './exposition.ts'

const deviationKinds = ['kept', 'vanished', 'overdue'] as const

/** Kinds of holds that people place. */
const holdTypes = ['pin', 'legal'] as const

/** What retention and collections did last, and what they may not touch. */
export function retentionFamilies(catalog: Catalog): Family[] {
  const { metrics } = catalog
  const repositories = [...catalog.repositories.all()].map(({ id }) => id)
  const sweeps = metrics.lastSweeps()
  const collections = metrics.lastCollections()
  const held = new Map(metrics.held().map(({ repositoryId, type, points }) => [`${repositoryId}/${type}`, points]))
  const gone = new Map(metrics.goneVms().map(({ repositoryId, vms }) => [repositoryId, vms]))
  const full = fullQuotas(catalog)
  const audits = repositories.flatMap((repo) => catalog.retentionAudits.list(repo, 1))
  /** Also where there is none: an end is a fall to 0. */
  const ofEach = (value: (repo: string) => number): Sample[] =>
    repositories.map((repo) => ({ labels: { repo }, value: value(repo) }))
  const of = <T extends { readonly repositoryId: string }>(rows: readonly T[], value: (row: T) => number): Sample[] =>
    rows.map((row) => ({ labels: { repo: row.repositoryId }, value: value(row) }))
  return [
    gauge(
      'holdfast_repo_last_sweep_timestamp_seconds',
      'When the last retention sweep was planned that was no dry run; of none that never had one',
      of(sweeps, ({ plannedMs }) => plannedMs / 1000),
    ),
    gauge(
      'holdfast_repo_sweep_waiting',
      'Whether that sweep waits for a person to approve it',
      of(sweeps, ({ waits }) => waits),
    ),
    gauge(
      'holdfast_repo_last_sweep_points_removed',
      'Points that it has removed',
      of(sweeps, ({ removed }) => removed),
    ),
    gauge(
      'holdfast_repo_last_sweep_points_refused',
      'Points that were to go and that could not be removed',
      of(sweeps, ({ refused }) => refused),
    ),
    gauge(
      'holdfast_repo_last_collection_timestamp_seconds',
      'When the last collection ended that was no dry run; of none that never had one',
      of(collections, ({ endedMs }) => endedMs / 1000),
    ),
    gauge(
      'holdfast_repo_last_collection_freed_bytes',
      'Bytes of packs that it has deleted',
      of(collections, ({ freedBytes }) => freedBytes),
    ),
    gauge(
      'holdfast_repo_held_points',
      'Points with a pin or a legal hold, which retention does not take',
      repositories.flatMap((repo) =>
        holdTypes.map((type) => ({ labels: { repo, type }, value: held.get(`${repo}/${type}`) ?? 0 })),
      ),
    ),
    gauge(
      'holdfast_repo_retention_audit_timestamp_seconds',
      'When what it keeps was last compared with its policies',
      audits.map(({ repositoryId: repo, ms }) => ({ labels: { repo }, value: ms / 1000 })),
    ),
    gauge(
      'holdfast_repo_retention_deviations',
      'What that comparison found: points kept beyond their rules, points that vanished, a sweep that is overdue',
      audits.flatMap(({ repositoryId: repo, ...counts }) =>
        deviationKinds.map((kind) => ({ labels: { repo, kind }, value: counts[kind] })),
      ),
    ),
    gauge(
      'holdfast_repo_manual_quota_full_vms',
      'VMs that have as many points made by hand there as their policy keeps: another is refused',
      ofEach((repo) => full.get(repo) ?? 0),
    ),
    gauge(
      'holdfast_repo_gone_vms',
      'VMs that no hypervisor lists any more and of which it has points',
      ofEach((repo) => gone.get(repo) ?? 0),
    ),
  ]
}

/** By the same judgement that refuses a backup. */
function fullQuotas(catalog: Catalog): Map<string, number> {
  const kept = catalog.plans.all().flatMap(({ targets }) => targets.flatMap(({ keep }) => (keep ? [keep] : [])))
  const least = Math.min(mostByHand, ...kept.map(({ manual }) => manual ?? mostByHand))
  const full = new Map<string, number>()
  for (const [vmId, rows] of Map.groupBy(catalog.metrics.manualPoints(least), (row) => row.vmId)) {
    const vm = catalog.vms.get(vmId)
    const policy = catalog.policy.effective(vm, catalog.policy.plansOf(vm)[0] ?? null)
    for (const { repositoryId, points } of rows)
      if (manualQuotaProblem(vm.name, points, keepFor(policy, repositoryId).value, mostByHand) !== null)
        full.set(repositoryId, (full.get(repositoryId) ?? 0) + 1)
  }
  return full
}
