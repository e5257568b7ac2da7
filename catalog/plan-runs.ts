import { and, asc, count, desc, eq, gt, inArray, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { planRuns, planRunVms, runs } from './schema.ts'
import type { RunState } from './types.ts'

export type PlanRunRow = typeof planRuns.$inferSelect
export type PlanRunVmRow = typeof planRunVms.$inferSelect
export type PlanRunVmState = PlanRunVmRow['state']

/** How often and how long after its failure a VM is tried again. */
export interface RetryRule {
  readonly retries: number
  readonly retryAfterMs: number
}

export interface PlanVmEnded extends Pick<PlanRunVmRow, 'position' | 'state' | 'runId' | 'detail' | 'mayRetry'> {
  /** The try that ended, from 1. */
  readonly attempt: number
}

export interface EndedPlanRun extends PlanRunRow {
  readonly state: RunState
  readonly endedMs: number
}

export interface PlanRunQueries {
  /** Writes down the VMs once: a repetition changes nothing but the run that goes on with them. */
  open(
    run: Omit<PlanRunRow, 'openedMs' | 'standsUntil'>,
    vms: Iterable<{ readonly id: string; readonly name: string }>,
  ): PlanRunRow
  find(id: string): PlanRunRow | undefined
  /** It stands still until its window opens, in words; null: it goes on. */
  standsUntil(id: string, until: string | null): void
  /** Ids of the VMs that somebody has in hand. */
  backupsUnderWay(id: string): string[]
  /** Runs of the plan whose newest part has ended after that, in the order in which they did. */
  endedSince(plan: string, sinceMs: number, limit: number): EndedPlanRun[]
  /** From its opening to its end: the median of the last ten that took all that the plan selects; null without any. */
  usualDurationMs(plan: string): number | null
  /** The newest run of the plan. */
  latest(plan: string): PlanRunRow | undefined
  /** In the order in which they are taken. */
  vms(id: string, page: PageRequest, state?: PlanRunVmState): Page<PlanRunVmRow>
  /** What this lane has in hand at this turn; undefined: nothing yet. */
  inHand(id: string, lane: string, turn: number): PlanRunVmRow | undefined
  /** The next VM that nobody has, taken for this lane; then those that failed and may be tried again by now. */
  take(id: string, lane: string, turn: number, rule: RetryRule): PlanRunVmRow | undefined
  /** When the next of those that failed may be tried again; null: none may. */
  againMs(id: string, rule: RetryRule): number | null
  /** Only of the attempt that is in hand: the end of an earlier one, said again late, says nothing about it. */
  end(id: string, end: PlanVmEnded): void
  /** What was not begun never will be. */
  giveUp(id: string, why: string): void
  counts(id: string): { readonly [state in PlanRunVmState]: number }
}

const none = { waiting: 0, running: 0, completed: 0, 'completed-with-residue': 0, failed: 0, cancelled: 0, skipped: 0 }

export function planRunQueries(context: CatalogContext): PlanRunQueries {
  const { db, now, publish } = context
  const byId = lazy(() =>
    db
      .select()
      .from(planRuns)
      .where(eq(planRuns.id, given('id')))
      .prepare(),
  )
  const find = (id: string): PlanRunRow | undefined => byId().get({ id })
  const announce = (id: string): void => publish('run', find(id)?.runId ?? null)
  const first = (id: string, where: SQL | undefined): PlanRunVmRow | undefined =>
    db
      .select()
      .from(planRunVms)
      .where(and(eq(planRunVms.planRun, id), where))
      .orderBy(asc(planRunVms.position))
      .limit(1)
      .get()
  const failed = ({ retries }: RetryRule): SQL =>
    sql`${planRunVms.state} = 'failed' AND ${planRunVms.mayRetry} = 1 AND ${planRunVms.attempts} <= ${retries}`
  const change = (id: string, where: SQL | undefined, set: Partial<PlanRunVmRow>): void => {
    db.update(planRunVms)
      .set(set)
      .where(and(eq(planRunVms.planRun, id), where))
      .run()
  }
  return {
    open: (run, vms) =>
      inTransaction(context, () => {
        const known = find(run.id)
        if (known !== undefined) {
          db.update(planRuns).set({ runId: run.runId }).where(eq(planRuns.id, run.id)).run()
          return { ...known, runId: run.runId }
        }
        const row = { ...run, openedMs: now(), standsUntil: null }
        db.insert(planRuns).values(row).run()
        let position = 0
        for (const { id: vmId, name: vmName } of vms) {
          const fresh = { state: 'waiting', attempts: 0, mayRetry: false, detail: '' } as const
          db.insert(planRunVms)
            .values({ planRun: run.id, position, vmId, vmName, ...fresh })
            .run()
          position += 1
        }
        announce(run.id)
        return row
      }),
    find,
    standsUntil(id, until) {
      inTransaction(context, () => {
        if (find(id)?.standsUntil === until) return
        db.update(planRuns).set({ standsUntil: until }).where(eq(planRuns.id, id)).run()
        announce(id)
      })
    },
    backupsUnderWay: (id) =>
      db
        .select({ vmId: planRunVms.vmId })
        .from(planRunVms)
        .where(and(eq(planRunVms.planRun, id), eq(planRunVms.state, 'running')))
        .all()
        .map(({ vmId }) => vmId),
    endedSince: (plan, sinceMs, limit) =>
      db
        .select({ row: planRuns, state: runs.state, endedMs: sql<number>`${runs.endedMs}` })
        .from(planRuns)
        .innerJoin(runs, eq(runs.runId, planRuns.runId))
        .where(and(eq(planRuns.plan, plan), gt(runs.endedMs, sinceMs)))
        .orderBy(asc(runs.endedMs), asc(planRuns.id))
        .limit(limit)
        .all()
        .map(({ row, state, endedMs }) => ({ ...row, state, endedMs })),
    usualDurationMs(plan) {
      const durations = db
        .select({ ms: sql<number>`${runs.endedMs} - ${planRuns.openedMs}` })
        .from(planRuns)
        .innerJoin(runs, eq(runs.runId, planRuns.runId))
        .where(and(eq(planRuns.plan, plan), isNull(planRuns.again), isNotNull(runs.endedMs)))
        .orderBy(desc(planRuns.openedMs))
        .limit(10)
        .all()
        .map(({ ms }) => ms)
        .sort((a, b) => a - b)
      return durations[Math.floor((durations.length - 1) / 2)] ?? null
    },
    latest: (plan) =>
      db
        .select()
        .from(planRuns)
        .where(eq(planRuns.plan, plan))
        .orderBy(desc(planRuns.openedMs), desc(planRuns.id))
        .limit(1)
        .get(),
    vms(id, page, state) {
      const where = [eq(planRunVms.planRun, id), state === undefined ? undefined : eq(planRunVms.state, state)]
      const rows = db
        .select()
        .from(planRunVms)
        .where(and(...where, afterCursor([sql`${planRunVms.position}`], 'asc', page)))
        .orderBy(asc(planRunVms.position))
        .limit(rowsFor(page))
        .all()
      const total =
        db
          .select({ n: count() })
          .from(planRunVms)
          .where(and(...where))
          .get()?.n ?? 0
      return toPage(
        rows,
        page,
        total,
        (row) => [row.position],
        (row) => row,
      )
    },
    inHand: (id, lane, turn) =>
      first(id, and(eq(planRunVms.lane, lane), eq(planRunVms.turn, turn), eq(planRunVms.state, 'running'))),
    take: (id, lane, turn, rule) =>
      inTransaction(context, () => {
        const due = sql`${failed(rule)} AND ${planRunVms.endedMs} + ${rule.retryAfterMs} <= ${now()}`
        const next = first(id, eq(planRunVms.state, 'waiting')) ?? first(id, due)
        if (next === undefined) return undefined
        const taken = { state: 'running', lane, turn, attempts: next.attempts + 1, endedMs: null } as const
        change(id, eq(planRunVms.position, next.position), taken)
        announce(id)
        return { ...next, ...taken }
      }),
    againMs(id, rule) {
      const ended = db
        .select({ ms: sql<number | null>`min(${planRunVms.endedMs})` })
        .from(planRunVms)
        .where(and(eq(planRunVms.planRun, id), failed(rule)))
        .get()
      return typeof ended?.ms === 'number' ? ended.ms + rule.retryAfterMs : null
    },
    end(id, { position, attempt, state, runId, detail, mayRetry }) {
      inTransaction(context, () => {
        const mine = [
          eq(planRunVms.position, position),
          eq(planRunVms.attempts, attempt),
          eq(planRunVms.state, 'running'),
        ]
        change(id, and(...mine), { state, runId, detail, mayRetry, endedMs: now() })
        announce(id)
      })
    },
    giveUp(id, why) {
      inTransaction(context, () => {
        const open = inArray(planRunVms.state, ['waiting', 'running'])
        change(id, open, { state: 'cancelled', detail: why, endedMs: now() })
        announce(id)
      })
    },
    counts(id) {
      const rows = db
        .select({ state: planRunVms.state, n: count() })
        .from(planRunVms)
        .where(eq(planRunVms.planRun, id))
        .groupBy(planRunVms.state)
        .all()
      return { ...none, ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) }
    },
  }
}
