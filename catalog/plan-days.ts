import { sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'

/** What came of one UTC day's starts of a plan. A VM that was tried again, also by a run that repeats one, counts once. */
interface PlanDay {
  /** `2026-11-21`. */
  readonly day: string
  readonly done: number
  readonly failed: number
  /** Cancelled, skipped or never begun. */
  readonly left: number
  /** Waiting or under way. What a run that was ended from outside left in hand is nobody's any more. */
  readonly open: number
  /** Starts that did not come. */
  readonly missed: number
}

export interface PlanDayQueries {
  /** One row a day, oldest first, the last is today. */
  of(plan: string, count: number): PlanDay[]
}

type Counts = Pick<PlanDay, 'done' | 'failed' | 'left' | 'open'>

const dayMs = 86_400_000
const none: Counts = { done: 0, failed: 0, left: 0, open: 0 }

/**
 * A month of a plan can be a million outcomes, and the first page asks every few seconds: days that are over are counted
 * once and remembered, as long as nothing of them is open and no run repeats one of theirs.
 */
export function planDayQueries({ db, now }: CatalogContext): PlanDayQueries {
  const settled = new Map<string, Map<number, Counts>>()

  /** The first day that may have changed since it was counted. */
  const firstToCount = (plan: string, from: number, today: number): number => {
    const known = settled.get(plan)
    let first = from
    while (first < today - 1 && known?.has(first) === true) first += 1
    const { repeatedMs } = db.get<{ repeatedMs: number | null }>(
      sql`SELECT min(o.opened_ms) AS "repeatedMs" FROM plan_runs r JOIN plan_runs o ON o.id = r.again
        WHERE r.plan = ${plan} AND r.opened_ms >= ${first * dayMs}`,
    )
    return repeatedMs === null ? first : Math.max(from, Math.min(first, Math.floor(repeatedMs / dayMs)))
  }
  const count = (plan: string, from: number): Map<number, Counts> => {
    const rows = db.all<Counts & { day: number }>(
      sql`SELECT day, sum(rank = 3) AS done, sum(rank = 2) AS open, sum(rank = 1) AS failed, sum(rank = 0) AS "left" FROM (
          SELECT CAST(min(r.opened_ms) / ${dayMs} AS INTEGER) AS day, max(CASE
            WHEN v.state IN ('completed', 'completed-with-residue') THEN 3
            WHEN v.state IN ('waiting', 'running') AND x.run_id IS NOT NULL THEN 2
            WHEN v.state = 'failed' THEN 1 ELSE 0 END) AS rank
          FROM plan_runs r JOIN plan_run_vms v ON v.plan_run = r.id LEFT JOIN plan_runs o ON o.id = r.again
          LEFT JOIN runs x ON x.run_id = r.run_id AND x.ended_ms IS NULL
          WHERE r.plan = ${plan} AND r.opened_ms >= ${from * dayMs} AND (r.again IS NULL OR o.opened_ms >= ${from * dayMs})
          GROUP BY coalesce(r.again, r.id), v.vm_id)
        GROUP BY day`,
    )
    return new Map(rows.map(({ day, ...counts }) => [day, counts]))
  }
  const missedOn = (plan: string, from: number): Map<number, number> => {
    const rows = db.all<{ day: number; n: number }>(
      sql`SELECT CAST(due_ms / ${dayMs} AS INTEGER) AS day, count(*) AS n FROM missed_starts
        WHERE plan = ${plan} AND due_ms >= ${from * dayMs} GROUP BY 1`,
    )
    return new Map(rows.map(({ day, n }) => [day, n]))
  }
  return {
    of(plan, days) {
      const today = Math.floor(now() / dayMs)
      const from = today - days + 1
      const first = firstToCount(plan, from, today)
      const fresh = count(plan, first)
      const before = settled.get(plan)
      const counts = (day: number): Counts => (day < first ? before?.get(day) : fresh.get(day)) ?? none
      const missed = missedOn(plan, from)
      const rows = Array.from({ length: days }, (_, index) => from + index)
      const isSettled = (day: number): boolean => day < today - 1 && counts(day).open === 0
      settled.set(plan, new Map(rows.filter(isSettled).map((day) => [day, counts(day)])))
      return rows.map((day) => ({
        day: new Date(day * dayMs).toISOString().slice(0, 10),
        ...counts(day),
        missed: missed.get(day) ?? 0,
      }))
    },
  }
}
