import { and, asc, eq, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { stands } from './copy-needs.ts'
import { changeCopy, settle, type CopyRow } from './copy-state.ts'
import { whileUnchanged } from './while-unchanged.ts'
import { given, lazy } from './lazy.ts'
import { copies, points, repositories } from './schema.ts'

export type { CopyRow } from './copy-state.ts'

export interface CopyView extends CopyRow {
  readonly repositoryName: string
  readonly sourceName: string | null
}

/** A copy that somebody has seen in its repository. */
export interface FoundCopy {
  readonly pointId: string
  readonly repositoryId: string
  readonly stem: string
  readonly sourceId: string | null
  readonly validatedMs: number
  readonly lockUntilMs: number | null
}

/** The newest damage of a repository. */
export interface DamagedCopy {
  readonly pointId: string
  readonly repositoryId: string
  readonly repositoryName: string
  readonly vmId: string
  readonly vmName: string
  readonly damagedMs: number
  readonly damage: string | null
  /** How many damaged copies the repository has. */
  readonly copies: number
}

export interface CopyQueries {
  /** Of a point: the one from the hypervisor first, then in the order in which they were wanted. */
  of(pointId: string): CopyView[]
  find(pointId: string, repositoryId: string): CopyRow | undefined
  /** The point that a repository holds, or held, under this name. */
  at(repositoryId: string, stem: string): CopyRow | undefined
  /** The point of a copy with this name, in whichever repository; else what the name itself says. */
  readonly pointIdOf: (stem: string) => string
  /** In how many repositories the newest validated point of a VM stands; 0: it has none. */
  repositoriesOf(vmId: string): number
  /**
   * Of each repository the damaged ones of points that another holds whole, the newest damage first, for as long as they are
   * there and not whole again, also while they wait to be.
   */
  damaged(): DamagedCopy[]
  /** Writes down a copy that is there; of one that is known nothing changes but that it is there. */
  found(copy: FoundCopy): void
}

/** What ends a stem: the snapshot's id. */
export function snapOf(stem: string): string {
  return stem.slice(-32)
}

export function copyQueries(context: CatalogContext): CopyQueries {
  const { db, now } = context
  const ofStem = lazy(() =>
    db
      .select({ pointId: copies.pointId })
      .from(copies)
      .where(eq(copies.stem, given('stem')))
      .prepare(),
  )
  const ofName = lazy(() =>
    db
      .select()
      .from(copies)
      .where(and(eq(copies.stem, given('stem')), eq(copies.repositoryId, given('repositoryId'))))
      .prepare(),
  )
  const find = (pointId: string, repositoryId: string): CopyRow | undefined =>
    db
      .select()
      .from(copies)
      .where(and(eq(copies.pointId, pointId), eq(copies.repositoryId, repositoryId)))
      .get()
  return {
    find,
    of: (pointId) =>
      db
        .select({
          row: copies,
          repositoryName: repositories.name,
          sourceName: sql<string | null>`(SELECT r.name FROM repositories r WHERE r.id = copies.source_id)`.as(
            'source_name',
          ),
        })
        .from(copies)
        .innerJoin(repositories, eq(repositories.id, copies.repositoryId))
        .where(eq(copies.pointId, pointId))
        .orderBy(sql`copies.source_id IS NOT NULL`, asc(copies.wantedMs), asc(copies.repositoryId))
        .limit(200)
        .all()
        .map(({ row, ...names }) => ({ ...row, ...names })),
    at: (repositoryId, stem) => ofName().get({ stem, repositoryId }),
    // A copy that was made again after a removal has a name of its own (repository format §13).
    pointIdOf: (stem) => ofStem().get({ stem })?.pointId ?? snapOf(stem),
    repositoriesOf: (vmId) =>
      db.get<{
        n: number
      }>(sql`SELECT count(*) AS n FROM copies c WHERE ${stands('c')} AND c.point_id = (
        SELECT p.id FROM points p WHERE p.vm_id = ${vmId} AND p.validated_ms IS NOT NULL
        ORDER BY p.created_ms DESC, p.id LIMIT 1)`).n,
    damaged: whileUnchanged(context, () =>
      db.all<DamagedCopy>(sql`
        SELECT d.point_id AS "pointId", d.repository_id AS "repositoryId", r.name AS "repositoryName", v.id AS "vmId",
          v.name AS "vmName", d.damaged_ms AS "damagedMs", d.damage, d.copies
        FROM (
          SELECT c.*, count(*) OVER (PARTITION BY c.repository_id) AS copies,
            row_number() OVER (PARTITION BY c.repository_id ORDER BY c.damaged_ms DESC, c.point_id) AS place
          FROM copies c JOIN points p ON p.id = c.point_id
          WHERE c.state <> 'removed' AND c.damaged_ms IS NOT NULL AND c.gone_ms IS NULL AND p.validated_ms IS NOT NULL
        ) d JOIN points p ON p.id = d.point_id JOIN vms v ON v.id = p.vm_id JOIN repositories r ON r.id = d.repository_id
        WHERE d.place = 1 ORDER BY d.damaged_ms DESC, d.repository_id`),
    ),
    found({ pointId, repositoryId, stem, sourceId, validatedMs, lockUntilMs }) {
      inTransaction(context, () => {
        const { vmId, createdMs } = points
        const point = db.select({ vmId, createdMs }).from(points).where(eq(points.id, pointId)).get()
        if (point === undefined) return
        const there = { stem, state: 'done', validatedMs, goneMs: null, removedMs: null, problem: null } as const
        const whole = { damagedMs: null, damage: null, retryMs: null } as const
        const known = find(pointId, repositoryId)
        const isSame = known?.stem === stem && (known.state === 'done' || known.damagedMs !== null)
        if (isSame && (known.goneMs === null || known.damagedMs !== null)) {
          if (lockUntilMs !== null) changeCopy(context, pointId, repositoryId, { lockUntilMs })
          return
        }
        const seen = { verifyLevel: 'validated', verifiedMs: validatedMs, verifyChunks: null, lockUntilMs } as const
        db.insert(copies)
          .values({
            ...point,
            pointId,
            repositoryId,
            sourceId,
            wantedMs: now(),
            attempts: 1,
            byHand: false,
            ...there,
            ...seen,
          })
          .onConflictDoUpdate({ target: [copies.pointId, copies.repositoryId], set: { ...there, ...whole, ...seen } })
          .run()
        settle(context, pointId)
      })
    },
  }
}
