import { and, desc, eq, isNotNull, isNull, lt, notInArray, or, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { habitPoints, judgeChange, type ChangeFigures, type PastChange } from '../policy/index.ts'
import type { ChangeReview } from './change-schema.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { pointChanges, points, vms } from './schema.ts'

export type ChangeRow = typeof pointChanges.$inferSelect
export interface MeasuredChange {
  readonly pointId: string
  /** null: it is the first point, or `problem` says why it could not be compared. */
  readonly compared: { readonly beforeId: string; readonly beforeMs: number; readonly figures: ChangeFigures } | null
  readonly problem: string | null
}
export interface SuspiciousPoint {
  readonly row: ChangeRow
  readonly vmName: string
  /** The newest recovery point before it that nothing speaks against; null: there is none. */
  readonly lastClean: { readonly id: string; readonly createdMs: number } | null
}

export interface ChangeQueries {
  /** Judged against what the VM has done before. Again: by the same rule, unless a person has looked at it. Throws NotFound. */
  record(change: MeasuredChange): ChangeRow
  find(pointId: string): ChangeRow | undefined
  /** Flagged, not looked at by anybody, and still there: newest first. */
  unreviewed(limit: number, vmId?: string): { readonly items: readonly SuspiciousPoint[]; readonly total: number }
  /** How many of them, by VM. */
  suspiciousByVm(): readonly { readonly vmId: string; readonly points: number }[]
  /** Throws NotFound, and InvalidRequest for a point that was not flagged. */
  review(pointId: string, review: Omit<ChangeReview, 'ms'>): ChangeRow
  /** The newest recovery point before it that nothing speaks against. */
  lastClean(row: ChangeRow): SuspiciousPoint['lastClean']
}

/** Rows of points that are gone are kept for so many points of a VM: what is usual must not be forgotten by a short retention. */
const keptPerVm = 200

export function changeQueries(context: CatalogContext): ChangeQueries {
  const { db, now, publish } = context
  const find = (pointId: string): ChangeRow | undefined =>
    db.select().from(pointChanges).where(eq(pointChanges.pointId, pointId)).get()
  const past = (vmId: string, beforeMs: number): PastChange[] =>
    db
      .select()
      .from(pointChanges)
      .where(
        and(
          eq(pointChanges.vmId, vmId),
          lt(pointChanges.createdMs, beforeMs),
          isNotNull(pointChanges.figures),
          or(eq(pointChanges.isSuspicious, false), sql`json_extract(${pointChanges.review}, '$.verdict') = 'expected'`),
        ),
      )
      .orderBy(desc(pointChanges.createdMs))
      .limit(habitPoints)
      .all()
      .flatMap(({ figures, review }) =>
        figures === null ? [] : [{ figures, isExpected: review?.verdict === 'expected' }],
      )
  const forget = (vmId: string): void => {
    const kept = db
      .select({ id: pointChanges.pointId })
      .from(pointChanges)
      .where(eq(pointChanges.vmId, vmId))
      .orderBy(desc(pointChanges.createdMs))
      .limit(keptPerVm)
    db.delete(pointChanges)
      .where(
        and(
          eq(pointChanges.vmId, vmId),
          notInArray(pointChanges.pointId, kept),
          sql`NOT EXISTS (SELECT 1 FROM points p WHERE p.id = ${pointChanges.pointId})`,
        ),
      )
      .run()
  }
  const lastClean = ({ vmId, createdMs }: ChangeRow): SuspiciousPoint['lastClean'] =>
    db
      .select({ id: points.id, createdMs: points.createdMs })
      .from(points)
      .leftJoin(pointChanges, eq(pointChanges.pointId, points.id))
      .where(
        and(
          eq(points.vmId, vmId),
          lt(points.createdMs, createdMs),
          isNotNull(points.validatedMs),
          or(
            isNull(pointChanges.pointId),
            eq(pointChanges.isSuspicious, false),
            sql`json_extract(${pointChanges.review}, '$.verdict') = 'expected'`,
          ),
        ),
      )
      .orderBy(desc(points.createdMs))
      .limit(1)
      .get() ?? null
  const open = and(eq(pointChanges.isSuspicious, true), isNull(pointChanges.review), isNull(points.goneMs))
  return {
    find,
    lastClean,
    record({ pointId, compared, problem }) {
      return inTransaction(context, () => {
        const known = find(pointId)
        if (known?.review) return known
        const point = db.select().from(points).where(eq(points.id, pointId)).get()
        if (!point) throw new HoldfastError('NotFound', `there is no recovery point ${pointId}`)
        const { vmId, createdMs } = point
        const figures = compared?.figures ?? null
        const verdict =
          figures === null
            ? { score: 0, isSuspicious: false, sign: null, usualBytes: null }
            : judgeChange(figures, past(vmId, createdMs))
        const place = { beforeId: compared?.beforeId ?? null, beforeMs: compared?.beforeMs ?? null }
        const row = { ...place, figures, problem, ...verdict, measuredMs: now() }
        db.insert(pointChanges)
          .values({ pointId, vmId, createdMs, ...row, review: null })
          .onConflictDoUpdate({ target: pointChanges.pointId, set: row })
          .run()
        forget(vmId)
        publish('point', pointId)
        return { pointId, vmId, createdMs, ...row, review: null }
      })
    },
    unreviewed(limit, vmId) {
      const where = and(open, vmId === undefined ? undefined : eq(pointChanges.vmId, vmId))
      const found = db
        .select({ row: pointChanges, vmName: vms.name })
        .from(pointChanges)
        .innerJoin(points, eq(points.id, pointChanges.pointId))
        .innerJoin(vms, eq(vms.id, pointChanges.vmId))
        .where(where)
        .orderBy(desc(pointChanges.createdMs))
        .limit(limit)
        .all()
      const total =
        db
          .select({ n: sql<number>`count(*)` })
          .from(pointChanges)
          .innerJoin(points, eq(points.id, pointChanges.pointId))
          .where(where)
          .get()?.n ?? 0
      return { items: found.map((one) => ({ ...one, lastClean: lastClean(one.row) })), total }
    },
    suspiciousByVm: () =>
      db
        .select({ vmId: pointChanges.vmId, points: sql<number>`count(*)` })
        .from(pointChanges)
        .innerJoin(points, eq(points.id, pointChanges.pointId))
        .where(open)
        .groupBy(pointChanges.vmId)
        .all(),
    review(pointId, { verdict, by, reason }) {
      return inTransaction(context, () => {
        const row = find(pointId)
        if (!row) throw new HoldfastError('NotFound', `nothing is known of what changed before the point ${pointId}`)
        if (!row.isSuspicious) {
          throw new HoldfastError('InvalidRequest', `the change before the point ${pointId} was not flagged`, {
            hint: 'Only what was flagged is reviewed.',
          })
        }
        const review: ChangeReview = { verdict, by, reason, ms: now() }
        db.update(pointChanges).set({ review }).where(eq(pointChanges.pointId, pointId)).run()
        publish('point', pointId)
        return { ...row, review }
      })
    },
  }
}
