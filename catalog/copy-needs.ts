/** What repositories owe each other: points that lie nowhere else, or not yet, and copies that were lost. */
import { isNull, sql, type SQL } from 'drizzle-orm'
import type { PlanSpec } from '../policy/index.ts'
import type { CatalogContext } from './context.ts'
import { settle } from './copy-state.ts'
import { plans } from './schema.ts'

/** Of a row of `copies` by its alias: see `isStanding`. */
export function stands(alias: 'c' | 's' | 't' | 'o'): SQL {
  const of = sql.raw(alias)
  return sql`(${of}.state = 'done' AND ${of}.validated_ms IS NOT NULL AND ${of}.gone_ms IS NULL AND ${of}.damaged_ms IS NULL)`
}

/** Of `copies c`: it was there and is not, or not as it was, while another repository has the point. */
const isLost = sql`(c.state = 'done' AND (c.gone_ms IS NOT NULL OR c.damaged_ms IS NOT NULL) AND EXISTS (
  SELECT 1 FROM copies o WHERE o.point_id = c.point_id AND o.repository_id <> c.repository_id AND ${stands('o')}))`

/**
 * Of `copies c`, each said as an index says it (`copies_wanted`, `copies_lost`): beside a million copies that are there, few
 * are either. Where SQLite would rather take another index, these are named to it; it refuses what they cannot answer.
 */
export const isWanted = sql`c.state IN ('pending', 'in-progress', 'failed')`
/** Of a row that is wanted: nobody has it any more, so it is owed by nobody. That it is lost is told of the point. */
export const isPossible = sql`NOT (c.state = 'failed' AND c.retry_ms IS NULL AND NOT EXISTS (
  SELECT 1 FROM copies o WHERE o.point_id = c.point_id AND o.repository_id <> c.repository_id AND ${stands('o')}))`
const isTouched = sql`(c.gone_ms IS NOT NULL OR c.damaged_ms IS NOT NULL)`

/** The copies, to stand as `c`, that their repositories are to have, and do not, or not whole. */
export const missingCopies = sql`(SELECT c.* FROM copies c INDEXED BY copies_wanted WHERE ${isWanted} AND ${isPossible}
  UNION ALL SELECT c.* FROM copies c INDEXED BY copies_lost WHERE ${isTouched} AND ${isLost})`

/**
 * Copies that a mirror has lost are wanted again, of a VM or of all: between two repositories those that vanished or are
 * damaged; without a pair the damaged ones of every mirror, from their source if it has them whole. What vanished may have
 * been taken away on purpose, which is for a person to say. A damaged one keeps its name and its damage until it was read as
 * a whole. Inside a transaction.
 */
export function wantBack(
  context: CatalogContext,
  of: { readonly pair: { readonly sourceId: string; readonly targetId: string }; readonly vmId: string | null } | null,
): void {
  const { db, publish } = context
  const which =
    of === null
      ? sql`c.damaged_ms IS NOT NULL AND c.gone_ms IS NULL`
      : sql`c.repository_id = ${of.pair.targetId} AND o.repository_id = ${of.pair.sourceId}
          AND (${of.vmId} IS NULL OR EXISTS (SELECT 1 FROM points p WHERE p.id = c.point_id AND p.vm_id = ${of.vmId}))`
  const lost = db.all<{ pointId: string; targetId: string; sourceId: string }>(sql`
    SELECT c.point_id AS "pointId", c.repository_id AS "targetId", o.repository_id AS "sourceId"
    FROM copies c INDEXED BY copies_lost CROSS JOIN copies o ON o.point_id = c.point_id AND o.repository_id <> c.repository_id AND ${stands('o')}
      JOIN repositories a ON a.id = o.repository_id JOIN repositories b ON b.id = c.repository_id AND b.site = a.site
    WHERE c.source_id IS NOT NULL AND c.state = 'done' AND ${isTouched} AND ${which}
    ORDER BY +c.point_id, +c.repository_id, o.repository_id IS c.source_id`)
  // The last one of a copy names its source. The plus keeps SQLite from reading all copies for the sake of their order.
  for (const { pointId, targetId, sourceId } of lost) {
    db.run(sql`UPDATE copies SET state = 'pending', source_id = ${sourceId}, retry_ms = NULL, run_id = NULL, problem = NULL,
        wanted_ms = max(wanted_ms, coalesce(gone_ms, 0)), stem = CASE WHEN gone_ms IS NULL THEN stem END,
        damaged_ms = CASE WHEN gone_ms IS NULL THEN damaged_ms END, damage = CASE WHEN gone_ms IS NULL THEN damage END,
        validated_ms = NULL, verify_level = NULL, verified_ms = NULL, verify_chunks = NULL, gone_ms = NULL
      WHERE point_id = ${pointId} AND repository_id = ${targetId}`)
    settle(context, pointId)
    publish('repository', sourceId)
    publish('repository', targetId)
  }
}

/**
 * What was given up because its source no longer has the point is copied from another repository of the site that has it
 * whole. Inside a transaction.
 */
export function wantElsewhere({ db, publish }: CatalogContext): void {
  const other = sql`FROM copies o JOIN repositories a ON a.id = o.repository_id
    JOIN repositories b ON b.id = c.repository_id AND b.site = a.site
    WHERE o.point_id = c.point_id AND o.repository_id <> c.repository_id AND ${stands('o')}`
  const wanted = db.all<{ pointId: string; sourceId: string; targetId: string }>(sql`
    UPDATE copies AS c SET state = 'pending', problem = NULL, run_id = NULL,
      source_id = (SELECT o.repository_id ${other} ORDER BY o.source_id IS NOT NULL, o.repository_id LIMIT 1)
    WHERE ${isWanted} AND c.state = 'failed' AND c.retry_ms IS NULL AND c.source_id IS NOT NULL AND EXISTS (SELECT 1 ${other})
    RETURNING point_id AS "pointId", source_id AS "sourceId", repository_id AS "targetId"`)
  for (const { pointId } of wanted) publish('point', pointId)
  for (const id of new Set(wanted.flatMap(({ sourceId, targetId }) => [sourceId, targetId]))) publish('repository', id)
}

/**
 * A plan mirrors into these no more: what it wanted there by itself, and what nobody has begun, is wanted no more. What is
 * there stays, and so does a point that a person has named. Inside a transaction.
 */
export function withdrawWants({ db, publish }: CatalogContext, plan: string, targets: Iterable<string>): void {
  for (const target of targets) {
    const gone = db.all<{ pointId: string; sourceId: string }>(sql`
      DELETE FROM copies WHERE repository_id = ${target} AND state IN ('pending', 'failed') AND source_id IS NOT NULL
        AND stem IS NULL AND by_hand = 0 AND point_id IN (SELECT p.id FROM points p WHERE p.plan = ${plan})
      RETURNING point_id AS "pointId", source_id AS "sourceId"`)
    for (const { pointId } of gone) publish('point', pointId)
    for (const id of new Set(gone.flatMap(({ sourceId }) => [sourceId, target]))) publish('repository', id)
  }
}

/**
 * A plan mirrors into these, and did not before: what it would owe them had it never stopped, which is all that is newer
 * than the newest point of the VM that they have or had. A mirror that has nothing of a VM begins with its next point.
 * Inside a transaction.
 */
export function wantAgain({ db, now, publish }: CatalogContext, plan: string, targets: Iterable<string>): void {
  for (const target of targets) {
    const wanted = db.all<{ pointId: string; sourceId: string }>(sql`
      INSERT INTO copies (point_id, repository_id, vm_id, created_ms, source_id, state, wanted_ms, attempts, by_hand)
      SELECT p.id, ${target}, p.vm_id, p.created_ms, s.repository_id, 'pending', ${now()}, 0, 0
      FROM points p JOIN copies s ON s.point_id = p.id AND s.source_id IS NULL AND s.repository_id <> ${target} AND ${stands('s')}
      WHERE p.plan = ${plan} AND NOT EXISTS (SELECT 1 FROM copies t WHERE t.point_id = p.id AND t.repository_id = ${target})
        AND p.created_ms > (SELECT max(q.created_ms) FROM points q CROSS JOIN copies t
          WHERE q.vm_id = p.vm_id AND t.point_id = q.id AND t.repository_id = ${target}
            AND (t.state = 'removed' OR ${stands('t')}))
      ON CONFLICT DO NOTHING
      RETURNING point_id AS "pointId", source_id AS "sourceId"`)
    for (const { pointId } of wanted) publish('point', pointId)
    for (const id of new Set(wanted.flatMap(({ sourceId }) => [sourceId, target]))) publish('repository', id)
  }
}

/** Repositories that a plan mirrors into. */
export function mirrorsOf({ targets }: Pick<PlanSpec, 'targets'>): Set<string> {
  return new Set(targets.flatMap(({ repository, copy }) => (copy === 'mirror' ? [repository] : [])))
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
      .flatMap(({ spec }) => [...mirrorsOf(spec)]),
  )
  const wanted = db.all<{ id: string; targetId: string; name: string; byHand: number }>(sql`
    SELECT c.point_id AS id, c.repository_id AS "targetId", r.name, c.by_hand AS "byHand"
    FROM copies c JOIN repositories r ON r.id = c.repository_id
    WHERE c.source_id = ${repositoryId} AND ${isWanted} AND (c.state = 'pending' OR (c.state = 'failed' AND c.retry_ms IS NOT NULL))
    ORDER BY 1, 3`)
  const alone = db.all<{ id: string }>(sql`
    SELECT DISTINCT s.point_id AS id FROM copies c
      CROSS JOIN copies s ON s.point_id = c.point_id AND s.repository_id = ${repositoryId} AND ${stands('s')}
    WHERE c.repository_id <> ${repositoryId} AND ${isTouched} AND c.state <> 'removed' AND c.damaged_ms IS NOT NULL
      AND c.gone_ms IS NULL AND NOT EXISTS (
        SELECT 1 FROM copies o WHERE o.point_id = s.point_id AND o.repository_id <> s.repository_id AND ${stands('o')})`)
  const needed = new Map(alone.map(({ id }) => [id, 'the only whole copy']))
  for (const { id, targetId, name, byHand } of wanted)
    if (!needed.has(id) && (byHand === 1 || mirrors.has(targetId))) needed.set(id, `wanted in ${name}`)
  return needed
}
