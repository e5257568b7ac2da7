import { and, asc, count, desc, eq, gt, inArray, max, ne, sql, sum } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { repositories, runs, sweepApprovals, sweepPoints, sweeps, sweepSeries } from './schema.ts'
import type { RunState, SweepState, SweptState } from './types.ts'

export type SweepRow = typeof sweeps.$inferSelect
export interface SweepView extends SweepRow {
  readonly repositoryName: string
}
export type SweepSeriesRow = typeof sweepSeries.$inferSelect
export type SweepPointRow = typeof sweepPoints.$inferSelect
export interface SweepPointView extends SweepPointRow {
  readonly vmId: string | null
  readonly vmName: string
}

/** What a sweep knows when it has planned; series and points come in any number. */
export interface NewSweep {
  readonly sweep: Omit<
    SweepRow,
    | 'removed'
    | 'refused'
    | 'spared'
    | 'confirmedMs'
    | 'endedMs'
    | 'approval'
    | 'waitsFor'
    | 'waitsUntilMs'
    | 'approvalRequired'
  > &
    Partial<Pick<SweepRow, 'approvalRequired'>>
  readonly series: readonly Omit<SweepSeriesRow, 'runId'>[]
  readonly points: readonly Omit<SweepPointRow, 'runId' | 'state' | 'why'>[]
}

export interface SweepBatchRow {
  readonly stem: string
  readonly policy: string
}

export interface SweepQueries {
  /** Idempotent by run id: a plan never changes. Full plans of earlier sweeps shrink to what they took. */
  record(plan: NewSweep): void
  find(runId: string): SweepView | undefined
  /** Throws NotFound. */
  get(runId: string): SweepView
  /** When the last sweep was planned that was no dry run; null: there was none. */
  lastSweptMs(repositoryId: string): number | null
  /** Whether a person has approved a sweep of the repository, in the life of this catalog: a rebuild ends it. */
  wasApproved(repositoryId: string): boolean
  list(page: PageRequest, filter?: { readonly repositoryId?: string | undefined }): Page<SweepView>
  update(
    runId: string,
    change: Partial<Pick<SweepRow, 'state' | 'waitsFor' | 'waitsUntilMs' | 'approval' | 'confirmedMs' | 'endedMs'>>,
  ): void
  /** Those that lose something first. */
  series(runId: string, page: PageRequest, filter?: { readonly orphans?: boolean | undefined }): Page<SweepSeriesRow>
  /** Series of which the plan would take more than their share. */
  askingSeries(runId: string): Set<string>
  points(
    runId: string,
    page: PageRequest,
    filter?: { readonly series?: string | undefined; readonly state?: SweptState | undefined },
  ): Page<SweepPointView>
  /** Every point of one series that the plan has seen. */
  ofSeries(runId: string, series: string): SweepPointRow[]
  /** What is still to go, series by series. */
  nextBatch(runId: string, limit: number): SweepBatchRow[]
  /** What became of points that were to go; anything else is left as it is. Counts on the sweep follow. */
  mark(
    runId: string,
    marks: readonly { readonly stem: string; readonly state: SweptState; readonly why: string | null }[],
  ): void
  /** Stems that are still to go. */
  going(runId: string): string[]
  /** Points that sweeps have removed which were planned after that moment. */
  removedSince(repositoryId: string, ms: number): number
}

interface Found {
  readonly row: SweepRow
  readonly repositoryName: string
  readonly run: RunState | null
}

const isOpenRun = (run: RunState): boolean => run === 'running' || run === 'paused' || run === 'waiting'

/** A run that somebody ended from outside could not write down the end of its sweep. */
function stateOf(state: SweepState, run: RunState | null): SweepState {
  const isOpen = state === 'waiting' || state === 'removing' || state === 'collecting'
  if (!isOpen || run === null || isOpenRun(run)) return state
  return run === 'cancelled' ? 'cancelled' : 'failed'
}

export function sweepQueries(context: CatalogContext): SweepQueries {
  const { db, publish } = context
  const select = () =>
    db
      .select({ row: sweeps, repositoryName: repositories.name, run: runs.state })
      .from(sweeps)
      .innerJoin(repositories, eq(repositories.id, sweeps.repositoryId))
      .leftJoin(runs, eq(runs.runId, sweeps.runId))
  const view = ({ row, repositoryName, run }: Found): SweepView => {
    const state = stateOf(row.state, run)
    const waits = state === 'waiting' ? {} : { waitsFor: null, waitsUntilMs: null }
    return { ...row, ...waits, state, repositoryName }
  }
  const find = (runId: string): SweepView | undefined => {
    const found = select().where(eq(sweeps.runId, runId)).get()
    return found && view(found)
  }
  /** Only what a sweep took, or could not take, is remembered of earlier ones; one that is under way needs its plan. */
  const shrinkOthers = (runId: string, repositoryId: string): void => {
    const others = db
      .select({ runId: sweeps.runId, endedMs: sweeps.endedMs, dryRun: sweeps.dryRun, run: runs.state })
      .from(sweeps)
      .leftJoin(runs, eq(runs.runId, sweeps.runId))
      .where(and(eq(sweeps.repositoryId, repositoryId), ne(sweeps.runId, runId)))
      .all()
      .filter((row) => row.dryRun || row.endedMs !== null || row.run === null || !isOpenRun(row.run))
      .map((row) => row.runId)
    for (const other of others) {
      db.delete(sweepPoints)
        .where(and(eq(sweepPoints.runId, other), inArray(sweepPoints.state, ['stays', 'going', 'spared'])))
        .run()
    }
  }
  const insertPoint = lazy(() =>
    db
      .insert(sweepPoints)
      .values({
        runId: sql.placeholder('runId'),
        stem: sql.placeholder('stem'),
        series: sql.placeholder('series'),
        pointId: sql.placeholder('pointId'),
        timeMs: sql.placeholder('timeMs'),
        origin: sql.placeholder('origin'),
        policy: sql.placeholder('policy'),
        keptBy: sql.placeholder('keptBy'),
        state: sql.placeholder('state'),
        why: null,
      })
      .prepare(),
  )
  return {
    find,
    record({ sweep, series, points }) {
      inTransaction(context, () => {
        if (find(sweep.runId)) return
        const counts = { removed: 0, refused: 0, spared: 0, confirmedMs: null, endedMs: null }
        db.insert(sweeps)
          .values({ ...sweep, ...counts, approval: null, waitsFor: null, waitsUntilMs: null })
          .run()
        const { runId } = sweep
        for (const row of series)
          db.insert(sweepSeries)
            .values({ ...row, runId })
            .run()
        for (const row of points) {
          const state = row.keptBy.length === 0 ? ('going' as const) : ('stays' as const)
          insertPoint().run({ ...row, runId, state })
        }
        shrinkOthers(runId, sweep.repositoryId)
        publish('sweep', runId)
      })
    },
    get(runId) {
      const found = find(runId)
      if (!found) throw new HoldfastError('NotFound', `there is no retention sweep ${runId}`)
      return found
    },
    lastSweptMs: (repositoryId) =>
      db
        .select({ ms: max(sweeps.plannedMs) })
        .from(sweeps)
        .where(and(eq(sweeps.repositoryId, repositoryId), eq(sweeps.dryRun, false)))
        .get()?.ms ?? null,
    wasApproved: (repositoryId) =>
      db.select().from(sweepApprovals).where(eq(sweepApprovals.repositoryId, repositoryId)).get() !== undefined,
    list(page, filter = {}) {
      const where = filter.repositoryId === undefined ? undefined : eq(sweeps.repositoryId, filter.repositoryId)
      const rows = select()
        .where(and(where, afterCursor([sql`${sweeps.plannedMs}`, sql`${sweeps.runId}`], 'desc', page)))
        .orderBy(desc(sweeps.plannedMs), desc(sweeps.runId))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(sweeps).where(where).get()?.n ?? 0
      return toPage(rows, page, total, ({ row }) => [row.plannedMs, row.runId], view)
    },
    update(runId, change) {
      inTransaction(context, () => {
        const done = db.update(sweeps).set(change).where(eq(sweeps.runId, runId)).run()
        if (done.changes === 0) return
        const { approval } = change
        const repositoryId = find(runId)?.repositoryId
        if (approval && repositoryId !== undefined)
          db.insert(sweepApprovals).values({ repositoryId, approvedMs: approval.ms }).onConflictDoNothing().run()
        publish('sweep', runId)
      })
    },
    series(runId, page, filter = {}) {
      const orphans = filter.orphans === true ? sql`${sweepSeries.orphan} IS NOT NULL` : undefined
      const where = and(eq(sweepSeries.runId, runId), orphans)
      const key = [sql`-${sweepSeries.going}`, sql`${sweepSeries.vmName}`, sql`${sweepSeries.series}`]
      const rows = db
        .select()
        .from(sweepSeries)
        .where(and(where, afterCursor(key, 'asc', page)))
        .orderBy(sql`-${sweepSeries.going}`, asc(sweepSeries.vmName), asc(sweepSeries.series))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(sweepSeries).where(where).get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [-row.going, row.vmName, row.series],
        (row) => row,
      )
    },
    askingSeries: (runId) =>
      new Set(
        db
          .select({ series: sweepSeries.series })
          .from(sweepSeries)
          .where(and(eq(sweepSeries.runId, runId), eq(sweepSeries.asks, true)))
          .all()
          .map(({ series }) => series),
      ),
    points(runId, page, filter = {}) {
      const where = and(
        eq(sweepPoints.runId, runId),
        filter.series === undefined ? undefined : eq(sweepPoints.series, filter.series),
        filter.state === undefined ? undefined : eq(sweepPoints.state, filter.state),
      )
      // Stems sort newest first inside a series.
      const rows = db
        .select({ row: sweepPoints, vmId: sweepSeries.vmId, vmName: sweepSeries.vmName })
        .from(sweepPoints)
        .innerJoin(
          sweepSeries,
          and(eq(sweepSeries.runId, sweepPoints.runId), eq(sweepSeries.series, sweepPoints.series)),
        )
        .where(and(where, afterCursor([sql`${sweepPoints.stem}`], 'asc', page)))
        .orderBy(asc(sweepPoints.stem))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(sweepPoints).where(where).get()?.n ?? 0
      const toView = ({ row, vmId, vmName }: (typeof rows)[number]): SweepPointView => ({ ...row, vmId, vmName })
      return toPage(rows, page, total, ({ row }) => [row.stem], toView)
    },
    ofSeries: (runId, series) =>
      db
        .select()
        .from(sweepPoints)
        .where(and(eq(sweepPoints.runId, runId), eq(sweepPoints.series, series)))
        .all(),
    nextBatch: (runId, limit) =>
      db
        .select({ stem: sweepPoints.stem, policy: sweepPoints.policy })
        .from(sweepPoints)
        .where(and(eq(sweepPoints.runId, runId), eq(sweepPoints.state, 'going')))
        .orderBy(asc(sweepPoints.series), asc(sweepPoints.stem))
        .limit(limit)
        .all(),
    mark(runId, marks) {
      inTransaction(context, () => {
        let changed = 0
        for (const { stem, state, why } of marks) {
          changed += db
            .update(sweepPoints)
            .set({ state, why })
            .where(and(eq(sweepPoints.runId, runId), eq(sweepPoints.stem, stem), eq(sweepPoints.state, 'going')))
            .run().changes
        }
        if (changed === 0) return
        const counted = (state: SweptState) =>
          db
            .select({ n: count() })
            .from(sweepPoints)
            .where(and(eq(sweepPoints.runId, runId), eq(sweepPoints.state, state)))
            .get()?.n ?? 0
        const counts = { removed: counted('removed'), refused: counted('refused'), spared: counted('spared') }
        db.update(sweeps).set(counts).where(eq(sweeps.runId, runId)).run()
        publish('sweep', runId)
      })
    },
    going: (runId) =>
      db
        .select({ stem: sweepPoints.stem })
        .from(sweepPoints)
        .where(and(eq(sweepPoints.runId, runId), eq(sweepPoints.state, 'going')))
        .all()
        .map(({ stem }) => stem),
    removedSince: (repositoryId, ms) =>
      Number(
        db
          .select({ n: sum(sweeps.removed) })
          .from(sweeps)
          .where(and(eq(sweeps.repositoryId, repositoryId), gt(sweeps.plannedMs, ms)))
          .get()?.n ?? 0,
      ),
  }
}
