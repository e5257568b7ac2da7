import { sql, type SQL } from 'drizzle-orm'
import { clockMovesMs, defaultCategories, type PostureState } from '../policy/index.ts'

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
 * ever read. A test proves that both say the same for random facts. Selects `id, name, gone_ms, rank, newest_ms,
 * backup_running, usual_ms, last_failed` of every VM.
 */
export function postureFacts(nowMs: number): SQL {
  return sql`
    WITH facts AS MATERIALIZED (
      SELECT v.id, v.name, v.gone_ms, v.endpoint_id, v.tags, v.excluded_reason IS NOT NULL AS excluded,
        ${promisedMs('rpoMs')} AS rpo_ms,
        coalesce(
          (SELECT max(p.created_ms) FROM points p
            WHERE p.vm_id = v.id AND p.validated_ms IS NOT NULL AND p.created_ms <= ${nowMs + clockMovesMs}),
          (SELECT max(p.created_ms) FROM points p WHERE p.vm_id = v.id AND p.validated_ms IS NOT NULL)) AS newest_ms,
        EXISTS (SELECT 1 FROM runs r WHERE r.vm_id = v.id AND r.kind = 'backup' AND r.ended_ms IS NULL) AS backup_running,
        EXISTS (SELECT 1 FROM runs r WHERE r.vm_id = v.id AND r.ended_ms IS NULL) AS any_running,
        (SELECT max(took) FROM (
          SELECT r.ended_ms - r.started_ms AS took FROM runs r
          WHERE r.vm_id = v.id AND r.kind = 'backup' AND r.state IN ('completed', 'completed-with-residue')
          ORDER BY r.started_ms DESC LIMIT 10)) AS usual_ms,
        coalesce((SELECT r.state IN ('failed', 'terminated') FROM runs r
          WHERE r.vm_id = v.id AND r.kind = 'backup' AND r.ended_ms IS NOT NULL
          ORDER BY r.started_ms DESC LIMIT 1), 0) AS last_failed
      FROM vms v
    ), ranked AS MATERIALIZED (
      SELECT *, CASE
        WHEN excluded THEN 5
        WHEN newest_ms IS NULL THEN 3
        WHEN newest_ms <= ${nowMs + clockMovesMs} AND ${nowMs} - newest_ms <= rpo_ms
          + CASE WHEN backup_running THEN min(coalesce(usual_ms, 0), rpo_ms / 4) ELSE 0 END THEN 4
        WHEN backup_running THEN 2
        WHEN last_failed THEN 0
        ELSE 1 END AS rank
      FROM facts
    )`
}

export function rankOf(state: PostureState): number {
  return postureRank.indexOf(state)
}

/** What was set for the VM of the table `vm` alone, else what its category says; null: no promise. */
export function promisedMs(name: 'rpoMs' | 'rtoMs' | 'drillEveryMs', vm = 'v'): SQL {
  const of = sql.raw(vm)
  return sql`coalesce(json_extract(${of}.override, ${`$.${name}`}), CASE
    WHEN EXISTS (SELECT 1 FROM categories c WHERE c.name = ${of}.category)
    THEN (SELECT json_extract(c.spec, ${`$.${name}`}) FROM categories c WHERE c.name = ${of}.category)
    ELSE ${defaultCategories.standard[name]} END)`
}
