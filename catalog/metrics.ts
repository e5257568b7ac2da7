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
    // One seek of an index for each VM and repository, however many points there are.
    newestPoints: () =>
      db.all(
        sql`SELECT n.vm_id AS "vmId", n.repository_id AS "repositoryId", p.created_ms AS "createdMs", p.plan FROM (
            SELECT v.id AS vm_id, r.id AS repository_id, (SELECT c.point_id FROM copies c
              WHERE c.vm_id = v.id AND c.repository_id = r.id AND c.state = 'done' AND c.validated_ms IS NOT NULL
                AND c.created_ms <= ${steadyNow() + clockMovesMs} ORDER BY c.created_ms DESC LIMIT 1) AS point_id
            FROM vms v CROSS JOIN repositories r) n
          JOIN points p ON p.id = n.point_id`,
      ),
    verified: () =>
      db.all(
        sql`SELECT * FROM (SELECT v.id AS "vmId", r.id AS "repositoryId", (SELECT max(c.verified_ms) FROM copies c
            WHERE c.vm_id = v.id AND c.repository_id = r.id AND c.state = 'done' AND c.validated_ms IS NOT NULL
              AND c.verify_level IN ('quick', 'data', 'full')) AS "verifiedMs"
          FROM vms v CROSS JOIN repositories r) WHERE "verifiedMs" IS NOT NULL`,
      ),
    openRuns: () =>
      db.all(sql`SELECT kind, state, count(*) AS runs FROM runs WHERE (ended_ms IS NULL) = 1 GROUP BY kind, state`),
    residue: (sinceMs) =>
      db.get<{ n: number | null }>(
        sql`SELECT sum(json_array_length(residue)) AS n FROM runs WHERE ended_ms >= ${sinceMs}`,
      ).n ?? 0,
  }
}
