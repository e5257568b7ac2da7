import { sql } from 'drizzle-orm'
import { clockMovesMs, mostByHand } from '../policy/index.ts'
import type { CatalogContext } from './context.ts'
import { postureFacts, postureRank } from './posture.ts'
import { allTotals, type TotalRow } from './totals.ts'
import type { HoldType, PostureState, RunKind, RunState } from './types.ts'

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

/** The newest sweep of a repository that was no dry run. */
export interface LastSweep {
  readonly repositoryId: string
  readonly plannedMs: number
  readonly removed: number
  readonly refused: number
  /** 1: it stands until a person approves it. */
  readonly waits: 0 | 1
}

/** The newest collection of a repository that was no dry run. */
export interface LastCollection {
  readonly repositoryId: string
  readonly endedMs: number
  readonly freedBytes: number
}

/** Points that were made by hand of a VM, and that a repository has. */
export interface ManualPoints {
  readonly vmId: string
  readonly repositoryId: string
  readonly points: number
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
  lastSweeps(): LastSweep[]
  lastCollections(): LastCollection[]
  /** Points that are held, by repository and kind of hold; none: no row. */
  held(): { readonly repositoryId: string; readonly type: HoldType; readonly points: number }[]
  /**
   * Of VMs whose quota for points made by hand may be full: those that have as many as their category or their own settings
   * keep, or as the plan that keeps fewest, `plansLeast`, does. Whether it is full the policy of each says.
   */
  manualPoints(plansLeast: number): ManualPoints[]
  /** VMs that no hypervisor lists any more and of which the repository has points; none: no row. */
  goneVms(): { readonly repositoryId: string; readonly vms: number }[]
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
    lastSweeps: () =>
      db.all(
        sql`SELECT s.repository_id AS "repositoryId", s.planned_ms AS "plannedMs", s.removed, s.refused,
            (s.state = 'waiting' AND s.waits_for IS 'approval' AND u.ended_ms IS NULL) AS waits
          FROM repositories r JOIN sweeps s ON s.run_id = (SELECT l.run_id FROM sweeps l
            WHERE l.repository_id = r.id AND l.dry_run = 0 ORDER BY l.planned_ms DESC LIMIT 1)
          LEFT JOIN runs u ON u.run_id = s.run_id`,
      ),
    lastCollections: () =>
      db.all(
        sql`SELECT k.repository_id AS "repositoryId", k.ended_ms AS "endedMs", json_extract(k.report, '$.deleted.bytes') AS "freedBytes"
          FROM repositories r JOIN collections k ON k.run_id = (SELECT l.run_id FROM collections l
            WHERE l.repository_id = r.id AND json_extract(l.report, '$.outcome') <> 'dry-run' ORDER BY l.ended_ms DESC LIMIT 1)`,
      ),
    held: () =>
      db.all(
        sql`SELECT repository_id AS "repositoryId", type, count(DISTINCT point_id) AS points FROM holds GROUP BY repository_id, type`,
      ),
    // Counted on an index of the points that were made by hand; the copies of those few VMs are looked at that may have enough.
    manualPoints: (plansLeast) =>
      db.all(
        sql`WITH many AS MATERIALIZED (SELECT vm_id, count(*) AS n FROM points WHERE origin = 'manual' GROUP BY vm_id)
          SELECT v.id AS "vmId", c.repository_id AS "repositoryId", count(*) AS points
          FROM many m CROSS JOIN vms v ON v.id = m.vm_id
            CROSS JOIN points p ON p.vm_id = v.id AND p.origin = 'manual' CROSS JOIN copies c ON c.point_id = p.id
          WHERE v.gone_ms IS NULL AND c.state = 'done' AND c.damaged_ms IS NULL AND c.gone_ms IS NULL
            AND m.n >= min(${mostByHand}, iif(json_extract(v.override, '$.keep') IS NOT NULL,
              coalesce(json_extract(v.override, '$.keep.manual'), ${mostByHand}),
              min(${plansLeast}, coalesce((SELECT json_extract(g.spec, '$.keep.manual') FROM categories g WHERE g.name = v.category),
                ${mostByHand}))))
          GROUP BY 1, 2`,
      ),
    goneVms: () =>
      db.all(
        sql`SELECT h.repository_id AS "repositoryId", count(DISTINCT h.vm_id) AS vms
          FROM vms v CROSS JOIN repositories r CROSS JOIN held h ON h.repository_id = r.id AND h.vm_id = v.id
          WHERE v.gone_ms IS NOT NULL AND h.points > 0 GROUP BY 1`,
      ),
  }
}
