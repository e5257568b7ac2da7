import { and, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { madeColumns, type MadePoint } from './retained.ts'
import { copies, points, retentionAudits, sweepPoints, sweeps, vms } from './schema.ts'

export type RetentionAuditRow = typeof retentionAudits.$inferSelect

/** A copy that is there, or that nobody removed and that is not there any more. */
export interface AuditedPoint extends MadePoint {
  readonly goneMs: number | null
}

/** A point that a sweep was to take, and that is there. */
export interface LeftPoint {
  readonly vmId: string
  readonly stem: string
  readonly why: string | null
}

export interface RetentionAuditQueries {
  /** How many points there are, or were and vanished, and of how many VMs. */
  counts(repositoryId: string): { readonly points: number; readonly vms: number }
  /** VMs of which a point vanished. */
  vmsWithVanished(repositoryId: string): string[]
  /** What the last sweep that came to its end, and was no dry run, was to take and left. */
  left(repositoryId: string): LeftPoint[]
  /** When that one was planned; null: there was none. */
  sweptMs(repositoryId: string): number | null
  /** All of a VM in a repository, oldest first. */
  pointsOf(repositoryId: string, vmId: string): AuditedPoint[]
  record(audit: RetentionAuditRow): void
  /** Newest first, `limit` at most. */
  list(repositoryId: string, limit: number): RetentionAuditRow[]
  lastMs(repositoryId: string): number | null
}

export function retentionAuditQueries(context: CatalogContext): RetentionAuditQueries {
  const { db, publish } = context
  const ofRepository = (repositoryId: string) => and(eq(copies.repositoryId, repositoryId), eq(copies.state, 'done'))
  const lastSwept = (repositoryId: string) =>
    db
      .select({ runId: sweeps.runId, plannedMs: sweeps.plannedMs })
      .from(sweeps)
      .where(and(eq(sweeps.repositoryId, repositoryId), eq(sweeps.dryRun, false), eq(sweeps.state, 'completed')))
      .orderBy(desc(sweeps.plannedMs))
      .limit(1)
      .get()
  return {
    counts: (repositoryId) =>
      db
        .select({ points: sql<number>`count(*)`, vms: sql<number>`count(DISTINCT ${copies.vmId})` })
        .from(copies)
        .where(ofRepository(repositoryId))
        .get() ?? { points: 0, vms: 0 },
    vmsWithVanished: (repositoryId) =>
      db
        .selectDistinct({ vmId: copies.vmId })
        .from(copies)
        .where(and(ofRepository(repositoryId), isNotNull(copies.goneMs)))
        .all()
        .map(({ vmId }) => vmId),
    left(repositoryId) {
      const sweep = lastSwept(repositoryId)
      if (sweep === undefined) return []
      return db
        .select({ vmId: copies.vmId, stem: sweepPoints.stem, why: sweepPoints.why })
        .from(sweepPoints)
        .innerJoin(copies, and(eq(copies.pointId, sweepPoints.pointId), eq(copies.repositoryId, repositoryId)))
        .where(
          and(
            eq(sweepPoints.runId, sweep.runId),
            inArray(sweepPoints.state, ['refused', 'going']),
            eq(copies.stem, sweepPoints.stem),
            eq(copies.state, 'done'),
            isNull(copies.goneMs),
          ),
        )
        .all()
    },
    sweptMs: (repositoryId) => lastSwept(repositoryId)?.plannedMs ?? null,
    pointsOf: (repositoryId, vmId) =>
      db
        .select({ ...madeColumns, goneMs: copies.goneMs })
        .from(copies)
        .innerJoin(points, eq(points.id, copies.pointId))
        .innerJoin(vms, eq(vms.id, points.vmId))
        .where(and(ofRepository(repositoryId), eq(copies.vmId, vmId)))
        .orderBy(points.createdMs)
        .all()
        .flatMap(({ stem, ...row }) => (stem === null ? [] : [{ stem, ...row }])),
    record(audit) {
      inTransaction(context, () => {
        db.insert(retentionAudits).values(audit).onConflictDoNothing().run()
        publish('sweep', audit.repositoryId)
      })
    },
    list: (repositoryId, limit) =>
      db
        .select()
        .from(retentionAudits)
        .where(eq(retentionAudits.repositoryId, repositoryId))
        .orderBy(desc(retentionAudits.ms))
        .limit(limit)
        .all(),
    lastMs: (repositoryId) =>
      db
        .select({ ms: sql<number | null>`max(${retentionAudits.ms})` })
        .from(retentionAudits)
        .where(eq(retentionAudits.repositoryId, repositoryId))
        .get()?.ms ?? null,
  }
}
