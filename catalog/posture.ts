import { sql, type SQL } from 'drizzle-orm'
import { clockMovesMs, defaultCategories, spreadMs, type PostureState } from '../policy/index.ts'

/** Most urgent first: the order of every list of VMs. */
export const postureRank = [
  'failed',
  'overdue',
  'late',
  'unprotected',
  'protected',
  'excluded',
] as const satisfies readonly PostureState[]

/**
 * `policy/posture.ts` said in SQL, because ten thousand VMs are sorted and counted by it and only a page of them is
 * ever read. A test proves that both say the same for random facts; triggers keep `spans` and `backups_failed`. Selects `id, name, gone_ms, endpoint_id, tags, rank,
 * newest_ms, backup_running, any_running` of every VM. What costs most is asked only of the VMs for which it matters.
 */
export function postureFacts(nowMs: number): SQL {
  return sql`
    WITH ${promises('rpoMs')}, busy AS MATERIALIZED (
      SELECT vm_id, max(kind = 'backup') AS with_backup FROM runs
      WHERE (ended_ms IS NULL) = 1 AND vm_id IS NOT NULL GROUP BY vm_id
    ), planned AS MATERIALIZED (${inPlanRuns}), facts AS (
      SELECT v.id, v.name, v.gone_ms, v.endpoint_id, v.tags, v.excluded_reason IS NOT NULL AS excluded,
        ${promisedByAll('rpoMs')} AS rpo_ms,
        iif(s.newest_ms > ${nowMs + clockMovesMs},
          coalesce((SELECT max(p.created_ms) FROM points p WHERE p.vm_id = v.id AND p.validated_ms IS NOT NULL
            AND p.created_ms <= ${nowMs + clockMovesMs}), s.newest_ms), s.newest_ms) AS newest_ms,
        coalesce(b.with_backup, 0) AS backup_running, b.vm_id IS NOT NULL AS any_running,
        v.id IN (SELECT vm_id FROM planned) AS in_plan_run
      FROM vms v LEFT JOIN promises c ON c.name = v.category LEFT JOIN spans s ON s.vm_id = v.id LEFT JOIN busy b ON b.vm_id = v.id
    ), ranked AS (
      SELECT *, CASE
        WHEN excluded THEN 5
        WHEN newest_ms IS NULL THEN 3
        WHEN newest_ms <= ${nowMs + clockMovesMs} AND ${nowMs} - newest_ms <= rpo_ms
          + iif(in_plan_run AND NOT ${lastFailed}, rpo_ms / 4, ${spread}) THEN 4
        WHEN newest_ms <= ${nowMs + clockMovesMs} AND backup_running AND NOT ${lastFailed} AND ${nowMs} - newest_ms <= rpo_ms
          + min(${spread} + coalesce((SELECT max(took) FROM (
            SELECT r.ended_ms - r.started_ms AS took FROM runs r INDEXED BY runs_backups
            WHERE r.vm_id = facts.id AND r.kind = 'backup' AND r.state IN ('completed', 'completed-with-residue')
            ORDER BY r.started_ms DESC LIMIT 10)), 0), rpo_ms / 4) THEN 4
        WHEN backup_running THEN 2
        WHEN ${lastFailed} THEN 0
        ELSE 1 END AS rank
      FROM facts
    )`
}

/** The newest ended backup failed. */
const lastFailed = sql.raw(`facts.id IN (SELECT vm_id FROM backups_failed)`)
const spread = sql`min(rpo_ms / 10, ${spreadMs})`

/** VMs that an open run of a plan still has to back up, or is backing up. */
const inPlanRuns = sql.raw(`SELECT m.vm_id FROM runs r JOIN plan_run_vms m ON m.plan_run = r.workflow_id
  WHERE (r.ended_ms IS NULL) = 1 AND r.kind = 'plan' AND m.state IN ('waiting', 'running')`)

export function rankOf(state: PostureState): number {
  return postureRank.indexOf(state)
}

type Promised = 'rpoMs' | 'rtoMs' | 'drillEveryMs'

/** `promisedMs` for a query about all VMs: `WITH promises … FROM vms v LEFT JOIN promises c ON c.name = v.category`. */
export function promises(name: Promised): SQL {
  return sql`promises AS MATERIALIZED (SELECT name, json_extract(spec, ${`$.${name}`}) AS ms FROM categories)`
}

export function promisedByAll(name: Promised): SQL {
  return sql`coalesce(json_extract(v.override, ${`$.${name}`}), iif(c.name IS NULL, ${defaultCategories.standard[name]}, c.ms))`
}

/** What was set for the VM of the table `vm` alone, else what its category says; null: no promise. */
export function promisedMs(name: Promised, vm = 'v'): SQL {
  const of = sql.raw(vm)
  return sql`coalesce(json_extract(${of}.override, ${`$.${name}`}), CASE
    WHEN EXISTS (SELECT 1 FROM categories c WHERE c.name = ${of}.category)
    THEN (SELECT json_extract(c.spec, ${`$.${name}`}) FROM categories c WHERE c.name = ${of}.category)
    ELSE ${defaultCategories.standard[name]} END)`
}
