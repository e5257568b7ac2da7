import { sql } from 'drizzle-orm'
import type { PlanSpec } from '../policy/index.ts'
import type { CatalogContext } from './context.ts'

/** What a plan has made since a moment. */
export interface PlanLately {
  readonly points: number
  /** Points of which at least one disk was read in full. */
  readonly fulls: number
  /** Of these, where nobody had decided that, by the reason of the first disk; the most frequent first. */
  readonly unexpected: readonly { readonly why: string; readonly points: number }[]
  /** Less consistent than the plan wants them for their VM, as both say now; none of a VM that did not run. */
  readonly degraded: number
}

export interface PlanLatelyQueries {
  since(plan: Pick<PlanSpec, 'name' | 'quiesce' | 'consistency'>, sinceMs: number): PlanLately
}

export function planLatelyQueries({ db }: Pick<CatalogContext, 'db'>): PlanLatelyQueries {
  return {
    since({ name, quiesce, consistency }, sinceMs) {
      const least = consistency === 'application' ? sql`('application')` : sql`('application', 'filesystem')`
      const rows = db.all<{ why: string | null; full: number; points: number; degraded: number }>(
        sql`SELECT p.unexpected_full AS why, p.mode <> 'incremental' AS full, count(*) AS points,
            sum(p.consistency NOT IN ${least} AND p.at_rest IS NULL
              AND coalesce(json_extract(v.override, '$.quiesce'), ${quiesce}, json_extract(c.spec, '$.quiesce'), 'preferred') <> 'none') AS degraded
          FROM points p INDEXED BY points_of_plan JOIN vms v ON v.id = p.vm_id LEFT JOIN categories c ON c.name = v.category
          WHERE p.plan = ${name} AND p.created_ms >= ${sinceMs} AND p.origin = 'scheduled'
          GROUP BY why, full`,
      )
      const sum = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + of(row), 0)
      return {
        points: sum(({ points }) => points),
        fulls: sum(({ full, points }) => (full === 1 ? points : 0)),
        unexpected: rows
          .flatMap(({ why, points }) => (why === null ? [] : [{ why, points }]))
          .sort((a, b) => b.points - a.points || (a.why < b.why ? -1 : 1)),
        degraded: sum((row) => row.degraded),
      }
    },
  }
}
