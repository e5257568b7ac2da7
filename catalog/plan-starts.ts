import { and, desc, eq, gte, lt, lte, sql } from 'drizzle-orm'
import type { MissedStart } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { missedStarts, planWatches } from './schema.ts'
import { addTotal } from './totals.ts'

export type MissedStartRow = typeof missedStarts.$inferSelect

export interface PlanStartQueries {
  /** Up to when the starts of the plan were looked at; null: never. */
  watchedMs(plan: string): number | null
  /** All in one: what was found, and that it was looked at. Announced if there was something. */
  record(plan: string, watchedMs: number, missed: readonly MissedStart[]): void
  /** Beside what is looked at: found at another plan. */
  tell(plan: string, missed: readonly MissedStart[]): void
  /** It came after all, later than anybody was expected to wait: what was said of it is taken back. */
  came(plan: string, dueMs: number): void
  /** The newest first. */
  missed(plan: string, sinceMs: number, limit: number): MissedStartRow[]
  /** The newest of those that were noticed by then. */
  lastMissed(plan: string, byMs: number): MissedStartRow | undefined
  /** The newest of each plan. */
  newestMissed(): MissedStartRow[]
  /** Whether a run that the schedule of this plan had started was under way. `prefix`: of the workflow ids of such runs. */
  wasBusy(prefix: string, atMs: number): boolean
}

/** Within a transaction: what was due until now is nobody's any more, because the plan has other times from now on. */
export function startsLookedAt({ db, now }: CatalogContext, plan: string): void {
  const watchedMs = now()
  db.insert(planWatches)
    .values({ plan, watchedMs })
    .onConflictDoUpdate({ target: planWatches.plan, set: { watchedMs } })
    .run()
}

const keptMs = 366 * 86_400_000

export function planStartQueries(context: CatalogContext): PlanStartQueries {
  const { db, now, publish } = context
  const note = (plan: string, missed: readonly MissedStart[]): void => {
    for (const { dueMs, kind } of missed) {
      const row = { plan, dueMs, kind, noticedMs: now() }
      const { changes } = db.insert(missedStarts).values(row).onConflictDoNothing().run()
      if (changes > 0) addTotal(context, 'missed-starts', `${plan}/${kind}`, 1)
    }
    if (missed.length === 0) return
    db.delete(missedStarts)
      .where(lt(missedStarts.dueMs, now() - keptMs))
      .run()
    publish('policy', `plan/${plan}`)
  }
  const watched = lazy(() =>
    db
      .select()
      .from(planWatches)
      .where(eq(planWatches.plan, given('plan')))
      .prepare(),
  )
  return {
    watchedMs: (plan) => watched().get({ plan })?.watchedMs ?? null,
    tell: (plan, missed) => inTransaction(context, () => note(plan, missed)),
    came(plan, dueMs) {
      inTransaction(context, () => {
        const mine = and(eq(missedStarts.plan, plan), eq(missedStarts.dueMs, dueMs))
        const { changes } = db.delete(missedStarts).where(mine).run()
        if (changes > 0) publish('policy', `plan/${plan}`)
      })
    },
    record(plan, watchedMs, missed) {
      inTransaction(context, () => {
        db.insert(planWatches)
          .values({ plan, watchedMs })
          .onConflictDoUpdate({ target: planWatches.plan, set: { watchedMs } })
          .run()
        note(plan, missed)
      })
    },
    missed: (plan, sinceMs, limit) =>
      db
        .select()
        .from(missedStarts)
        .where(and(eq(missedStarts.plan, plan), gte(missedStarts.dueMs, sinceMs)))
        .orderBy(desc(missedStarts.dueMs))
        .limit(limit)
        .all(),
    lastMissed: (plan, byMs) =>
      db
        .select()
        .from(missedStarts)
        .where(and(eq(missedStarts.plan, plan), lte(missedStarts.noticedMs, byMs)))
        .orderBy(desc(missedStarts.dueMs))
        .limit(1)
        .get(),
    newestMissed: () =>
      db
        .select()
        .from(missedStarts)
        .where(
          sql`(${missedStarts.plan}, ${missedStarts.dueMs}) IN (SELECT plan, max(due_ms) FROM missed_starts GROUP BY plan)`,
        )
        .orderBy(desc(missedStarts.dueMs), missedStarts.plan)
        .all(),
    wasBusy: (prefix, atMs) =>
      // One that is under way, and one that has ended since: both are few, whatever was run before.
      [sql`(ended_ms IS NULL) = 1`, sql`ended_ms > ${atMs}`].some(
        (then) =>
          db.get(sql`SELECT 1 FROM runs WHERE kind = 'plan' AND substr(workflow_id, 1, ${prefix.length}) = ${prefix}
            AND +started_ms <= ${atMs} AND ${then} LIMIT 1`) !== undefined,
      ),
  }
}
