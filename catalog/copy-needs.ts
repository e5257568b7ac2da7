/** What one repository's retention owes the others: points that lie nowhere else, or not yet. */
import { isNull, sql, type SQL } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { plans } from './schema.ts'

/** Of a row of `copies` by its alias: see `isStanding`. */
export function stands(alias: 'c' | 's' | 't' | 'o'): SQL {
  const of = sql.raw(alias)
  return sql`(${of}.state = 'done' AND ${of}.validated_ms IS NOT NULL AND ${of}.gone_ms IS NULL AND ${of}.damaged_ms IS NULL)`
}

/**
 * Of the points that stand in this repository: those that a mirror still wants from it, and those that stand nowhere else
 * while another copy is damaged and waits to be made whole. Only for a person, or while a plan names the mirror: what nobody
 * mirrors to any more keeps nothing.
 */
export function neededElsewhere({ db }: CatalogContext, repositoryId: string): Map<string, string> {
  const mirrors = new Set(
    db
      .select({ spec: plans.spec })
      .from(plans)
      .where(isNull(plans.deletedMs))
      .all()
      .flatMap(({ spec }) => spec.targets.flatMap(({ repository, copy }) => (copy === 'mirror' ? [repository] : []))),
  )
  const wanted = db.all<{ id: string; targetId: string; name: string; byHand: number }>(sql`
    SELECT c.point_id AS id, c.repository_id AS "targetId", r.name, c.by_hand AS "byHand"
    FROM copies c JOIN repositories r ON r.id = c.repository_id
    WHERE c.source_id = ${repositoryId} AND (c.state = 'pending' OR (c.state = 'failed' AND c.retry_ms IS NOT NULL))
    ORDER BY 1, 3`)
  const alone = db.all<{ id: string }>(sql`
    SELECT c.point_id AS id FROM copies c WHERE c.repository_id = ${repositoryId} AND ${stands('c')}
      AND EXISTS (SELECT 1 FROM copies o WHERE o.point_id = c.point_id AND o.repository_id <> c.repository_id
        AND o.state <> 'removed' AND o.damaged_ms IS NOT NULL AND o.gone_ms IS NULL)
      AND NOT EXISTS (SELECT 1 FROM copies o WHERE o.point_id = c.point_id AND o.repository_id <> c.repository_id AND ${stands('o')})`)
  const needed = new Map(alone.map(({ id }) => [id, 'the only whole copy']))
  for (const { id, targetId, name, byHand } of wanted)
    if (!needed.has(id) && (byHand === 1 || mirrors.has(targetId))) needed.set(id, `wanted in ${name}`)
  return needed
}
