import { and, asc, count, desc, eq, gte, inArray, isNotNull, notLike, sql, type SQL } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { repositories, runs, vms } from './schema.ts'
import { tally } from './tallies.ts'
import { countRun } from './totals.ts'
import type { ErrorNote, ProgressRecord, ResidueNote, RunKind, RunState } from './types.ts'

export type RunRow = typeof runs.$inferSelect
export interface RunView extends RunRow {
  readonly vmName: string | null
  readonly repositoryName: string | null
}

export interface StartedRun {
  readonly workflowId: string
  readonly runId: string
  readonly kind: RunKind
  readonly title: string
  readonly vmId: string | null
  readonly repositoryId: string | null
  readonly pointId: string | null
  readonly startedMs: number
  readonly requestedUser: string
  readonly requestedReason: string
  readonly idempotencyKey: string | null
}

/** What a look at the engine found; a member that is absent stays as it is. */
export interface RunObservation {
  readonly state?: RunState
  readonly pointId?: string | null
  readonly endedMs?: number | null
  readonly progress?: ProgressRecord | null
  readonly resumedTimes?: number
  readonly bytesRead?: number | null
  readonly bytesStored?: number | null
  readonly error?: ErrorNote | null
  readonly residue?: readonly ResidueNote[]
  /** One sentence about what came out. */
  readonly summary?: string | null
  /** What has to be known of it however it ended. */
  readonly attention?: string | null
}

export interface RunFilter {
  readonly kind?: RunKind | undefined
  readonly state?: RunState | 'open' | 'closed' | undefined
  readonly vmId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly workflowId?: string | undefined
  /** Of VMs or repositories of this site. */
  readonly site?: string | undefined
  /** Runs of this plan. */
  readonly plan?: string | undefined
  readonly sinceMs?: number | undefined
}

export interface RunQueries {
  /** Idempotent by run id: who asked and the run itself may both say so, in either order. True: it was not known. */
  started(run: StartedRun): boolean
  /** Announces the run only if something that people see has changed. */
  observe(runId: string, seen: RunObservation): void
  find(runId: string): RunView | undefined
  /** The newest run of a workflow id. */
  latest(workflowId: string): RunView | undefined
  /** Of a VM: the newest that is open, and the newest that has ended. */
  newestOf(vmId: string): { readonly open: RunView | undefined; readonly ended: RunView | undefined }
  findByIdempotencyKey(key: string): RunView | undefined
  list(page: PageRequest, filter?: RunFilter): Page<RunView>
  /**
   * Failed or terminated since that moment: the newest of each kind and VM, plan or repository, unless the same has succeeded
   * for the VM since; the newest first, `limit` at most.
   */
  newestFailed(sinceMs: number, limit: number): RunView[]
  /** Whether one of this kind and VM, or of this plan, that began then or later has completed. */
  succeededSince(
    what: { readonly kind: RunKind; readonly vmId: string } | { readonly plan: string },
    sinceMs: number,
  ): boolean
  /** Begun since that moment with something that whoever looks at them has to know, newest first, `limit` at most. */
  withAttention(sinceMs: number, limit: number): { readonly runs: RunView[]; readonly total: number }
  /** Runs that have not ended, oldest first; 1,000 at most. */
  open(): RunView[]
  /** The newest ended runs. */
  recentlyEnded(limit: number): RunView[]
  /** Median duration of the last ten completed runs of this kind, in ms; null without any. */
  usualDurationMs(kind: RunKind, vmId: string): number | null
}

const openFirst = sql`(${runs.endedMs} IS NULL)`

export function runQueries(context: CatalogContext): RunQueries {
  const { db, now, publish } = context
  const select = () =>
    db
      .select({
        row: runs,
        vmName: vms.name,
        repositoryName: repositories.name,
        isOpen: sql<number>`${openFirst}`.as('is_open'),
      })
      .from(runs)
      .leftJoin(vms, eq(vms.id, runs.vmId))
      .leftJoin(repositories, eq(repositories.id, runs.repositoryId))
  type Found = { row: RunRow; vmName: string | null; repositoryName: string | null; isOpen: number }
  const view = (found: Found): RunView => ({ ...found.row, vmName: found.vmName, repositoryName: found.repositoryName })
  /** The newest of which the column is this. */
  const oneBy = (column: typeof runs.runId | typeof runs.workflowId | typeof runs.idempotencyKey) => {
    const newest = lazy(() =>
      select()
        .where(eq(column, given('value')))
        .orderBy(desc(runs.startedMs), desc(runs.runId))
        .limit(1)
        .prepare(),
    )
    return (value: string): RunView | undefined => {
      const found = newest().get({ value })
      return found && view(found)
    }
  }
  const find = oneBy(runs.runId)
  const newestOf = (has: SQL) =>
    lazy(() =>
      select()
        .where(
          sql`${runs.runId} = (SELECT r.run_id FROM runs r WHERE r.vm_id = ${given('vmId')} AND ${has}
            ORDER BY r.started_ms DESC, r.run_id DESC LIMIT 1)`,
        )
        .prepare(),
    )
  // Each has an index of its own, that of what has ended, or of what has not.
  const newestOpen = newestOf(sql`r.ended_ms IS NULL`)
  const newestEnded = newestOf(sql`r.ended_ms IS NOT NULL`)
  return {
    newestOf(vmId) {
      const [open, ended] = [newestOpen().get({ vmId }), newestEnded().get({ vmId })]
      return { open: open && view(open), ended: ended && view(ended) }
    },
    started(run) {
      return inTransaction(context, () => {
        const row = { ...run, state: 'running' as const, resumedTimes: 0, residue: [], seenMs: now() }
        const isNew = db.insert(runs).values(row).onConflictDoNothing({ target: runs.runId }).run().changes > 0
        if (!isNew && run.idempotencyKey !== null) {
          db.update(runs).set({ idempotencyKey: run.idempotencyKey }).where(eq(runs.runId, run.runId)).run()
        }
        if (isNew) publish('run', run.runId)
        return isNew
      })
    },
    observe(runId, seen) {
      inTransaction(context, () => {
        const known = db.select().from(runs).where(eq(runs.runId, runId)).get()
        if (!known) throw new HoldfastError('NotFound', `there is no run ${runId}`)
        const changed = Object.entries(seen).filter(
          ([name, value]) =>
            value !== undefined && JSON.stringify(value) !== JSON.stringify(known[name as keyof RunRow]),
        )
        db.update(runs)
          .set({ ...Object.fromEntries(changed), seenMs: now() })
          .where(eq(runs.runId, runId))
          .run()
        const after = { ...known, ...(Object.fromEntries(changed) as Partial<RunRow>) }
        if (known.endedMs === null && after.endedMs !== null) countRun(context, { ...after, endedMs: after.endedMs })
        if (changed.length > 0) publish('run', runId)
      })
    },
    find,
    latest: oneBy(runs.workflowId),
    findByIdempotencyKey: oneBy(runs.idempotencyKey),
    list(page, filter = {}) {
      const where = [
        filter.kind === undefined ? undefined : eq(runs.kind, filter.kind),
        filter.vmId === undefined ? undefined : eq(runs.vmId, filter.vmId),
        filter.repositoryId === undefined ? undefined : eq(runs.repositoryId, filter.repositoryId),
        filter.workflowId === undefined ? undefined : eq(runs.workflowId, filter.workflowId),
        filter.site === undefined ? undefined : ofSite(filter.site),
        filter.plan === undefined ? undefined : ofPlan(filter.plan),
        filter.sinceMs === undefined ? undefined : gte(runs.startedMs, filter.sinceMs),
        stateCondition(filter.state, filter.vmId !== undefined || filter.workflowId !== undefined),
      ]
      const key = [openFirst, sql`${runs.startedMs}`, sql`${runs.runId}`]
      const rows = select()
        .where(and(...where, afterCursor(key, 'desc', page)))
        .orderBy(sql`${openFirst} DESC`, desc(runs.startedMs), desc(runs.runId))
        .limit(rowsFor(page))
        .all()
      const counted = (): number =>
        db
          .select({ n: count() })
          .from(runs)
          .where(and(...where))
          .get()?.n ?? 0
      const isWhole = Object.values(filter).every((value) => value === undefined)
      const total = isWhole ? tally(context, 'runs') : counted()
      return toPage(rows, page, total, ({ row, isOpen }) => [isOpen, row.startedMs, row.runId], view)
    },
    succeededSince(what, sinceMs) {
      // A run of a plan that stood back for another one has backed up nothing.
      const hasChosen = sql`EXISTS (SELECT 1 FROM plan_runs p WHERE p.id = ${runs.workflowId})`
      const of =
        'plan' in what ? and(ofPlan(what.plan), hasChosen) : and(eq(runs.kind, what.kind), eq(runs.vmId, what.vmId))
      // Not by the index of states: that has the runs of all VMs since then.
      const went = sql`+${runs.state} IN ('completed', 'completed-with-residue')`
      const found = db
        .select({ n: sql`1` })
        .from(runs)
        .where(and(of, gte(runs.startedMs, sinceMs), went))
        .limit(1)
        .get()
      return found !== undefined
    },
    newestFailed(sinceMs, limit) {
      // Of a plan: `plan/<name>` of `plan/<name>/<time>`; of a recovery plan, rehearsals and runs for real apart. Sweeps of a repository, mirrors between two, and what is done with a standby have one workflow id.
      const rows = db.all<{ id: string }>(sql`
        SELECT id FROM (
          SELECT r.run_id AS id, r.started_ms AS started_ms, row_number() OVER (
            PARTITION BY r.kind, CASE
              WHEN r.kind = 'plan' THEN substr(r.workflow_id, 1, 4 + instr(substr(r.workflow_id, 6) || '/', '/'))
              WHEN r.kind = 'recovery' THEN substr(r.workflow_id, 1, 8 + instr(substr(r.workflow_id, 10) || '/', '/'))
                || '/' || coalesce((SELECT q.mode FROM recovery_runs q WHERE q.run_id = r.run_id), '')
              WHEN r.kind IN ('retention', 'mirror', 'replication', 'failover') THEN r.workflow_id
              WHEN r.vm_id IS NOT NULL THEN r.vm_id
              ELSE r.run_id END
            ORDER BY r.started_ms DESC, r.run_id DESC) AS place
          FROM runs r
          WHERE r.state IN ('failed', 'terminated') AND r.started_ms >= ${sinceMs} AND NOT EXISTS (
            SELECT 1 FROM runs s WHERE s.kind = r.kind AND s.vm_id = r.vm_id AND s.started_ms >= r.started_ms
              AND (r.kind NOT IN ('replication', 'failover') OR s.workflow_id = r.workflow_id)
              AND s.state IN ('completed', 'completed-with-residue')))
        WHERE place = 1 ORDER BY started_ms DESC, id DESC LIMIT ${limit}`)
      return rows.flatMap(({ id }) => find(id) ?? [])
    },
    withAttention(sinceMs, limit) {
      const where = and(isNotNull(runs.attention), gte(runs.startedMs, sinceMs))
      return {
        runs: select().where(where).orderBy(desc(runs.startedMs), desc(runs.runId)).limit(limit).all().map(view),
        total:
          db
            .select({ n: sql<number>`count(*)` })
            .from(runs)
            .where(where)
            .get()?.n ?? 0,
      }
    },
    open: () =>
      select()
        .where(sql`${openFirst} = 1`)
        .orderBy(asc(runs.startedMs))
        .limit(1000)
        .all()
        .map(view),
    recentlyEnded: (limit) =>
      select().where(isNotNull(runs.endedMs)).orderBy(desc(runs.endedMs)).limit(limit).all().map(view),
    usualDurationMs(kind, vmId) {
      const durations = db
        .select({ ms: sql<number>`${runs.endedMs} - ${runs.startedMs}` })
        .from(runs)
        .where(
          and(
            ...[eq(runs.kind, kind), eq(runs.vmId, vmId), inArray(runs.state, ['completed', 'completed-with-residue'])],
            // A few files say nothing of how long the whole VM takes.
            notLike(runs.workflowId, 'restore/files/%'),
          ),
        )
        .orderBy(desc(runs.startedMs))
        .limit(10)
        .all()
        .map((row) => row.ms)
        .sort((a, b) => a - b)
      return durations[Math.floor((durations.length - 1) / 2)] ?? null
    },
  }
}

function ofSite(site: string): SQL {
  return sql`(${runs.vmId} IN (SELECT v.id FROM vms v JOIN endpoints e ON e.id = v.endpoint_id WHERE e.site = ${site})
    OR ${runs.repositoryId} IN (SELECT p.id FROM repositories p WHERE p.site = ${site}))`
}

function ofPlan(plan: string): SQL {
  const prefix = `plan/${plan}/`
  return sql`${runs.kind} = 'plan' AND substr(${runs.workflowId}, 1, ${prefix.length}) = ${prefix}`
}

/** `isOfOne`: the index of a VM or of a workflow has the few runs that are asked about, not that of the whole list. */
function stateCondition(state: RunFilter['state'], isOfOne: boolean): SQL | undefined {
  if (state === undefined) return undefined
  const isOpen = isOfOne ? sql`+${openFirst}` : openFirst
  if (state === 'open') return sql`${isOpen} = 1`
  if (state === 'closed') return sql`${isOpen} = 0`
  if (state === 'failed') return inArray(runs.state, ['failed', 'terminated'])
  return eq(runs.state, state)
}
