import { sql } from 'drizzle-orm'
import { clockMovesMs } from '../policy/index.ts'
import type { CatalogContext } from './context.ts'
import { postureFacts, postureRank } from './posture.ts'
import { allTotals, type TotalRow } from './totals.ts'
import type { PostureState, RunKind, RunState } from './types.ts'

export interface VmFacts {
  readonly id: string
  readonly state: PostureState
  readonly rpoMs: number
  /** The newest drill that passed. */
  readonly provenMs: number | null
}

/** Of one VM in one repository. */
export interface NewestPoint {
  readonly vmId: string
  readonly repositoryId: string
  readonly createdMs: number
  readonly plan: string | null
}

export interface Verified {
  readonly vmId: string
  readonly repositoryId: string
  readonly verifiedMs: number
}

export interface MetricQueries {
  /** Ever, however long records are kept: never less than before. */
  totals(): TotalRow[]
  /** VMs that the hypervisors still list, most urgent first, `limit` at most. */
  vms(limit: number): VmFacts[]
  /** Validated points that count: none that is dated ahead. */
  newestPoints(): NewestPoint[]
  /** When a verify of its repository was last satisfied with a point of the VM. */
  verified(): Verified[]
  openRuns(): { readonly kind: RunKind; readonly state: RunState; readonly runs: number }[]
  /** Things that runs have left behind that ended since. */
  residue(sinceMs: number): number
}

export function metricQueries({ db, steadyNow }: CatalogContext): MetricQueries {
  return {
    totals: () => allTotals({ db }),
    vms: (limit) =>
      db
        .all<{ id: string; rank: number; rpoMs: number; provenMs: number | null }>(
          sql`${postureFacts(steadyNow())}
            SELECT r.id, r.rank, r.rpo_ms AS "rpoMs", d.proven_ms AS "provenMs" FROM ranked r
            LEFT JOIN (SELECT vm_id, max(ended_ms) AS proven_ms FROM drills WHERE verdict = 'passed' GROUP BY vm_id) d
              ON d.vm_id = r.id
            WHERE r.gone_ms IS NULL ORDER BY r.rank, r.id LIMIT ${limit}`,
        )
        .map(({ rank, ...row }) => ({ ...row, state: postureRank[rank] ?? 'unprotected' })),
    newestPoints: () =>
      // A bare column beside one max() is that of the row with the maximum (SQLite, lang_select, "bare columns").
      db.all(
        sql`SELECT p.vm_id AS "vmId", c.repository_id AS "repositoryId", max(p.created_ms) AS "createdMs", p.plan
          FROM copies c JOIN points p ON p.id = c.point_id
          WHERE c.state = 'done' AND c.validated_ms IS NOT NULL AND p.created_ms <= ${steadyNow() + clockMovesMs}
          GROUP BY p.vm_id, c.repository_id`,
      ),
    verified: () =>
      db.all(
        sql`SELECT p.vm_id AS "vmId", c.repository_id AS "repositoryId", max(c.verified_ms) AS "verifiedMs"
          FROM copies c JOIN points p ON p.id = c.point_id
          WHERE c.state = 'done' AND c.validated_ms IS NOT NULL AND c.verify_level IN ('quick', 'data', 'full')
          GROUP BY p.vm_id, c.repository_id`,
      ),
    openRuns: () =>
      db.all(sql`SELECT kind, state, count(*) AS runs FROM runs WHERE ended_ms IS NULL GROUP BY kind, state`),
    residue: (sinceMs) =>
      db.get<{ n: number | null }>(
        sql`SELECT sum(json_array_length(residue)) AS n FROM runs WHERE ended_ms >= ${sinceMs}`,
      ).n ?? 0,
  }
}
