/** What people hold: a hold is of the point, wherever its copies lie, while a repository knows only those of its own objects. */
import { sql } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { stands } from './copy-needs.ts'

/** A copy that stands and is not held although its point is: made again, found, or out of reach when the hold was placed. */
export interface LackingHold {
  readonly pointId: string
  readonly vmName: string
  readonly repositoryId: string
  readonly repositoryName: string
  readonly stem: string
  readonly type: 'pin' | 'legal'
  readonly actor: string
  readonly reason: string
}

/** Of `holds h`: a person's. A run that reads a copy holds that one alone; whose a damaged hold is nobody knows. */
const isWish = sql`(h.type IN ('pin', 'legal') AND h.actor NOT LIKE 'instant:%' AND h.actor NOT LIKE 'recovery:%')`

/** A hold of a run of a recovery plan that is over. */
export interface LeftHold {
  readonly name: string
  readonly repositoryId: string
  readonly stem: string
  readonly vmName: string
  readonly actor: string
}

/** Ids of points that somebody holds, and where: a hold in one repository keeps the copies of all. */
export function heldPoints({ db }: CatalogContext, repositoryId: string): Map<string, string> {
  const rows = db.all<{ id: string; place: string; name: string }>(sql`
    SELECT DISTINCT h.point_id AS id, h.repository_id AS place, r.name
    FROM holds h JOIN repositories r ON r.id = h.repository_id WHERE ${isWish} ORDER BY 1, 3`)
  const held = new Map<string, string>()
  for (const { id, place, name } of rows) {
    if (place === repositoryId) held.set(id, 'held')
    else if (!held.has(id)) held.set(id, `held in ${name}`)
  }
  return held
}

/**
 * Of runs that this catalog knows, and that have ended: those of other installations are their own. What a restore still reads
 * that a terminated run has left behind is left alone.
 */
export function leftHolds({ db }: CatalogContext, limit: number): LeftHold[] {
  return db.all<LeftHold>(sql`
    SELECT h.name, h.repository_id AS "repositoryId", p.stem, v.name AS "vmName", h.actor
    FROM holds h JOIN recovery_runs r ON r.run_id = substr(h.actor, 10) LEFT JOIN runs e ON e.run_id = r.run_id
      JOIN points p ON p.id = h.point_id JOIN vms v ON v.id = p.vm_id
    WHERE h.actor LIKE 'recovery:%' AND (r.ended_ms IS NOT NULL OR e.ended_ms IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.point_id = h.point_id AND o.ended_ms IS NULL AND o.kind IN ('restore', 'drill'))
    ORDER BY h.repository_id, h.actor, h.name LIMIT ${limit}`)
}

/** Holds of one point are the same where type, person and reason are: in each repository it is an object of its own. */
export function lackingHolds({ db }: CatalogContext, limit: number, pointId?: string): LackingHold[] {
  return db.all<LackingHold>(sql`
    SELECT h.point_id AS "pointId", v.name AS "vmName", c.repository_id AS "repositoryId", r.name AS "repositoryName",
      c.stem, h.type, h.actor, h.reason
    FROM holds h JOIN copies c ON c.point_id = h.point_id JOIN points p ON p.id = h.point_id
      JOIN vms v ON v.id = p.vm_id JOIN repositories r ON r.id = c.repository_id
    WHERE ${isWish} AND ${stands('c')} AND c.stem IS NOT NULL AND (${pointId ?? null} IS NULL OR h.point_id = ${pointId ?? null})
      AND NOT EXISTS (SELECT 1 FROM holds o WHERE o.repository_id = c.repository_id AND o.point_id = h.point_id
        AND o.type = h.type AND o.actor = h.actor AND o.reason = h.reason
        AND substr(o.name, 6, 32) = substr(c.stem, -32))
    GROUP BY h.point_id, c.repository_id, h.type, h.actor, h.reason
    ORDER BY h.point_id, c.repository_id, h.type, h.actor, h.reason LIMIT ${limit}`)
}
