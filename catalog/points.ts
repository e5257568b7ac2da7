import { and, count, desc, eq, gt, gte, isNotNull, isNull, lt, lte, sql, type SQL } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { isUnexpectedFull } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { changeCopy, pointsWith } from './copy-state.ts'
import { given, lazy } from './lazy.ts'
import { copies, points, repositories, vms } from './schema.ts'
import { tally } from './tallies.ts'
import type { AtRest, Consistency, Json, PointDisk, pointOrigins, Verdict } from './types.ts'

export type PointRow = typeof points.$inferSelect
export interface ProofNote {
  readonly drillId: string
  readonly verdict: Verdict
  readonly endedMs: number
  readonly rtoSeconds: number | null
}
/** What changed before it, as far as a list says it. */
export interface ChangeNote {
  readonly score: number
  readonly isSuspicious: boolean
  /** What a person made of it; null: nobody has looked, or nothing was flagged. */
  readonly review: 'expected' | 'attack' | null
  readonly isCompared: boolean
  /** There was nothing to compare with. */
  readonly isFirst: boolean
}
/** What the newest look of retention at its repository has found. */
export interface KeptNote {
  /** Every rule that keeps it, in words; empty: it goes with that sweep. */
  readonly by: readonly string[]
  /** When that was found; Unix ms. */
  readonly ms: number
}
export interface PointView extends PointRow {
  readonly vmName: string
  readonly repositoryName: string
  /** Its last drill. */
  readonly proof: ProofNote | null
  /** null: nobody has measured it. */
  readonly change: ChangeNote | null
  /** null: no sweep has looked at it yet. */
  readonly kept: KeptNote | null
}

export interface NewPoint {
  /** 32 hex digits. */
  readonly id: string
  readonly stem: string
  readonly vmId: string
  readonly repositoryId: string
  /** From where this repository has it; absent or null: from the hypervisor. */
  readonly sourceId?: string | null
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
  /** null or absent: the VM ran, or nobody knows. */
  readonly atRest?: AtRest | null
  readonly disks: readonly PointDisk[]
  /** Random chunks read back after the commit; 0: none. */
  readonly spotCheckedChunks: number
  readonly manifestBytes: number | null
  /** Until when the store keeps it; 0: not locked; absent: not known. */
  readonly lockUntilMs?: number | undefined
  /** Change references that only the commit could name, as JSON. */
  readonly refs: readonly Json[]
  readonly workflowId: string | null
  readonly runId: string | null
}

export interface PointFilter {
  readonly vmId?: string | undefined
  readonly repositoryId?: string | undefined
  readonly proven?: Verdict | 'never' | undefined
  /** Only those in which damage was found, and whose VM has no whole point that was made after it was found. */
  readonly damaged?: true | undefined
  /** Only those whose change was flagged, and that nobody has called expected. */
  readonly suspicious?: true | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

export interface PointQueries {
  /** Idempotent by id: recording a point again changes nothing. */
  record(point: NewPoint): void
  /*
   * What follows is known of the copy in one repository: that which is named, else the one that the row of the point names.
   * The row then says what holds for the best of its copies.
   */
  /** Kept if it says at least as much as the one known; never of a damaged copy. `chunks`: read back, for a spot check. */
  recordVerification(
    id: string,
    seen: { readonly level: Verification; readonly ms: number; readonly chunks: number | null },
    repositoryId?: string,
  ): void
  /**
   * The copy was read and is damaged: its validation is taken back, so that nothing that asks for a validated point
   * (posture, restores, drills) finds it, until `recordMended`; an unknown point is none to take back.
   */
  recordDamage(id: string, seen: { readonly ms: number; readonly damage: string }, repositoryId?: string): void
  /**
   * A damaged copy of which every chunk was opened since and is sound: what it needs was stored again. It is validated from
   * then on. Whether it was a damaged one.
   */
  recordMended(id: string, ms: number, repositoryId?: string): boolean
  /**
   * The repository no longer has it: what asks for a validated point does not find it any more, lists leave it out. Not for
   * good: `recordFound` takes it back.
   */
  recordGone(id: string, ms: number, repositoryId?: string): void
  /** A copy that was gone is there again. */
  recordFound(id: string, validatedMs: number, repositoryId?: string): void
  /** Ids of the damaged points of a VM in a repository, newest first, at most a hundred. */
  damaged(vmId: string, repositoryId: string): readonly string[]
  find(id: string): PointView | undefined
  /** Throws NotFound. */
  get(id: string): PointView
  newestValidated(vmId: string): PointView | undefined
  /** Whether it ever had a point that nobody removed on purpose: one that is gone or damaged counts. */
  hadAny(vmId: string): boolean
  /** Points of a VM that are not gone. */
  countOf(vmId: string): number
  /** Whether a recovery point is dated after the one moment and not after the other. */
  hasDatedWithin(afterMs: number, untilMs: number): boolean
  /** Instant of its oldest recovery point; null: it has none. */
  firstValidatedMs(vmId: string): number | null
  list(page: PageRequest, filter?: PointFilter): Page<PointView>
  /** Newest points of VMs, not older than that moment, of which a disk was read in full unexpectedly; newest first. */
  unexpectedFulls(sinceMs: number, limit: number): PointView[]
  countAll(): number
  /** Mean of what the incremental points of the last seven days read, per day; null without any. */
  changedPerDay(vmId: string): number | null
}

/** From weakest to strongest. */
const verifications = ['validated', 'spot-checked', 'quick', 'data', 'full'] as const
export type Verification = (typeof verifications)[number]

const week = 7 * 86_400_000
const revoked = { validatedMs: null, verifyLevel: null, verifiedMs: null, verifyChunks: null }

export function pointQueries(context: CatalogContext): PointQueries {
  const { db, now, publish } = context
  const proof = sql<
    string | null
  >`(SELECT json_object('drillId', d.id, 'verdict', d.verdict, 'endedMs', d.ended_ms, 'rtoSeconds', d.rto_seconds)
    FROM drills d WHERE d.point_id = points.id ORDER BY d.ended_ms DESC LIMIT 1)`.as('proof')
  const change = sql<
    string | null
  >`(SELECT json_object('score', c.score, 'isSuspicious', json(iif(c.is_suspicious, 'true', 'false')),
      'review', json_extract(c.review, '$.verdict'), 'isCompared', json(iif(c.figures IS NULL, 'false', 'true')),
      'isFirst', json(iif(c.figures IS NULL AND c.problem IS NULL, 'true', 'false')))
    FROM point_changes c WHERE c.point_id = points.id)`.as('change')
  const kept = sql<
    string | null
  >`(SELECT json_object('by', iif(k.why IS NULL, json(k.kept_by), json_array(k.why)), 'ms', s.planned_ms)
    FROM (SELECT run_id, planned_ms FROM sweeps WHERE repository_id = points.repository_id
      ORDER BY planned_ms DESC LIMIT 1) s
    JOIN sweep_points k ON k.run_id = s.run_id AND k.stem = points.stem)`.as('kept')
  const select = () =>
    db
      .select({ row: points, vmName: vms.name, repositoryName: repositories.name, proof, change, kept })
      .from(points)
      .innerJoin(vms, eq(vms.id, points.vmId))
      .innerJoin(repositories, eq(repositories.id, points.repositoryId))
  const view = (found: {
    row: PointRow
    vmName: string
    repositoryName: string
    proof: string | null
    change: string | null
    kept: string | null
  }): PointView => ({
    ...found.row,
    vmName: found.vmName,
    repositoryName: found.repositoryName,
    proof: found.proof === null ? null : (JSON.parse(found.proof) as ProofNote),
    change: found.change === null ? null : (JSON.parse(found.change) as ChangeNote),
    kept: found.kept === null ? null : (JSON.parse(found.kept) as KeptNote),
  })
  const find = (id: string): PointView | undefined => {
    const found = select().where(eq(points.id, id)).get()
    return found && view(found)
  }
  const get = (id: string): PointView => {
    const found = find(id)
    if (!found) throw new HoldfastError('NotFound', `there is no recovery point ${id}`)
    return found
  }
  const newest = lazy(() =>
    select()
      .where(
        sql`${points.id} = (SELECT p.id FROM points p WHERE p.vm_id = ${given('vmId')} AND p.validated_ms IS NOT NULL
          ORDER BY p.created_ms DESC, p.id LIMIT 1)`,
      )
      .prepare(),
  )
  const unexpected = lazy(() =>
    select()
      .where(
        sql`${points.unexpectedFull} IS NOT NULL AND ${points.createdMs} >= ${given('sinceMs')} AND ${points.goneMs} IS NULL
          AND NOT EXISTS (SELECT 1 FROM points l WHERE l.vm_id = points.vm_id AND l.created_ms > points.created_ms)`,
      )
      .orderBy(desc(points.createdMs))
      .limit(sql.placeholder('limit'))
      .prepare(),
  )
  // Each of the two reads an index alone.
  const counting = lazy(() =>
    context.sqlite.prepare<[string, string], { n: number }>(
      `SELECT (SELECT count(*) FROM points INDEXED BY points_by_vm WHERE vm_id = +?)
        - (SELECT count(*) FROM points INDEXED BY points_gone_of WHERE vm_id = +? AND gone_ms IS NOT NULL) AS n`,
    ),
  )
  const changed = lazy(() =>
    context.sqlite.prepare<[string, number], { bytes: number | null; firstMs: number | null }>(
      `SELECT sum(read_bytes) AS bytes, min(created_ms) AS firstMs FROM points INDEXED BY points_changed
        WHERE vm_id = +? AND mode = 'incremental' AND created_ms >= +?`,
    ),
  )
  const copyOf = (id: string, repositoryId: string) =>
    db
      .select()
      .from(copies)
      .where(and(eq(copies.pointId, id), eq(copies.repositoryId, repositoryId)))
      .get()
  return {
    find,
    unexpectedFulls: (sinceMs, limit) => unexpected().all({ sinceMs, limit }).map(view),
    record(point) {
      inTransaction(context, () => {
        const { disks, spotCheckedChunks, lockUntilMs, sourceId = null, ...rest } = point
        const sum = (pick: (disk: PointDisk) => number): number => disks.reduce((total, disk) => total + pick(disk), 0)
        const modes = new Set(disks.map((disk) => disk.mode))
        const newBytes = sum((disk) => disk.newBytes)
        const checked = {
          verifyLevel: point.validatedMs === null ? null : spotCheckedChunks > 0 ? 'spot-checked' : 'validated',
          verifiedMs: point.validatedMs,
          verifyChunks: spotCheckedChunks > 0 ? spotCheckedChunks : null,
        } as const
        const done = db
          .insert(points)
          .values({
            ...rest,
            ...checked,
            disks,
            unexpectedFull: disks.find(({ mode, why }) => isUnexpectedFull(mode, why))?.why ?? null,
            mode: modes.size > 1 ? 'mixed' : modes.has('incremental') ? 'incremental' : 'full',
            logicalBytes: sum((disk) => disk.size),
            readBytes: sum((disk) => disk.readBytes),
            newBytes,
          })
          .onConflictDoNothing({ target: points.id })
          .run()
        if (done.changes === 0) return
        const { id: pointId, repositoryId, vmId, createdMs, stem, validatedMs, runId } = point
        const of = { pointId, repositoryId, vmId, createdMs } as const
        const place = { ...of, stem, validatedMs, wantedMs: createdMs, lockUntilMs, runId } as const
        const first = { sourceId, state: 'done', storedBytes: newBytes, attempts: 1, byHand: false } as const
        db.insert(copies)
          .values({ ...place, ...first, ...checked })
          .run()
        if (validatedMs !== null)
          for (const { disk } of disks.filter(({ mode }) => mode === 'full'))
            db.run(sql`INSERT INTO last_fulls VALUES (${vmId}, ${repositoryId}, ${disk}, ${createdMs})
              ON CONFLICT DO UPDATE SET created_ms = max(created_ms, excluded.created_ms)`)
        publish('point', pointId)
      })
    },
    recordVerification(id, { level, ms, chunks }, repositoryId) {
      inTransaction(context, () => {
        const known = copyOf(id, repositoryId ?? get(id).repositoryId)
        if (!known) throw new HoldfastError('NotFound', `there is no recovery point ${id}`)
        if (known.damagedMs !== null) return
        if (known.verifyLevel && verifications.indexOf(level) < verifications.indexOf(known.verifyLevel)) return
        changeCopy(context, id, known.repositoryId, { verifyLevel: level, verifiedMs: ms, verifyChunks: chunks })
      })
    },
    recordDamage(id, { ms, damage }, repositoryId) {
      inTransaction(context, () => {
        changeCopy(context, id, repositoryId, { ...revoked, damagedMs: ms, damage }, isNull(copies.damagedMs))
      })
    },
    recordMended(id, ms, repositoryId) {
      return inTransaction(context, () => {
        const verified = { verifyLevel: 'validated', verifiedMs: ms } as const
        const whole = { ...verified, validatedMs: ms, damagedMs: null, damage: null }
        return changeCopy(context, id, repositoryId, whole, and(isNotNull(copies.damagedMs), isNull(copies.goneMs)))
      })
    },
    recordGone(id, ms, repositoryId) {
      inTransaction(context, () => {
        changeCopy(context, id, repositoryId, { ...revoked, goneMs: ms }, isNull(copies.goneMs))
      })
    },
    recordFound(id, validatedMs, repositoryId) {
      inTransaction(context, () => {
        const back = { validatedMs, verifyLevel: 'validated', verifiedMs: validatedMs, goneMs: null } as const
        changeCopy(context, id, repositoryId, back, and(isNotNull(copies.goneMs), isNull(copies.damagedMs)))
      })
    },
    damaged(vmId, repositoryId) {
      const found = db
        .select({ id: points.id })
        .from(points)
        .where(and(eq(points.vmId, vmId), pointsWith(context, repositoryId, isNotNull(copies.damagedMs))))
        .orderBy(desc(points.createdMs))
        .limit(100)
        .all()
      return found.map(({ id }) => id)
    },
    get,
    newestValidated(vmId) {
      const found = newest().get({ vmId })
      return found && view(found)
    },
    hadAny: (vmId) =>
      db.select({ id: points.id }).from(points).where(eq(points.vmId, vmId)).limit(1).get() !== undefined,
    countOf: (vmId) => counting().get(vmId, vmId)?.n ?? 0,
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
        filter.repositoryId === undefined ? undefined : pointsWith(context, filter.repositoryId, undefined),
        filter.sinceMs === undefined ? undefined : gte(points.createdMs, filter.sinceMs),
        filter.untilMs === undefined ? undefined : lt(points.createdMs, filter.untilMs),
        filter.damaged &&
          sql`${points.damagedMs} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM points n WHERE n.vm_id = points.vm_id
            AND n.validated_ms IS NOT NULL AND n.created_ms > points.damaged_ms)`,
        filter.suspicious &&
          sql`EXISTS (SELECT 1 FROM point_changes c WHERE c.point_id = points.id AND c.is_suspicious = 1
            AND coalesce(json_extract(c.review, '$.verdict'), '') <> 'expected')`,
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
      const counted = (): number =>
        db
          .select({ n: count() })
          .from(points)
          .where(and(...where))
          .get()?.n ?? 0
      const isWhole = Object.values(filter).every((value) => value === undefined)
      const total = isWhole ? tally(context, 'points') : counted()
      return toPage(rows, page, total, ({ row }) => [row.createdMs, row.id], view)
    },
    countAll: () => tally(context, 'points'),
    changedPerDay(vmId) {
      const since = now() - week
      const found = changed().get(vmId, since)
      if (!found || found.bytes === null || found.firstMs === null) return null
      const days = Math.max(1, (now() - found.firstMs) / 86_400_000)
      return Math.round(found.bytes / days)
    },
  }
}
