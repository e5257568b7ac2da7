import { and, eq, like, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { settle } from './copy-state.ts'
import { copies, points, removedPoints } from './schema.ts'

export interface Removal {
  readonly ms: number
  readonly by: string
  readonly why: string
}

/** Whoever wrote a tombstone that Holdfast does not know of. */
export const unknownRemover = 'somebody at the repository'

/** See `RetainedQueries.recordRemoved`. */
export function recordRemoved(
  context: CatalogContext,
  repositoryId: string,
  stems: readonly string[],
  removal: Removal,
): void {
  inTransaction(context, () => {
    // Tombstones stay until they are collected: each sweep names all of them again, and most are known.
    const present = presentOf(context, repositoryId, stems)
    for (const stem of stems)
      if (!present.has(stem) || !remove(context, repositoryId, stem, removal))
        nameRemover(context, repositoryId, stem, removal)
  })
}

/** With a plus SQLite looks for the stem, which is one row or two, and not for all copies in the repository. */
const ofRepository = (id: string) => sql`+${copies.repositoryId} = ${id}`

/** Those that the catalog has in the repository. */
function presentOf({ db }: CatalogContext, repositoryId: string, stems: readonly string[]): ReadonlySet<string> {
  const named = sql`${copies.stem} IN (SELECT value FROM json_each(${JSON.stringify(stems)}))`
  const found = db
    .select({ stem: copies.stem })
    .from(copies)
    .where(and(ofRepository(repositoryId), eq(copies.state, 'done'), named))
    .all()
  return new Set(found.flatMap(({ stem }) => stem ?? []))
}

/** Whether the catalog had it. */
function remove(context: CatalogContext, repositoryId: string, stem: string, removal: Removal): boolean {
  const { db, publish } = context
  const { ms, by, why } = removal
  const here = and(eq(copies.stem, stem), ofRepository(repositoryId), eq(copies.state, 'done'))
  const id = db.select().from(copies).where(here).get()?.pointId
  const known = id === undefined ? undefined : db.select().from(points).where(eq(points.id, id)).get()
  if (id === undefined || known === undefined) return false
  const lost = { validatedMs: null, verifyLevel: null, verifiedMs: null, verifyChunks: null }
  db.update(copies)
    .set({ ...lost, state: 'removed', removedMs: ms, problem: sentence(by, why) })
    .where(here)
    .run()
  const rest = db.select().from(copies).where(eq(copies.pointId, id)).all()
  // The copies of other repositories are theirs: the point lives as long as one of them does.
  if (rest.some(({ state }) => state === 'done')) settle(context, id)
  else {
    const { vmId, createdMs, origin, name } = known
    db.insert(removedPoints)
      .values({ id, stem, vmId, repositoryId, createdMs, origin, name, removedMs: ms, removedBy: by, why })
      .onConflictDoNothing({ target: removedPoints.id })
      .run()
    const gone = eq(points.id, id)
    // One that is being copied at this moment may arrive: then it is a point again.
    if (rest.some(({ state }) => state === 'in-progress'))
      db.update(points)
        .set({ ...lost, goneMs: ms })
        .where(gone)
        .run()
    else db.delete(points).where(gone).run()
  }
  publish('point', id)
  return true
}

/** Who wrote the tombstone that somebody came upon before it was recorded. */
function nameRemover({ db }: CatalogContext, repositoryId: string, stem: string, { ms, by, why }: Removal): void {
  if (by === unknownRemover) return
  const point = and(eq(removedPoints.stem, stem), eq(removedPoints.repositoryId, repositoryId))
  db.update(removedPoints)
    .set({ removedMs: ms, removedBy: by, why })
    .where(and(point, eq(removedPoints.removedBy, unknownRemover)))
    .run()
  const copy = and(eq(copies.stem, stem), ofRepository(repositoryId), eq(copies.state, 'removed'))
  db.update(copies)
    .set({ removedMs: ms, problem: sentence(by, why) })
    .where(and(copy, like(copies.problem, `${sentence(unknownRemover, '')}%`)))
    .run()
}

function sentence(by: string, why: string): string {
  return `removed by ${by}: ${why}`
}
