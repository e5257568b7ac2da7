import { and, asc, count, desc, eq, notInArray, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { repositories, verifyFindings, verifyRuns } from './schema.ts'
import type { VerifyFinding } from './types.ts'

export type VerifyRunRow = typeof verifyRuns.$inferSelect
export interface VerifyRunView extends VerifyRunRow {
  readonly repositoryName: string
}
export type VerifyFindingRow = typeof verifyFindings.$inferSelect

type Start = 'runId' | 'workflowId' | 'repositoryId' | 'level' | 'quarantine' | 'budgetBytes' | 'startedMs'
export type NewVerifyRun = Pick<VerifyRunRow, Start>
/** What a verify that came to its end has counted. */
export type VerifyFigures = Omit<VerifyRunRow, Start | 'state' | 'error'> & { readonly endedMs: number }

export interface VerifyRunQueries {
  /** Idempotent by run id. */
  started(run: NewVerifyRun): void
  /** Of a run that is not written down as ended; findings of all but the last runs are forgotten, their counts stay. */
  completed(runId: string, figures: VerifyFigures, findings: readonly VerifyFinding[]): void
  /** A run that did not come to its end; one that is written down as ended stays as it is. */
  ended(runId: string, end: Pick<VerifyRunRow, 'error' | 'endedMs'> & { readonly state: 'failed' | 'cancelled' }): void
  /** Throws NotFound. */
  get(runId: string): VerifyRunView
  /** Newest first. */
  list(page: PageRequest, filter?: { readonly repositoryId?: string | undefined }): Page<VerifyRunView>
  /** What is proved first, in the order in which it was found. */
  findings(runId: string, page: PageRequest): Page<VerifyFindingRow>
}

/** Runs of a repository that keep their findings. */
const runsWithFindings = 10

const zero = {
  points: 0,
  packs: 0,
  packsResumed: 0,
  chunks: 0,
  bytes: 0,
  damages: 0,
  unreadable: 0,
  quarantined: 0,
  damagedPoints: 0,
  unreadablePoints: 0,
  mendedPoints: 0,
  notes: [],
  notesLeft: 0,
  endedMs: null,
  error: null,
}

export function verifyRunQueries(context: CatalogContext): VerifyRunQueries {
  const { db, publish } = context
  const select = () =>
    db
      .select({ row: verifyRuns, repositoryName: repositories.name })
      .from(verifyRuns)
      .innerJoin(repositories, eq(repositories.id, verifyRuns.repositoryId))
  const view = ({ row, repositoryName }: { row: VerifyRunRow; repositoryName: string }): VerifyRunView => ({
    ...row,
    repositoryName,
  })
  const open = (runId: string) => and(eq(verifyRuns.runId, runId), eq(verifyRuns.state, 'running'))
  const get = (runId: string): VerifyRunView => {
    const found = select().where(eq(verifyRuns.runId, runId)).get()
    if (found) return view(found)
    throw new HoldfastError('NotFound', `there is no verify ${runId}`)
  }
  const forgetOlder = (repositoryId: string): void => {
    const last = db
      .select({ runId: verifyRuns.runId })
      .from(verifyRuns)
      .where(eq(verifyRuns.repositoryId, repositoryId))
      .orderBy(desc(verifyRuns.startedMs))
      .limit(runsWithFindings)
      .all()
      .map(({ runId }) => runId)
    const others = db
      .select({ runId: verifyRuns.runId })
      .from(verifyRuns)
      .where(and(eq(verifyRuns.repositoryId, repositoryId), notInArray(verifyRuns.runId, last)))
    db.delete(verifyFindings)
      .where(sql`${verifyFindings.runId} IN ${others}`)
      .run()
  }
  return {
    get,
    started(run) {
      inTransaction(context, () => {
        const done = db
          .insert(verifyRuns)
          .values({ ...zero, ...run, state: 'running' })
          .onConflictDoNothing({ target: verifyRuns.runId })
          .run()
        if (done.changes > 0) publish('verify', run.runId)
      })
    },
    completed(runId, figures, findings) {
      inTransaction(context, () => {
        const done = db
          .update(verifyRuns)
          .set({ ...figures, state: 'completed' })
          .where(open(runId))
          .run()
        if (done.changes === 0) return
        for (const [number, finding] of findings.entries())
          db.insert(verifyFindings)
            .values({ runId, number, ...finding })
            .run()
        forgetOlder(get(runId).repositoryId)
        publish('verify', runId)
      })
    },
    ended(runId, end) {
      inTransaction(context, () => {
        if (db.update(verifyRuns).set(end).where(open(runId)).run().changes > 0) publish('verify', runId)
      })
    },
    list(page, filter = {}) {
      const where = filter.repositoryId === undefined ? undefined : eq(verifyRuns.repositoryId, filter.repositoryId)
      const rows = select()
        .where(and(where, afterCursor([sql`${verifyRuns.startedMs}`, sql`${verifyRuns.runId}`], 'desc', page)))
        .orderBy(desc(verifyRuns.startedMs), desc(verifyRuns.runId))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(verifyRuns).where(where).get()?.n ?? 0
      return toPage(rows, page, total, ({ row }) => [row.startedMs, row.runId], view)
    },
    findings(runId, page) {
      const where = eq(verifyFindings.runId, runId)
      const guess = sql`NOT ${verifyFindings.proved}`
      const rows = db
        .select()
        .from(verifyFindings)
        .where(and(where, afterCursor([guess, sql`${verifyFindings.number}`], 'asc', page)))
        .orderBy(asc(guess), asc(verifyFindings.number))
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(verifyFindings).where(where).get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [row.proved ? 0 : 1, row.number],
        (row) => row,
      )
    },
  }
}
