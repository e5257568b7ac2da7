import { and, eq, inArray, isNotNull, isNull, type SQL } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { copies, points } from './schema.ts'

export type CopyRow = typeof copies.$inferSelect

/** It is there, as far as anybody knows, and can be restored from. */
export function isStanding({ state, validatedMs, goneMs, damagedMs }: CopyRow): boolean {
  return state === 'done' && validatedMs !== null && goneMs === null && damagedMs === null
}

/** The copies that a repository holds. */
export function heldBy(repositoryId: string): SQL | undefined {
  return and(eq(copies.repositoryId, repositoryId), eq(copies.state, 'done'), isNull(copies.goneMs))
}

/**
 * Makes the row of a point say what holds for the best of its copies: of those that stand the one from the hypervisor, else
 * the one it names, else the first. A point is lost only when its last copy is.
 */
export function settle({ db, publish }: CatalogContext, pointId: string): void {
  const point = db.select().from(points).where(eq(points.id, pointId)).get()
  if (point === undefined) return
  const there = db
    .select()
    .from(copies)
    .where(and(eq(copies.pointId, pointId), eq(copies.state, 'done'), isNotNull(copies.stem)))
    .orderBy(copies.wantedMs, copies.repositoryId)
    .all()
  const current = there.find(({ repositoryId }) => repositoryId === point.repositoryId)
  const standing = there.filter(isStanding)
  const own = standing.find(({ sourceId }) => sourceId === null)
  const named = current && isStanding(current) ? current : standing[0]
  const best = own ?? named ?? current ?? there[0]
  if (best === undefined || best.stem === null) return
  const { repositoryId, stem, validatedMs, verifyLevel, verifiedMs, verifyChunks, damagedMs, damage, goneMs } = best
  const set = { repositoryId, stem, validatedMs, verifyLevel, verifiedMs, verifyChunks, damagedMs, damage, goneMs }
  db.update(points).set(set).where(eq(points.id, pointId)).run()
  publish('point', pointId)
}

/** Changes the copy of a point in one repository, by default in the one that its row names; whether anything did change. */
export function changeCopy(
  context: CatalogContext,
  pointId: string,
  repositoryId: string | undefined,
  set: Partial<typeof copies.$inferInsert>,
  where?: SQL,
): boolean {
  const { db } = context
  const place = repositoryId ?? db.select().from(points).where(eq(points.id, pointId)).get()?.repositoryId
  if (place === undefined) return false
  const which = and(eq(copies.pointId, pointId), eq(copies.repositoryId, place), where)
  const done = db.update(copies).set(set).where(which).run()
  if (done.changes > 0) settle(context, pointId)
  return done.changes > 0
}

/** Ids of the points that have a copy in the repository for which `where` holds. */
export function pointsWith({ db }: CatalogContext, repositoryId: string, where: SQL | undefined): SQL {
  return inArray(
    points.id,
    db
      .select({ id: copies.pointId })
      .from(copies)
      .where(and(heldBy(repositoryId), where)),
  )
}
