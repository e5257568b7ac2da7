import { eq, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { keptSince, longestKeeping, recordKinds, type RecordKind } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { keeping } from './schema.ts'

export interface KeepingRow {
  readonly kind: RecordKind
  readonly title: string
  readonly months: number
  readonly defaultMonths: number
  /** Null: this installation writes no such records. */
  readonly records: number | null
  readonly oldestMs: number | null
}

export interface KeepingQueries {
  /** Every kind, with what there is of it. */
  list(): KeepingRow[]
  /** Where somebody has decided otherwise than by default. */
  changed(): Pick<KeepingRow, 'kind' | 'months'>[]
  /** Throws NotFound, InvalidRequest. */
  set(kind: string, months: number): KeepingRow
  /** Removes what is older than it is kept for, a thousand records a turn; returns how many went, by kind. */
  purge(): Promise<{ readonly [kind in RecordKind]?: number }>
}

/** Where records of a kind are: their time in ms as SQL, and which may go at all. */
interface Source {
  readonly table: string
  readonly key: string
  readonly ms: string
  readonly where: string
  /** Tables of what belongs to it, by its key, which may be many rows each: they go first, so that no step takes long. */
  readonly parts?: readonly string[]
}

/** Of what a run writes down: it has ended, also where somebody ended it from outside and nobody could say so. */
const hasEnded = (table: string): string => `(${table}.ended_ms IS NOT NULL OR NOT EXISTS
  (SELECT 1 FROM runs u WHERE u.run_id = ${table}.run_id AND u.ended_ms IS NULL))`

/**
 * The newest run of each workflow stays however old: the state of a VM is read from it. A run of a plan has an id of its
 * own and is nobody's state; so has one of a drill, of which the newest of each VM stays. Histories go with their run.
 */
const sources: { readonly [kind in RecordKind]?: Source } = {
  audit: { table: 'audit', key: 'seq', ms: 'ms', where: 'true' },
  runs: {
    table: 'runs',
    key: 'run_id',
    ms: 'ended_ms',
    where: `ended_ms IS NOT NULL AND (kind IN ('plan', 'recovery') OR EXISTS (SELECT 1 FROM runs later
      WHERE later.workflow_id = runs.workflow_id AND later.started_ms > runs.started_ms) OR kind = 'drill' AND EXISTS
      (SELECT 1 FROM runs later WHERE later.vm_id = runs.vm_id AND later.kind = 'drill' AND later.started_ms > runs.started_ms))`,
  },
  notifications: {
    table: 'deliveries',
    key: 'id',
    ms: 'created_ms',
    where: `state <> 'waiting'`,
  },
  usage: { table: 'workload_usage', key: 'rowid', ms: 'looked_ms', where: 'true' },
  'disk-usage': {
    table: 'repository_growth',
    key: 'rowid',
    ms: `unixepoch(day) * 1000`,
    where: 'true',
  },
  // The newest of each repository stays: what is due, and what is shown of a repository, is read from it.
  sweeps: {
    table: 'sweeps',
    key: 'run_id',
    ms: 'planned_ms',
    where: `${hasEnded('sweeps')} AND EXISTS (SELECT 1 FROM sweeps later WHERE later.repository_id = sweeps.repository_id
      AND later.dry_run = sweeps.dry_run AND later.planned_ms > sweeps.planned_ms)`,
    parts: ['sweep_points', 'sweep_series'],
  },
  'retention-audits': {
    table: 'retention_audits',
    key: 'rowid',
    ms: 'ms',
    where: `EXISTS (SELECT 1 FROM retention_audits later WHERE later.repository_id = retention_audits.repository_id
      AND later.ms > retention_audits.ms)`,
  },
  // Of one whose copy was on its way when it was removed the mirror still asks.
  'removed-points': {
    table: 'removed_points',
    key: 'id',
    ms: 'removed_ms',
    where: 'NOT EXISTS (SELECT 1 FROM points p WHERE p.id = removed_points.id)',
  },
  collections: {
    table: 'collections',
    key: 'run_id',
    ms: 'ended_ms',
    where: `EXISTS (SELECT 1 FROM collections later WHERE later.repository_id = collections.repository_id
      AND later.ended_ms > collections.ended_ms AND json_extract(later.report, '$.outcome') <> 'dry-run')`,
  },
  verifications: {
    table: 'verify_runs',
    key: 'run_id',
    ms: 'started_ms',
    where: `${hasEnded('verify_runs')} AND EXISTS (SELECT 1 FROM verify_runs later WHERE later.repository_id = verify_runs.repository_id
      AND later.level = verify_runs.level AND later.started_ms > verify_runs.started_ms)`,
    parts: ['verify_findings'],
  },
}

const batch = 1000

export function keepingQueries(context: CatalogContext): KeepingQueries {
  const { db, sqlite, now, publish } = context
  const kinds = Object.keys(recordKinds) as RecordKind[]
  const monthsOf = (kind: RecordKind): number =>
    db.select().from(keeping).where(eq(keeping.kind, kind)).get()?.months ?? recordKinds[kind].months
  const rowOf = (kind: RecordKind): KeepingRow => {
    const { title, months: defaultMonths } = recordKinds[kind]
    const source = sources[kind]
    const seen =
      source &&
      db.get<{ n: number; ms: number | null }>(
        sql.raw(`SELECT count(*) AS n, min(${source.ms}) AS ms FROM ${source.table}`),
      )
    return { kind, title, months: monthsOf(kind), defaultMonths, records: seen?.n ?? null, oldestMs: seen?.ms ?? null }
  }
  const purgeParts = (source: Source, part: string, sinceMs: number): number =>
    sqlite
      .prepare<[number]>(
        `DELETE FROM ${part} WHERE rowid IN (SELECT part.rowid FROM ${source.table} CROSS JOIN ${part} part
            ON part.${source.key} = ${source.table}.${source.key}
          WHERE ${source.where} AND ${source.table}.${source.ms} < ? LIMIT ${batch})`,
      )
      .run(sinceMs).changes
  const purgeBatch = (source: Source, sinceMs: number): number =>
    sqlite
      .prepare<[number]>(
        `DELETE FROM ${source.table} WHERE ${source.key} IN (SELECT ${source.key} FROM ${source.table}
          WHERE ${source.where} AND ${source.ms} < ? LIMIT ${batch})`,
      )
      .run(sinceMs).changes
  return {
    list: () => kinds.map(rowOf),
    changed: () =>
      kinds.flatMap((kind) => (monthsOf(kind) === recordKinds[kind].months ? [] : [{ kind, months: monthsOf(kind) }])),
    set(kind, months) {
      const known = kinds.find((one) => one === kind)
      if (known === undefined) throw new HoldfastError('NotFound', `there are no records of kind ${kind}`)
      if (!Number.isInteger(months) || months < 1 || months > longestKeeping)
        throw new HoldfastError('InvalidRequest', `records are kept for 1 to ${longestKeeping} months, not ${months}`)
      inTransaction(context, () => {
        const set = { months, changedMs: now() }
        db.insert(keeping)
          .values({ kind: known, ...set })
          .onConflictDoUpdate({ target: keeping.kind, set })
          .run()
        publish('settings', known)
      })
      return rowOf(known)
    },
    async purge() {
      const gone: { [kind in RecordKind]?: number } = {}
      for (const kind of kinds) {
        const source = sources[kind]
        if (source === undefined) continue
        const sinceMs = keptSince(now(), monthsOf(kind))
        for (const part of source.parts ?? []) await inTurns(() => purgeParts(source, part, sinceMs))
        gone[kind] = await inTurns(() => purgeBatch(source, sinceMs))
      }
      return gone
    },
  }
}

/** Until a batch is not full; returns how many went. Between two others get their turn. */
async function inTurns(purge: () => number): Promise<number> {
  let gone = 0
  for (let went = batch; went === batch;) {
    went = purge()
    gone += went
    await new Promise((resolve) => setImmediate(resolve))
  }
  return gone
}
