import { and, desc, eq, inArray, isNotNull, isNull, lt, ne, or, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { isWanted, neededElsewhere } from './copy-needs.ts'
import { heldPoints, lackingHolds, leftHolds, type LackingHold, type LeftHold } from './hold-needs.ts'
import { heldBy } from './copy-state.ts'
import { snapOf } from './copies.ts'
import { given, lazy } from './lazy.ts'
import { recordRemoved, type Removal } from './removal.ts'
import { collections, copies, holds, points, removedPoints, runs, vms } from './schema.ts'
import { seriesQueries, type SeriesQueries, type SeriesVm } from './series.ts'

export type HoldRow = typeof holds.$inferSelect
export type CollectionRow = typeof collections.$inferSelect
export type RemovedPointRow = typeof removedPoints.$inferSelect

/** A copy of a point that a plan has made, as what judges its age asks for it. */
export interface MadePoint extends Pick<SeriesVm, 'vmId' | 'vmName' | 'category' | 'override'> {
  readonly stem: string
  readonly pointId: string
  readonly timeMs: number
  readonly origin: 'manual' | 'scheduled' | 'publish' | 'safety'
  /** That made it; null: none did. */
  readonly plan: string | null
}

export interface RetainedQueries extends SeriesQueries {
  /** What a plan has made of a VM, and the repository has. null: every plan, and nobody's. */
  madeBy(plan: string | null, repositoryId: string, vmId: string): MadePoint[]
  /** Stems of damaged points. */
  damaged(repositoryId: string): Set<string>
  /** Ids of points that restores, drills, recovery plans and mirrors read or are about to, or that VMs run from, and which of them. */
  beingRead(): Map<string, 'being restored' | 'being mirrored'>
  /** Ids of points of which another repository still needs the copy that this one holds, and why; see `copy-needs.ts`. */
  neededElsewhere(repositoryId: string): Map<string, string>
  /** Ids of points that people hold, here or in another repository, and where; see `hold-needs.ts`. */
  heldPoints(repositoryId: string): Map<string, string>
  /** Copies that stand and lack a hold of their point; `limit` at most. */
  lackingHolds(limit: number, pointId?: string): LackingHold[]
  /** Holds of runs of recovery plans that are over; `limit` at most. */
  leftHolds(limit: number): LeftHold[]
  /** Snapshots of validated points: what a collection has to find. */
  believed(repositoryId: string): string[]
  /**
   * Takes what this repository holds of them out of the lists; what is left is who removed it, when and why. A point goes
   * with its last copy. Idempotent. Of what was found with a tombstone before who wrote it was recorded, it is known then.
   */
  recordRemoved(repositoryId: string, stems: readonly string[], act: Removal): void
  removed(id: string): RemovedPointRow | undefined
  /** All holds of a repository as they were found; what was placed after that moment stays. */
  replaceHolds(repositoryId: string, found: readonly HoldRow[], foundMs: number): void
  addHold(hold: HoldRow): void
  dropHold(name: string): void
  holdsOf(pointId: string): HoldRow[]
  countHolds(repositoryId: string): number
  recordCollection(row: CollectionRow): void
  /** Newest first, `limit` at most. */
  collections(repositoryId: string, limit: number): CollectionRow[]
  /** Points removed after that moment. */
  removedSince(repositoryId: string, ms: number): number
}

/** Of a copy, its point and its VM: what rules ask about it. */
export const madeColumns = {
  stem: copies.stem,
  pointId: points.id,
  timeMs: points.createdMs,
  origin: points.origin,
  plan: points.plan,
  vmId: vms.id,
  vmName: vms.name,
  category: vms.category,
  override: vms.override,
}

export function retainedQueries(context: CatalogContext): RetainedQueries {
  const { db, publish } = context
  const made = lazy(() =>
    db
      .select(madeColumns)
      .from(copies)
      .innerJoin(points, eq(points.id, copies.pointId))
      .innerJoin(vms, eq(vms.id, points.vmId))
      .where(
        and(
          eq(points.vmId, given('vmId')),
          // null: of every plan, and of none.
          sql`(${given('plan')} IS NULL OR ${points.plan} = ${given('plan')})`,
          // With a plus SQLite looks for the points of the VM, and not for all that the repository has.
          sql`+${copies.repositoryId} = ${given('repositoryId')}`,
          eq(copies.state, 'done'),
          isNull(copies.goneMs),
        ),
      )
      .orderBy(points.createdMs)
      .prepare(),
  )
  const change = (work: () => void, ...pointIds: string[]): void =>
    inTransaction(context, () => {
      work()
      for (const id of pointIds) publish('point', id)
    })
  return {
    ...seriesQueries(context),
    madeBy: (plan, repositoryId, vmId) =>
      made()
        .all({ plan, repositoryId, vmId })
        .flatMap(({ stem, ...row }) => (stem === null ? [] : [{ stem, ...row }])),
    damaged: (repositoryId) =>
      new Set(
        db
          .select({ stem: copies.stem })
          .from(copies)
          .where(and(eq(copies.repositoryId, repositoryId), ne(copies.state, 'removed'), isNotNull(copies.damagedMs)))
          .all()
          .flatMap(({ stem }) => (stem === null ? [] : [stem])),
      ),
    beingRead() {
      const restored = db
        .selectDistinct({ id: runs.pointId })
        .from(runs)
        .where(
          and(
            isNull(runs.endedMs),
            inArray(runs.kind, ['restore', 'drill', 'instant', 'files']),
            isNotNull(runs.pointId),
          ),
        )
        .all()
      const mirrored = db.all<{ id: string }>(
        sql`SELECT DISTINCT +c.point_id AS id FROM copies c WHERE ${isWanted} AND c.state = 'in-progress'`,
      )
      // All that a run has chosen, also for tiers that it comes to in days; one that was terminated says nothing of its end.
      const planned = db.all<{ id: string }>(sql`
        SELECT DISTINCT json_extract(m.value, '$.pointId') AS id
        FROM recovery_runs r, json_each(r.tiers) t, json_each(t.value, '$.members') m
        WHERE r.ended_ms IS NULL AND json_extract(m.value, '$.pointId') IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM runs e WHERE e.run_id = r.run_id AND e.ended_ms IS NOT NULL)`)
      const all = new Map<string, 'being restored' | 'being mirrored'>()
      for (const { id } of mirrored) all.set(id, 'being mirrored')
      for (const { id } of [...restored, ...planned]) if (id !== null) all.set(id, 'being restored')
      return all
    },
    neededElsewhere: (repositoryId) => neededElsewhere(context, repositoryId),
    heldPoints: (repositoryId) => heldPoints(context, repositoryId),
    lackingHolds: (limit, pointId) => lackingHolds(context, limit, pointId),
    leftHolds: (limit) => leftHolds(context, limit),
    believed: (repositoryId) =>
      db
        .select({ stem: copies.stem })
        .from(copies)
        .where(and(heldBy(repositoryId), isNotNull(copies.validatedMs)))
        .all()
        .flatMap(({ stem }) => (stem === null ? [] : [snapOf(stem)])),
    recordRemoved: (repositoryId, stems, removal) => recordRemoved(context, repositoryId, stems, removal),
    removed: (id) => db.select().from(removedPoints).where(eq(removedPoints.id, id)).get(),
    replaceHolds(repositoryId, found, foundMs) {
      const older = and(eq(holds.repositoryId, repositoryId), or(isNull(holds.ms), lt(holds.ms, foundMs)))
      const before = db.select().from(holds).where(older).all()
      const names = new Set(found.map(({ name }) => name))
      const known = new Set(before.map(({ name }) => name))
      const moved = [...before.filter(({ name }) => !names.has(name)), ...found.filter(({ name }) => !known.has(name))]
      change(
        () => {
          db.delete(holds).where(older).run()
          for (const hold of found) db.insert(holds).values(hold).onConflictDoNothing({ target: holds.name }).run()
        },
        ...new Set(moved.map(({ pointId }) => pointId)),
      )
    },
    addHold(hold) {
      change(() => {
        db.insert(holds).values(hold).onConflictDoNothing({ target: holds.name }).run()
      }, hold.pointId)
    },
    dropHold(name) {
      const known = db.select().from(holds).where(eq(holds.name, name)).get()
      if (known !== undefined) change(() => void db.delete(holds).where(eq(holds.name, name)).run(), known.pointId)
    },
    holdsOf: (pointId) => db.select().from(holds).where(eq(holds.pointId, pointId)).limit(50).all(),
    countHolds: (repositoryId) =>
      db
        .select({ n: sql<number>`count(DISTINCT ${holds.pointId})` })
        .from(holds)
        .where(eq(holds.repositoryId, repositoryId))
        .get()?.n ?? 0,
    recordCollection(row) {
      inTransaction(context, () => {
        const { runId: _, ...set } = row
        db.insert(collections).values(row).onConflictDoUpdate({ target: collections.runId, set }).run()
        publish('repository', row.repositoryId)
      })
    },
    collections: (repositoryId, limit) =>
      db
        .select()
        .from(collections)
        .where(eq(collections.repositoryId, repositoryId))
        .orderBy(desc(collections.endedMs))
        .limit(limit)
        .all(),
    removedSince: (repositoryId, ms) =>
      db.get<{ n: number }>(sql`SELECT
        (SELECT count(*) FROM removed_points WHERE repository_id = ${repositoryId} AND removed_ms > ${ms})
        + (SELECT count(*) FROM copies WHERE repository_id = ${repositoryId} AND removed_ms > ${ms}) AS n`).n,
  }
}
