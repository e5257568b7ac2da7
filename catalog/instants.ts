import { and, count, desc, eq, isNull, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, everyRow, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { endpoints, instants, points, repositories, runs, vms } from './schema.ts'
import type { ErrorNote, InstantState } from './types.ts'

export type InstantRow = typeof instants.$inferSelect
export interface InstantView extends InstantRow {
  readonly vmName: string
  readonly repositoryName: string
  readonly endpointName: string
  /** Of the point that it runs from; null: the catalog no longer knows it. */
  readonly pointMs: number | null
}
export type NewInstant = Omit<InstantRow, 'state' | 'bootedMs' | 'endedMs' | 'error' | 'boot'> &
  Partial<Pick<InstantRow, 'boot'>>

export interface InstantQueries {
  /** Idempotent by run id. */
  started(instant: NewInstant): void
  /** How far it is. One that has ended stays as it is; `error` is kept until the next copy begins. */
  observe(
    runId: string,
    seen: { readonly state: InstantState; readonly error: ErrorNote | null; readonly atMs: number },
  ): void
  /** Throws NotFound. */
  get(runId: string): InstantView
  /** Newest first. */
  list(page: PageRequest, filter?: { readonly open?: boolean | undefined }): Page<InstantView>
  /** All that are open, the newest first. */
  everyOpen(): Generator<InstantView>
}

const ends: readonly InstantState[] = ['migrated', 'discarded', 'failed']

export function instantQueries(context: CatalogContext): InstantQueries {
  const { db, publish } = context
  const select = () =>
    db
      .select({
        row: instants,
        vmName: vms.name,
        repositoryName: repositories.name,
        endpointName: endpoints.name,
        pointMs: points.createdMs,
        runEndedMs: runs.endedMs,
      })
      .from(instants)
      .leftJoin(vms, eq(vms.id, instants.vmId))
      .leftJoin(repositories, eq(repositories.id, instants.repositoryId))
      .leftJoin(endpoints, eq(endpoints.id, instants.endpointId))
      .leftJoin(points, eq(points.id, instants.pointId))
      .leftJoin(runs, eq(runs.runId, instants.runId))
  type Found = NonNullable<ReturnType<ReturnType<typeof select>['get']>>
  const view = ({ row, vmName, repositoryName, endpointName, pointMs, runEndedMs }: Found): InstantView => ({
    ...row,
    // A run that somebody terminated could not write down its end.
    ...(row.endedMs === null && runEndedMs !== null && { state: 'failed' as const, endedMs: runEndedMs }),
    vmName: vmName ?? row.vmId,
    repositoryName: repositoryName ?? row.repositoryId,
    endpointName: endpointName ?? row.endpointId,
    pointMs,
  })
  const list: InstantQueries['list'] = (page, { open } = {}) => {
    const where = open === true ? and(isNull(instants.endedMs), isNull(runs.endedMs)) : undefined
    const rows = select()
      .where(and(where, afterCursor([sql`${instants.startedMs}`, sql`${instants.runId}`], 'desc', page)))
      .orderBy(desc(instants.startedMs), desc(instants.runId))
      .limit(rowsFor(page))
      .all()
    const total =
      db.select({ n: count() }).from(instants).leftJoin(runs, eq(runs.runId, instants.runId)).where(where).get()?.n ?? 0
    return toPage(rows, page, total, ({ row }) => [row.startedMs, row.runId], view)
  }
  return {
    started(instant) {
      const done = db
        .insert(instants)
        .values({ ...instant, state: 'starting', bootedMs: null, endedMs: null, error: null })
        .onConflictDoNothing({ target: instants.runId })
        .run()
      if (done.changes > 0) publish('instant', instant.runId)
    },
    observe(runId, { state, error, atMs }) {
      inTransaction(context, () => {
        const known = db
          .select()
          .from(instants)
          .where(and(eq(instants.runId, runId), isNull(instants.endedMs)))
          .get()
        if (!known) return
        const hasEnded = ends.includes(state)
        db.update(instants)
          .set({
            state,
            bootedMs: known.bootedMs ?? (state === 'running' ? atMs : null),
            endedMs: hasEnded ? atMs : null,
            error: error ?? (state === 'migrating' || state === 'migrated' ? null : known.error),
          })
          .where(eq(instants.runId, runId))
          .run()
        publish('instant', runId)
      })
    },
    get(runId) {
      const found = select().where(eq(instants.runId, runId)).get()
      if (found) return view(found)
      throw new HoldfastError('NotFound', `there is no instant restore ${runId}`)
    },
    list,
    everyOpen: () => everyRow((page) => list(page, { open: true })),
  }
}
