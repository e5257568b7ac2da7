import { sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { postureFacts, postureRank, rankOf } from './posture.ts'
import { talliesOfDays } from './tallies.ts'
import type { PostureState } from './types.ts'

export interface PostureCounts {
  readonly total: number
  readonly by: { readonly [state in PostureState]: number }
}

export interface DayRow {
  /** `2026-11-21`, UTC. */
  readonly day: string
  readonly points: number
  readonly failed: number
  readonly cancelled: number
  readonly drillsPassed: number
  readonly drillsFailed: number
  readonly newBytes: number
}

export interface StatisticsQueries {
  /** VMs that the hypervisors still list, by posture. */
  postureCounts(): PostureCounts
  /** The same, and the ids of the first `most` VMs outside of their promise, most urgent first, then by name: ten thousand are judged once. */
  posturesWithOutside(most: number): PostureCounts & { readonly outside: readonly string[] }
  /** Ids of the VMs that are not inside their promise and not left out on purpose. */
  idsOutsideRpo(): Set<string>
  /** VMs whose last drill passed. */
  provenVms(): number
  /** VMs whose last drill did not pass, newest first. */
  drillsFailed(limit: number): {
    readonly id: string
    readonly vmId: string
    readonly vmName: string
    readonly endedMs: number
    readonly why: string
    readonly workflowId: string
  }[]
  /** Ended runs since `sinceMs` that left something behind. */
  residueRuns(
    sinceMs: number,
    limit: number,
  ): { readonly runId: string; readonly title: string; readonly endedMs: number; readonly things: number }[]
  /** One row per UTC day, oldest first, the last is today. */
  days(count: number): DayRow[]
}

const dayMs = 86_400_000
/** Ranks up to this one are outside of their promise. */
const outsideRank = rankOf('unprotected')

interface RankCount {
  readonly rank: number
  readonly n: number
}

function countsOf(rows: readonly RankCount[]): PostureCounts {
  const countOf = (state: PostureState): number => rows.find((row) => postureRank[row.rank] === state)?.n ?? 0
  const by = Object.fromEntries(postureRank.map((state) => [state, countOf(state)])) as {
    [state in PostureState]: number
  }
  return { total: rows.reduce((sum, row) => sum + row.n, 0), by }
}

export function statisticsQueries(context: CatalogContext): StatisticsQueries {
  const { db, now, steadyNow } = context
  return {
    postureCounts() {
      return countsOf(
        db.all(
          sql`${postureFacts(steadyNow())} SELECT rank, count(*) AS n FROM ranked WHERE gone_ms IS NULL GROUP BY rank`,
        ),
      )
    },
    posturesWithOutside(most) {
      const rows = db.all<RankCount & { id: string | null }>(
        sql`${postureFacts(steadyNow())}, here AS MATERIALIZED (SELECT id, name, rank FROM ranked WHERE gone_ms IS NULL)
          SELECT NULL AS id, rank, count(*) AS n FROM here GROUP BY rank
          UNION ALL SELECT id, rank, 0 FROM (SELECT id, rank FROM here WHERE rank <= ${outsideRank} ORDER BY rank, name, id LIMIT ${most})`,
      )
      return {
        ...countsOf(rows.filter(({ id }) => id === null)),
        outside: rows.flatMap(({ id }) => (id === null ? [] : [id])),
      }
    },
    idsOutsideRpo() {
      const rows = db.values<[string]>(
        sql`${postureFacts(steadyNow())} SELECT id FROM ranked WHERE gone_ms IS NULL AND rank <= ${outsideRank}`,
      )
      return new Set(rows.map(([id]) => id))
    },
    provenVms() {
      return db.get<{ n: number }>(
        sql`SELECT count(*) AS n FROM vms v WHERE v.gone_ms IS NULL AND
          (SELECT d.verdict FROM drills d WHERE d.vm_id = v.id ORDER BY d.ended_ms DESC LIMIT 1) = 'passed'`,
      ).n
    },
    drillsFailed(limit) {
      return db.all(
        sql`SELECT d.id, d.vm_id AS "vmId", v.name AS "vmName", d.ended_ms AS "endedMs", d.why, d.workflow_id AS "workflowId" FROM drills d JOIN vms v ON v.id = d.vm_id
          WHERE d.verdict = 'failed' AND v.gone_ms IS NULL AND NOT EXISTS
            (SELECT 1 FROM drills later WHERE later.vm_id = d.vm_id AND later.ended_ms > d.ended_ms)
          ORDER BY d.ended_ms DESC LIMIT ${limit}`,
      )
    },
    residueRuns(sinceMs, limit) {
      return db.all(
        sql`SELECT run_id AS "runId", title, ended_ms AS "endedMs", json_array_length(residue) AS things FROM runs
          WHERE ended_ms >= ${sinceMs} AND residue <> '[]' ORDER BY ended_ms DESC LIMIT ${limit}`,
      )
    },
    days(count) {
      const today = Math.floor(now() / dayMs)
      const since = (today - count + 1) * dayMs
      const numbers = Array.from({ length: count }, (_, index) => today - count + 1 + index)
      const of = talliesOfDays(context, numbers)
      const drills = db.all<{ day: number; passed: number; failed: number }>(
        sql`SELECT CAST(ended_ms / ${dayMs} AS INTEGER) AS day, sum(verdict = 'passed') AS passed, sum(verdict = 'failed') AS failed
          FROM drills WHERE ended_ms >= ${since} GROUP BY 1`,
      )
      return numbers.map((day) => {
        const drill = drills.find((row) => row.day === day)
        return {
          day: new Date(day * dayMs).toISOString().slice(0, 10),
          points: of('points-of-day', day),
          failed: of('failed-of-day', day),
          cancelled: of('cancelled-of-day', day),
          drillsPassed: drill?.passed ?? 0,
          drillsFailed: drill?.failed ?? 0,
          newBytes: of('bytes-of-day', day),
        }
      })
    },
  }
}
