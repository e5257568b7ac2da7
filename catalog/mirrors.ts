import { and, eq, sql, type SQL } from 'drizzle-orm'
import { copyRetryAfterMs, longestCopyWaitMs } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { whileUnchanged } from './while-unchanged.ts'
import { isPossible, isWanted, missingCopies, stands, wantBack, wantElsewhere } from './copy-needs.ts'
import { settle } from './copy-state.ts'
import { copies } from './schema.ts'

/** Two repositories, by id: points of the one are copied into the other. */
export interface MirrorPair {
  readonly sourceId: string
  readonly targetId: string
}

/** How far a repository is behind another one. */
export interface MirrorState extends MirrorPair {
  readonly sourceName: string
  readonly targetName: string
  readonly done: number
  /** Wanted and not there: waiting, in hand, failed, or vanished or damaged while another repository has the point whole. */
  readonly behind: number
  /** Of those: failed at the last try. */
  readonly failed: number
  /** When the oldest of those behind was validated at its source; null: none is behind. */
  readonly oldestMs: number | null
  /** The newest point that is there stands at this moment. */
  readonly newestMs: number | null
}

export interface PlanLag extends MirrorPair {
  /** Null: of points that no plan made. */
  readonly plan: string | null
  readonly targetName: string
  readonly behind: number
  readonly oldestMs: number
  /** The point that has waited since then. */
  readonly oldestId: string
}

/** `oldestMs`, `oldestId`: of the copies that failed. */
export type FailingMirror = Pick<
  MirrorState,
  'sourceId' | 'targetId' | 'sourceName' | 'targetName' | 'failed' | 'oldestMs'
> &
  Pick<PlanLag, 'oldestId'>

export interface WantedCopy {
  readonly pointId: string
  /** At the source. */
  readonly stem: string
  readonly vmName: string
  readonly createdMs: number
  readonly logicalBytes: number
  readonly byHand: boolean
  /** What lies there is damaged, as far as anybody knows. */
  readonly isDamaged?: boolean
}

/** What became of a copy. */
export interface CopyOutcome {
  readonly pointId: string
  /** there: before this run; removed: in the target, and left so. */
  readonly outcome: 'mirrored' | 'there' | 'removed' | 'failed'
  /** Its name there. */
  readonly stem: string
  readonly storedBytes: number
  /** Read back from the target. */
  readonly verifiedBytes: number
  readonly lockUntilMs: number | null
  readonly problem: string | null
}

export interface MirrorQueries {
  /**
   * This point is wanted in the target. By hand: also where the copy failed, is damaged or was removed. A damaged one stays
   * known as that until it was read as a whole.
   */
  want(pair: MirrorPair, pointId: string, byHand: boolean): void
  /**
   * What a person asks for: all points newer than the newest of their VM that stands there, and what failed, vanished or is
   * damaged there; `all`: the older ones too, but nothing that was removed there. How many are wanted now.
   */
  wantNewer(pair: MirrorPair, of: { readonly vmId: string | null; readonly all: boolean }): number
  /**
   * Damaged copies are wanted again, once, from a repository of their site that has the point whole; so is what was given up
   * because its source no longer has the point.
   */
  wantBack(): void
  /** Pairs with copies that are wanted by now, also those that are to be given up: see `take`. */
  due(nowMs: number): MirrorPair[]
  /** Whether the run has, or had as the last one, any copy between the two in hand. */
  wasInHand(pair: MirrorPair, runId: string): boolean
  /** Takes the oldest ones in hand, so that a chain arrives in its order. Again: what this run has in hand comes first. */
  take(pair: MirrorPair, runId: string, of: { readonly nowMs: number; readonly limit: number }): WantedCopy[]
  /** Only of copies that this run has in hand. */
  record(pair: MirrorPair, runId: string, outcomes: readonly CopyOutcome[], atMs: number): void
  /** What this run still has in hand is given back; with a problem it counts as an attempt. */
  release(pair: MirrorPair, runId: string, problem: string | null, atMs: number): void
  /** Every pair that copies were ever wanted for, by name. */
  states(): MirrorState[]
  /** Pairs of which a copy failed at its last try, by name. */
  failing(): FailingMirror[]
  /** Of each plan (also one that was deleted, and none) and mirror with something behind, the longest behind first; of one VM's points, or of all. */
  lags(vmId?: string): PlanLag[]
}

const chunk = 2 ** 20

export function mirrorQueries(context: CatalogContext): MirrorQueries {
  const { db, now, publish } = context
  const ofPair = ({ sourceId, targetId }: MirrorPair): SQL =>
    sql`c.source_id = ${sourceId} AND c.repository_id = ${targetId}`
  /** Of `copies c`: not waiting for its time, and in nobody's hand. One run at a time works on a pair. */
  const wanted = (nowMs: number, inHand: SQL): SQL => sql`${isWanted} AND (
    (c.state IN ('pending', 'failed') AND c.retry_ms IS NOT NULL
      AND (c.retry_ms <= ${nowMs} OR c.retry_ms > ${nowMs + longestCopyWaitMs}))
    OR (c.state = 'pending' AND c.retry_ms IS NULL) OR (c.state = 'in-progress' AND ${inHand}))`
  const mine = ({ sourceId, targetId }: MirrorPair, runId: string) =>
    and(
      eq(copies.sourceId, sourceId),
      eq(copies.repositoryId, targetId),
      eq(copies.state, 'in-progress'),
      eq(copies.runId, runId),
    )
  const announce = ({ sourceId, targetId }: MirrorPair): void => {
    publish('repository', sourceId)
    publish('repository', targetId)
  }
  return {
    want(pair, pointId, byHand) {
      const { sourceId, targetId } = pair
      inTransaction(context, () => {
        const done = db.run(sql`
          INSERT INTO copies (point_id, repository_id, vm_id, created_ms, source_id, state, wanted_ms, attempts, by_hand)
          SELECT p.id, ${targetId}, p.vm_id, p.created_ms, ${sourceId}, 'pending', ${now()}, 0, ${byHand ? 1 : 0} FROM points p WHERE p.id = ${pointId}
          ON CONFLICT (point_id, repository_id) DO UPDATE SET source_id = excluded.source_id, state = 'pending', by_hand = 1,
            stem = CASE WHEN copies.damaged_ms IS NOT NULL AND copies.gone_ms IS NULL THEN copies.stem END,
            validated_ms = NULL, gone_ms = NULL, removed_ms = NULL,
            verify_level = NULL, verified_ms = NULL, verify_chunks = NULL, retry_ms = NULL, problem = NULL, run_id = NULL
          WHERE excluded.by_hand = 1 AND copies.state <> 'in-progress'
            AND NOT (copies.state = 'done' AND copies.damaged_ms IS NULL AND copies.gone_ms IS NULL)`)
        if (done.changes === 0) return
        publish('point', pointId)
        announce(pair)
      })
    },
    wantNewer(pair, { vmId, all }) {
      const { sourceId, targetId } = pair
      return inTransaction(context, () => {
        db.run(sql`
          INSERT INTO copies (point_id, repository_id, vm_id, created_ms, source_id, state, wanted_ms, attempts, by_hand)
          SELECT p.id, ${targetId}, p.vm_id, p.created_ms, ${sourceId}, 'pending', ${now()}, 0, 0
          FROM copies s JOIN points p ON p.id = s.point_id
          WHERE s.repository_id = ${sourceId} AND s.state = 'done' AND s.validated_ms IS NOT NULL AND s.gone_ms IS NULL
            AND (${vmId} IS NULL OR p.vm_id = ${vmId})
            AND NOT EXISTS (SELECT 1 FROM copies t WHERE t.point_id = p.id AND t.repository_id = ${targetId})
            AND (${all ? 1 : 0} OR p.created_ms > coalesce((SELECT max(q.created_ms) FROM points q CROSS JOIN copies t
              WHERE q.vm_id = p.vm_id AND t.point_id = q.id AND t.repository_id = ${targetId}
                AND (t.state = 'removed' OR ${stands('t')})), -1))`)
        wantBack(context, { pair, vmId })
        db.run(sql`UPDATE copies AS c SET state = 'pending', retry_ms = NULL, run_id = NULL WHERE ${ofPair(pair)} AND ${isWanted} AND c.state <> 'in-progress'
          AND (${vmId} IS NULL OR EXISTS (SELECT 1 FROM points p WHERE p.id = c.point_id AND p.vm_id = ${vmId}))`)
        announce(pair)
        return db.get<{ n: number }>(
          sql`SELECT count(*) AS n FROM copies c WHERE ${ofPair(pair)} AND ${isWanted} AND c.state <> 'failed'`,
        ).n
      })
    },
    wantBack: () =>
      inTransaction(context, () => {
        wantBack(context, null)
        wantElsewhere(context)
      }),
    due: (nowMs) =>
      db.all<MirrorPair>(sql`
        SELECT DISTINCT c.source_id AS "sourceId", c.repository_id AS "targetId" FROM copies c WHERE c.source_id IS NOT NULL
          AND ${wanted(nowMs, sql`NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id = c.run_id AND r.ended_ms IS NULL)`)}
        ORDER BY 1, 2 LIMIT 1000`),
    wasInHand: (pair, runId) =>
      db.get<{ n: number }>(sql`SELECT count(*) AS n FROM copies c WHERE ${ofPair(pair)} AND c.run_id = ${runId}`).n >
      0,
    take(pair, runId, { nowMs, limit }) {
      return inTransaction(context, () => {
        // Nobody can copy what the source does not have any more; a person may name another source. What failed before is
        // given up as well: it would be due for ever, and never taken.
        db.run(sql`UPDATE copies AS c SET state = 'failed', retry_ms = NULL, problem = 'its source no longer has the point'
          WHERE ${ofPair(pair)} AND ${isWanted} AND (c.state IN ('pending', 'in-progress') OR (c.state = 'failed' AND c.retry_ms IS NOT NULL))
            AND NOT EXISTS (SELECT 1 FROM copies s
            WHERE s.point_id = c.point_id AND s.repository_id = ${pair.sourceId} AND s.state = 'done' AND s.gone_ms IS NULL)`)
        // Its last copy was removed while this one was made, which then did not arrive.
        db.run(sql`DELETE FROM points WHERE gone_ms IS NOT NULL AND EXISTS (SELECT 1 FROM copies c WHERE c.point_id = points.id AND ${ofPair(pair)})
          AND id IN (SELECT r.id FROM removed_points r) AND NOT EXISTS (
            SELECT 1 FROM copies o WHERE o.point_id = points.id AND o.state IN ('done', 'in-progress'))`)
        const next = db.all<
          Omit<WantedCopy, 'byHand' | 'isDamaged'> & { readonly byHand: number; readonly isDamaged: number }
        >(sql`
          SELECT c.point_id AS "pointId", s.stem, v.name AS "vmName", p.created_ms AS "createdMs",
            p.logical_bytes AS "logicalBytes", c.by_hand AS "byHand",
            c.damaged_ms IS NOT NULL AS "isDamaged"
          FROM copies c JOIN points p ON p.id = c.point_id JOIN vms v ON v.id = p.vm_id
            JOIN copies s ON s.point_id = c.point_id AND s.repository_id = c.source_id AND s.state = 'done'
          WHERE ${ofPair(pair)} AND ${wanted(nowMs, sql`1`)} AND (c.state = 'in-progress' OR c.run_id IS NOT ${runId})
          ORDER BY c.state = 'in-progress' DESC, p.created_ms, p.id LIMIT ${limit}`)
        for (const { pointId } of next) {
          db.update(copies)
            .set({ state: 'in-progress', runId })
            .where(and(eq(copies.pointId, pointId), eq(copies.repositoryId, pair.targetId)))
            .run()
          publish('point', pointId)
        }
        return next.map((one) => ({ ...one, byHand: one.byHand === 1, isDamaged: one.isDamaged === 1 }))
      })
    },
    record(pair, runId, outcomes, atMs) {
      inTransaction(context, () => {
        for (const { pointId, outcome, stem, storedBytes, verifiedBytes, lockUntilMs, problem } of outcomes) {
          const own = and(mine(pair, runId), eq(copies.pointId, pointId))
          const known = db.select().from(copies).where(own).get()
          if (known === undefined) continue
          const attempts = known.attempts + 1
          const chunks = Math.ceil(verifiedBytes / chunk)
          const there = {
            ...({ state: 'done', stem, validatedMs: atMs, verifiedMs: atMs, retryMs: null, problem: null } as const),
            ...{ damagedMs: null, damage: null },
            ...({
              verifyLevel: chunks > 0 ? 'spot-checked' : 'validated',
              verifyChunks: chunks > 0 ? chunks : null,
            } as const),
            // What an attempt that was cut off had stored is not counted twice, and not known.
            ...{ storedBytes: outcome === 'there' ? known.storedBytes : storedBytes, lockUntilMs },
          }
          const set =
            outcome === 'failed'
              ? ({ state: 'failed', problem, retryMs: atMs + copyRetryAfterMs(attempts) } as const)
              : outcome === 'removed'
                ? ({ state: 'removed', removedMs: atMs, retryMs: null, problem: 'it was removed there' } as const)
                : there
          db.update(copies)
            .set({ ...set, attempts })
            .where(own)
            .run()
          if (set.state === 'done') settle(context, pointId)
          else publish('point', pointId)
        }
        announce(pair)
      })
    },
    release(pair, runId, problem, atMs) {
      inTransaction(context, () => {
        for (const { pointId, attempts: before } of db.select().from(copies).where(mine(pair, runId)).all()) {
          const attempts = before + 1
          const failed = { state: 'failed', problem, attempts, retryMs: atMs + copyRetryAfterMs(attempts) } as const
          db.update(copies)
            .set(problem === null ? { state: 'pending', retryMs: null } : failed)
            .where(and(mine(pair, runId), eq(copies.pointId, pointId)))
            .run()
          publish('point', pointId)
        }
        announce(pair)
      })
    },
    states: whileUnchanged(context, () =>
      db.all<MirrorState>(sql`
        WITH there AS (
          SELECT h.source_id, h.repository_id, sum(h.whole) AS done, max(h.newest_whole_ms) AS newest_ms FROM held h
          WHERE h.source_id <> '' GROUP BY 1, 2
        ), lacking AS (
          SELECT c.source_id, c.repository_id, count(*) AS behind, sum(c.state = 'failed') AS failed, min(${behindSince}) AS oldest_ms
          FROM ${missingCopies} c JOIN points p ON p.id = c.point_id WHERE c.source_id IS NOT NULL GROUP BY 1, 2
        ), pairs AS (
          SELECT a.id AS source_id, b.id AS repository_id, a.name AS source, b.name AS target FROM repositories a CROSS JOIN repositories b
          WHERE EXISTS (SELECT 1 FROM copies c WHERE c.source_id = a.id AND c.repository_id = b.id)
        )
        SELECT p.source_id AS "sourceId", p.repository_id AS "targetId", p.source AS "sourceName", p.target AS "targetName",
          coalesce(t.done, 0) AS done, coalesce(l.behind, 0) AS behind, coalesce(l.failed, 0) AS failed,
          l.oldest_ms AS "oldestMs", t.newest_ms AS "newestMs"
        FROM pairs p LEFT JOIN there t ON t.source_id = p.source_id AND t.repository_id = p.repository_id
          LEFT JOIN lacking l ON l.source_id = p.source_id AND l.repository_id = p.repository_id
        ORDER BY 3, 4`),
    ),
    failing: () =>
      db.all(sql`
        SELECT c.source_id AS "sourceId", c.repository_id AS "targetId", a.name AS "sourceName", b.name AS "targetName",
          count(*) AS failed, min(${behindSince}) AS "oldestMs", p.id AS "oldestId"
        FROM copies c INDEXED BY copies_wanted JOIN points p ON p.id = c.point_id
          JOIN repositories a ON a.id = c.source_id JOIN repositories b ON b.id = c.repository_id
        WHERE ${isWanted} AND c.state = 'failed' AND ${isPossible} GROUP BY 1, 2 ORDER BY 3, 4`),
    lags: whileUnchanged(context, (vmId?: string) =>
      db.all<PlanLag>(sql`
        SELECT p.plan, c.source_id AS "sourceId", c.repository_id AS "targetId", b.name AS "targetName",
          count(*) AS behind, min(${behindSince}) AS "oldestMs", p.id AS "oldestId"
        FROM ${missingCopies} c JOIN points p ON p.id = c.point_id JOIN repositories b ON b.id = c.repository_id
        WHERE c.source_id IS NOT NULL AND ${vmId === undefined ? sql`1` : sql`c.vm_id = ${vmId}`}
        GROUP BY 1, 2, 3 ORDER BY 6, 1, 3`),
    ),
  }
}

/** From when on a point could have been copied: since its source has it, somebody wants the copy, or it was lost there. */
const behindSince = sql`max(c.wanted_ms, coalesce(p.validated_ms, p.created_ms), coalesce(c.damaged_ms, 0), coalesce(c.gone_ms, 0))`
