import { largestPage, type Catalog, type Page, type PageRequest } from '../../catalog/index.ts'
import { postureView } from '../views/vms.ts'
import type { ExportRow } from './stream.ts'

/** What of a list its file holds. Times as ISO 8601 in UTC, sizes in bytes, no value where nothing is known. */
export const exportKinds = {
  runs: [
    'run',
    'workflow',
    'kind',
    'state',
    'vm',
    'repository',
    'started',
    'ended',
    'seconds',
    'bytes_read',
    'bytes_stored',
    'requested_by',
    'summary',
    'error',
  ],
  points: [
    'point',
    'vm',
    'repository',
    'time',
    'validated',
    'mode',
    'origin',
    'plan',
    'consistency',
    'logical_bytes',
    'read_bytes',
    'new_bytes',
    'checked',
    'checked_at',
    'proof',
    'proof_at',
    'rto_seconds',
    'change',
    'change_score',
    'damage',
  ],
  protection: [
    'vm',
    'category',
    'plans',
    'state',
    'sentence',
    'newest_point',
    'rpo_seconds',
    'age_seconds',
    'last_proof',
    'last_proof_at',
    'excluded_because',
  ],
  usage: ['repository', 'vm', 'points', 'logical_bytes', 'read_bytes', 'stored_bytes', 'newest_point'],
  'usage-months': [
    'repository',
    'vm',
    'month',
    'days',
    'points',
    'logical_bytes',
    'stored_bytes',
    'mean_stored_bytes',
    'most_stored_bytes',
  ],
  retention: ['audited', 'repository', 'deviation', 'vm', 'point', 'point_time', 'policy', 'why'],
  capacity: ['repository', 'day', 'stored_bytes', 'logical_bytes'],
  audit: ['time', 'user', 'action', 'vm', 'point', 'point_time', 'volume', 'path', 'disk', 'format', 'subject'],
} as const satisfies { readonly [kind: string]: readonly string[] }

export type ExportKind = keyof typeof exportKinds
export interface ExportWish {
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

/** A row for each thing; of what has a time, those in [since, until). `usage` and `protection` are as of now. */
export function exportRows(catalog: Catalog, kind: ExportKind, wish: ExportWish): Iterable<ExportRow<string>> {
  switch (kind) {
    case 'runs':
      return runRows(catalog, wish)
    case 'points':
      return pointRows(catalog, wish)
    case 'protection':
      return protectionRows(catalog)
    case 'usage':
      return usageRows(catalog)
    case 'usage-months':
      return usageMonthRows(catalog, wish)
    case 'retention':
      return retentionRows(catalog, wish)
    case 'capacity':
      return capacityRows(catalog, wish)
    case 'audit':
      return auditRows(catalog, wish)
  }
}

type Row<K extends ExportKind> = ExportRow<(typeof exportKinds)[K][number]>

function* runRows(catalog: Catalog, { sinceMs, untilMs = Infinity }: ExportWish): Generator<Row<'runs'>> {
  for (const run of every((page) => catalog.runs.list(page, { sinceMs }))) {
    if (run.startedMs >= untilMs) continue
    yield {
      run: run.runId,
      workflow: run.workflowId,
      kind: run.kind,
      state: run.state,
      vm: run.vmId,
      repository: run.repositoryId,
      started: at(run.startedMs),
      ended: at(run.endedMs),
      seconds: run.endedMs === null ? null : (run.endedMs - run.startedMs) / 1000,
      bytes_read: run.bytesRead,
      bytes_stored: run.bytesStored,
      requested_by: run.requestedUser,
      summary: run.summary,
      error: run.error?.message ?? null,
    }
  }
}

function* pointRows(catalog: Catalog, { sinceMs, untilMs }: ExportWish): Generator<Row<'points'>> {
  for (const point of every((page) => catalog.points.list(page, { sinceMs, untilMs }))) {
    const { change, proof } = point
    yield {
      point: point.id,
      vm: point.vmId,
      repository: point.repositoryId,
      time: at(point.createdMs),
      validated: at(point.validatedMs),
      mode: point.mode,
      origin: point.origin,
      plan: point.plan,
      consistency: point.consistency,
      logical_bytes: point.logicalBytes,
      read_bytes: point.readBytes,
      new_bytes: point.newBytes,
      checked: point.verifyLevel,
      checked_at: at(point.verifiedMs),
      proof: proof?.verdict ?? null,
      proof_at: at(proof?.endedMs),
      rto_seconds: proof?.rtoSeconds ?? null,
      change: change === null ? null : (change.review ?? (change.isSuspicious ? 'suspicious' : 'usual')),
      change_score: change?.score ?? null,
      damage: point.damage,
    }
  }
}

function* protectionRows(catalog: Catalog): Generator<Row<'protection'>> {
  const plansOf = catalog.policy.takers()
  for (const vm of every((page) => catalog.vms.list(page))) {
    const { state, sentence, ageMs } = postureView(vm)
    const last = catalog.drills.latest(vm.id)
    yield {
      vm: vm.id,
      category: vm.category,
      plans: plansOf(vm).join(' '),
      state,
      sentence,
      newest_point: at(catalog.points.newestValidated(vm.id)?.createdMs),
      rpo_seconds: vm.promised.rpoMs / 1000,
      age_seconds: ageMs === null ? null : Math.round(ageMs / 1000),
      last_proof: last?.verdict ?? null,
      last_proof_at: at(last?.endedMs),
      excluded_because: vm.excludedReason,
    }
  }
}

function* usageRows(catalog: Catalog): Generator<Row<'usage'>> {
  for (const { id } of every((page) => catalog.repositories.list(page))) {
    for (const row of catalog.repositories.consumption(id, mostVms)) {
      yield {
        repository: id,
        vm: row.vmId,
        points: row.points,
        logical_bytes: row.logicalBytes,
        read_bytes: row.readBytes,
        stored_bytes: row.newBytes,
        newest_point: at(row.newestPointMs),
      }
    }
  }
}

function* usageMonthRows(
  catalog: Catalog,
  { sinceMs = 0, untilMs = Infinity }: ExportWish,
): Generator<Row<'usage-months'>> {
  for (const { id } of every((page) => catalog.repositories.list(page))) {
    for (const usage of every((page) => catalog.workloadUsage.list(id, page, { sinceMs, untilMs }))) {
      const { vmId, month, days, points, ...bytes } = usage
      yield {
        repository: id,
        vm: vmId,
        month,
        days,
        points,
        logical_bytes: bytes.logicalBytes,
        stored_bytes: bytes.storedBytes,
        mean_stored_bytes: bytes.meanStoredBytes,
        most_stored_bytes: bytes.mostStoredBytes,
      }
    }
  }
}

/** A row for each deviation that an audit has named, and one without for an audit that found none. */
function* retentionRows(
  catalog: Catalog,
  { sinceMs = 0, untilMs = Infinity }: ExportWish,
): Generator<Row<'retention'>> {
  const none = { kind: null, vmId: null, pointId: null, timeMs: null, policy: null, why: null }
  for (const { id } of every((page) => catalog.repositories.list(page))) {
    for (const { ms, deviations } of catalog.retentionAudits.list(id, mostDays)) {
      if (ms < sinceMs || ms >= untilMs) continue
      for (const one of deviations.length === 0 ? [none] : deviations)
        yield {
          audited: at(ms),
          repository: id,
          deviation: one.kind,
          vm: one.vmId,
          point: one.pointId,
          point_time: at(one.timeMs),
          policy: one.policy,
          why: one.why,
        }
    }
  }
}

function* capacityRows(catalog: Catalog, { sinceMs = 0, untilMs = Infinity }: ExportWish): Generator<Row<'capacity'>> {
  for (const { id } of every((page) => catalog.repositories.list(page))) {
    for (const { day, storedBytes, logicalBytes } of catalog.repositories.growth(id, mostDays)) {
      const ms = Date.parse(day)
      if (ms < sinceMs || ms >= untilMs) continue
      yield { repository: id, day, stored_bytes: storedBytes, logical_bytes: logicalBytes }
    }
  }
}

/** A row for each path that was asked for. */
function* auditRows(catalog: Catalog, wish: ExportWish): Generator<Row<'audit'>> {
  for (const { detail, ...entry } of every((page) => catalog.audit.list(page, wish)))
    for (const path of detail.paths ?? [null])
      yield {
        time: at(entry.ms),
        user: entry.user,
        action: entry.action,
        vm: entry.vmId,
        point: entry.pointId,
        point_time: at(entry.pointCreatedMs),
        volume: detail.volume ?? null,
        path,
        disk: detail.disk ?? null,
        format: detail.format ?? null,
        subject: entry.subject,
      }
}

/** Of one repository. */
const mostVms = 100_000
const mostDays = 366 * 20

/** Page by page: whoever reads slowly holds nothing. */
function* every<T>(list: (page: PageRequest) => Page<T>): Generator<T> {
  for (let cursor: string | undefined; ;) {
    const page = list({ limit: largestPage, cursor })
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

function at(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString()
}
