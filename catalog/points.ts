import { and, asc, count, desc, eq, gt, gte, isNotNull, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { points, repositories, vms } from './schema.ts'
import type { Consistency, Json, PointDisk, pointOrigins, Verdict } from './types.ts'

export type PointRow = typeof points.$inferSelect
export interface ProofNote {
  readonly drillId: string
  readonly verdict: Verdict
  readonly endedMs: number
  readonly rtoSeconds: number | null
}
export interface PointView extends PointRow {
  readonly vmName: string
  readonly repositoryName: string
  /** Its last drill. */
  readonly proof: ProofNote | null
}

export interface NewPoint {
  /** 32 hex digits. */
  readonly id: string
  readonly stem: string
  readonly vmId: string
  readonly repositoryId: string
  readonly parentId: string | null
  readonly createdMs: number
  /** When the repository had validated it; null: it is no recovery point yet. */
  readonly validatedMs: number | null
  readonly origin: (typeof pointOrigins)[number]
  readonly name: string | null
  readonly description: string | null
  /** Name of the plan that asked for it. */
  readonly plan?: string | null
  readonly consistency: Consistency
  readonly freezeDurationMs: number | null
  readonly disks: readonly PointDisk[]
  /** Random chunks read back after the commit; 0: none. */
  readonly spotCheckedChunks: number
  readonly manifestBytes: number | null
  /** Change references that only the commit could name, as JSON. */
  readonly refs: readonly Json[]
  readonly workflowId: string | null
  readonly runId: string | null
}

export interface PointFilter {
  readonly vmId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly proven?: Verdict | 'never' | undefined
  /** Only those in which damage was found. */
  readonly damaged?: true | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

export interface PointQueries {
  /** Idempotent by id: recording a point again changes nothing. */
  record(point: NewPoint): void
  /** Kept if it says at least as much as the one known; never of a damaged point. `chunks`: read back, for a spot check. */
  recordVerification(
    id: string,
    seen: { readonly level: Verification; readonly ms: number; readonly chunks: number | null },
  ): void
  /**
   * The point was read and is damaged: its validation is taken back, so that nothing that asks for a validated point
   * (posture, restores, drills) finds it, until `recordMended`; an unknown point is none to take back.
   */
  recordDamage(id: string, seen: { readonly ms: number; readonly damage: string }): void
  /**
   * A damaged point of which every chunk was opened since and is sound: what it needs was stored again. It is validated from
   * then on. Whether it was a damaged one.
   */
  recordMended(id: string, ms: number): boolean
  /**
   * The repository no longer has it: what asks for a validated point does not find it any more, lists leave it out. Not for
   * good: `recordFound` takes it back.
   */
  recordGone(id: string, ms: number): void
  /** A point that was gone is there again. */
  recordFound(id: string, validatedMs: number): void
  /** Ids of the damaged points of a VM in a repository, newest first, at most a hundred. */
  damaged(vmId: string, repositoryId: string): readonly string[]
  find(id: string): PointView | undefined
  /** Throws NotFound. */
  get(id: string): PointView
  newestValidated(vmId: string): PointView | undefined
  /** Whether a recovery point is dated after the one moment and not after the other. */
  hasDatedWithin(afterMs: number, untilMs: number): boolean
  /** Instant of its oldest recovery point; null: it has none. */
  firstValidatedMs(vmId: string): number | null
  list(page: PageRequest, filter?: PointFilter): Page<PointView>
  countAll(): number
  /** Mean of what the incremental points of the last seven days read, per day; null without any. */
  changedPerDay(vmId: string): number | null
}

/** From weakest to strongest. */
const verifications = ['validated', 'spot-checked', 'quick', 'data', 'full'] as const
export type Verification = (typeof verifications)[number]

const week = 7 * 86_400_000

export function pointQueries(context: CatalogContext): PointQueries {
  const { db, now, publish } = context
  const proof = sql<
    string | null
  >`(SELECT json_object('drillId', d.id, 'verdict', d.verdict, 'endedMs', d.ended_ms, 'rtoSeconds', d.rto_seconds)
    FROM drills d WHERE d.point_id = points.id ORDER BY d.ended_ms DESC LIMIT 1)`.as('proof')
  const select = () =>
    db
      .select({ row: points, vmName: vms.name, repositoryName: repositories.name, proof })
      .from(points)
      .innerJoin(vms, eq(vms.id, points.vmId))
      .innerJoin(repositories, eq(repositories.id, points.repositoryId))
  const view = (found: { row: PointRow; vmName: string; repositoryName: string; proof: string | null }): PointView => ({
    ...found.row,
    vmName: found.vmName,
    repositoryName: found.repositoryName,
    proof: found.proof === null ? null : (JSON.parse(found.proof) as ProofNote),
  })
  const find = (id: string): PointView | undefined => {
    const found = select().where(eq(points.id, id)).get()
    return found && view(found)
  }
  return {
    find,
    record(point) {
      inTransaction(context, () => {
        const { disks, spotCheckedChunks, ...rest } = point
        const sum = (pick: (disk: PointDisk) => number): number => disks.reduce((total, disk) => total + pick(disk), 0)
        const modes = new Set(disks.map((disk) => disk.mode))
        const done = db
          .insert(points)
          .values({
            ...rest,
            disks,
            mode: modes.size > 1 ? 'mixed' : modes.has('incremental') ? 'incremental' : 'full',
            logicalBytes: sum((disk) => disk.size),
            readBytes: sum((disk) => disk.readBytes),
            newBytes: sum((disk) => disk.newBytes),
            verifyLevel: point.validatedMs === null ? null : spotCheckedChunks > 0 ? 'spot-checked' : 'validated',
            verifiedMs: point.validatedMs,
            verifyChunks: spotCheckedChunks > 0 ? spotCheckedChunks : null,
          })
          .onConflictDoNothing({ target: points.id })
          .run()
        if (done.changes > 0) publish('point', point.id)
      })
    },
    recordVerification(id, { level, ms, chunks }) {
      inTransaction(context, () => {
        const known = find(id)
        if (!known) throw new HoldfastError('NotFound', `there is no recovery point ${id}`)
        if (known.damagedMs !== null) return
        if (known.verifyLevel && verifications.indexOf(level) < verifications.indexOf(known.verifyLevel)) return
        db.update(points)
          .set({ verifyLevel: level, verifiedMs: ms, verifyChunks: chunks })
          .where(eq(points.id, id))
          .run()
        publish('point', id)
      })
    },
    recordDamage(id, { ms, damage }) {
      inTransaction(context, () => {
        const revoked = { validatedMs: null, verifyLevel: null, verifiedMs: null, verifyChunks: null }
        const done = db
          .update(points)
          .set({ ...revoked, damagedMs: ms, damage })
          .where(and(eq(points.id, id), isNull(points.damagedMs)))
          .run()
        if (done.changes > 0) publish('point', id)
      })
    },
    recordMended(id, ms) {
      return inTransaction(context, () => {
        const whole = {
          validatedMs: ms,
          verifyLevel: 'validated',
          verifiedMs: ms,
          damagedMs: null,
          damage: null,
        } as const
        const done = db
          .update(points)
          .set(whole)
          .where(and(eq(points.id, id), isNotNull(points.damagedMs), isNull(points.goneMs)))
          .run()
        if (done.changes > 0) publish('point', id)
        return done.changes > 0
      })
    },
    recordGone(id, ms) {
      inTransaction(context, () => {
        const lost = { validatedMs: null, verifyLevel: null, verifiedMs: null, verifyChunks: null, goneMs: ms }
        const done = db
          .update(points)
          .set(lost)
          .where(and(eq(points.id, id), isNull(points.goneMs)))
          .run()
        if (done.changes > 0) publish('point', id)
      })
    },
    recordFound(id, validatedMs) {
      inTransaction(context, () => {
        const back = { validatedMs, verifyLevel: 'validated', verifiedMs: validatedMs, goneMs: null } as const
        const done = db
          .update(points)
          .set(back)
          .where(and(eq(points.id, id), isNotNull(points.goneMs), isNull(points.damagedMs)))
          .run()
        if (done.changes > 0) publish('point', id)
      })
    },
    damaged(vmId, repositoryId) {
      const found = db
        .select({ id: points.id })
        .from(points)
        .where(and(eq(points.vmId, vmId), eq(points.repositoryId, repositoryId), isNotNull(points.damagedMs)))
        .orderBy(desc(points.createdMs))
        .limit(100)
        .all()
      return found.map(({ id }) => id)
    },
    get(id) {
      const found = find(id)
      if (!found) throw new HoldfastError('NotFound', `there is no recovery point ${id}`)
      return found
    },
    newestValidated(vmId) {
      const found = select()
        .where(and(eq(points.vmId, vmId), sql`${points.validatedMs} IS NOT NULL`))
        .orderBy(desc(points.createdMs), asc(points.id))
        .limit(1)
        .get()
      return found && view(found)
    },
    hasDatedWithin: (afterMs, untilMs) =>
      db
        .select({ id: points.id })
        .from(points)
        .where(and(gt(points.createdMs, afterMs), lte(points.createdMs, untilMs), isNotNull(points.validatedMs)))
        .limit(1)
        .get() !== undefined,
    firstValidatedMs: (vmId) =>
      db
        .select({ ms: sql<number | null>`min(${points.createdMs})` })
        .from(points)
        .where(and(eq(points.vmId, vmId), isNotNull(points.validatedMs)))
        .get()?.ms ?? null,
    list(page, filter = {}) {
      const verdict = sql`(SELECT d.verdict FROM drills d WHERE d.point_id = points.id ORDER BY d.ended_ms DESC LIMIT 1)`
      const where: (SQL | undefined)[] = [
        isNull(points.goneMs),
        filter.vmId === undefined ? undefined : eq(points.vmId, filter.vmId),
        filter.repositoryId === undefined ? undefined : eq(points.repositoryId, filter.repositoryId),
        filter.sinceMs === undefined ? undefined : gte(points.createdMs, filter.sinceMs),
        filter.untilMs === undefined ? undefined : lt(points.createdMs, filter.untilMs),
        filter.damaged && isNotNull(points.damagedMs),
        filter.proven === undefined
          ? undefined
          : filter.proven === 'never'
            ? sql`${verdict} IS NULL`
            : sql`${verdict} = ${filter.proven}`,
      ]
      const rows = select()
        .where(and(...where, afterCursor([sql`${points.createdMs}`, sql`${points.id}`], 'desc', page)))
        .orderBy(desc(points.createdMs), desc(points.id))
        .limit(rowsFor(page))
        .all()
      const total =
        db
          .select({ n: count() })
          .from(points)
          .where(and(...where))
          .get()?.n ?? 0
      return toPage(rows, page, total, ({ row }) => [row.createdMs, row.id], view)
    },
    countAll: () => db.select({ n: count() }).from(points).where(isNull(points.goneMs)).get()?.n ?? 0,
    changedPerDay(vmId) {
      const since = now() - week
      const found = db
        .select({
          bytes: sql<number | null>`sum(${points.readBytes})`,
          firstMs: sql<number | null>`min(${points.createdMs})`,
        })
        .from(points)
        .where(and(eq(points.vmId, vmId), eq(points.mode, 'incremental'), gte(points.createdMs, since)))
        .get()
      if (!found || found.bytes === null || found.firstMs === null) return null
      const days = Math.max(1, (now() - found.firstMs) / 86_400_000)
      return Math.round(found.bytes / days)
    },
  }
}
