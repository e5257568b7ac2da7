import { and, count, desc, eq, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { titleKey, type DrillFacts } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { whileUnchanged } from './while-unchanged.ts'
import { promisedByAll, promisedMs, promises } from './posture.ts'
import { drills, points, vms } from './schema.ts'
import type { Verdict } from './types.ts'

export type DrillRow = typeof drills.$inferSelect
export interface DrillView extends DrillRow {
  readonly vmName: string
  /** What is promised to the VM now; null: nothing. */
  readonly rtoMs: number | null
  /** Null where the point is no longer known. */
  readonly pointCreatedMs: number | null
}
export type NewDrill = Omit<DrillRow, 'id' | 'bootedFrom'> & Partial<Pick<DrillRow, 'bootedFrom'>>

/** What the cadence of drills follows from, of a VM to which drills are promised. */
export interface DrillCandidate extends DrillFacts {
  readonly vmId: string
  readonly vmName: string
  readonly category: string
  readonly endpointId: string
  readonly lastVerdict: Verdict | null
  readonly isRunning: boolean
  /** Whether anything is asked of its guest, by itself or by its category: without a check no drill passes. */
  readonly hasChecks: boolean
}

/** Drills that passed, in which an earlier count is looked for: one may have asked something else. */
const lookedBack = 50

export interface DrillQueries {
  /** Every VM that is there, not left out, and is promised drills; without order. */
  candidates(): DrillCandidate[]
  /** Idempotent by workflow id (`drill/<vm>/<time>` becomes `<vm>.<time>`): a verdict never changes afterwards. */
  record(drill: NewDrill): string
  find(id: string): DrillView | undefined
  /** Throws NotFound. */
  get(id: string): DrillView
  latest(vmId: string): DrillView | undefined
  /** What was counted last in a drill that passed, by the key of the title. */
  countedLast(vmId: string): ReadonlyMap<string, number>
  list(
    page: PageRequest,
    filter?: {
      readonly vmId?: string | undefined
      readonly pointId?: string | undefined
      readonly verdict?: Verdict | undefined
    },
  ): Page<DrillView>
}

/** `drill/web-01/20261121t073352` → `web-01.20261121t073352`. */
export function drillIdOf(workflowId: string): string {
  return workflowId.replace(/^drill\//, '').replaceAll('/', '.')
}

export function drillQueries(context: CatalogContext): DrillQueries {
  const { db, publish } = context
  const promisedRto = sql<number | null>`${promisedMs('rtoMs', 'vms')}`.as('promised_rto')
  const select = () =>
    db
      .select({ row: drills, vmName: vms.name, rtoMs: promisedRto, pointCreatedMs: points.createdMs })
      .from(drills)
      .innerJoin(vms, eq(vms.id, drills.vmId))
      .leftJoin(points, eq(points.id, drills.pointId))
  type Found = { row: DrillRow; vmName: string; rtoMs: number | null; pointCreatedMs: number | null }
  const view = ({ row, ...rest }: Found): DrillView => ({ ...row, ...rest })
  const find = (id: string): DrillView | undefined => {
    const found = select().where(eq(drills.id, id)).get()
    return found && view(found)
  }
  const latest = lazy(() =>
    select()
      .where(
        sql`${drills.id} = (SELECT d.id FROM drills d WHERE d.vm_id = ${given('vmId')} ORDER BY d.ended_ms DESC, d.id DESC LIMIT 1)`,
      )
      .prepare(),
  )
  return {
    find,
    candidates: whileUnchanged(context, () => {
      const rows = db.all<Omit<DrillCandidate, 'isRunning' | 'hasChecks'> & { running: number; checks: number }>(sql`
        WITH ${promises('drillEveryMs')},
          asking AS MATERIALIZED (SELECT name FROM categories WHERE json_array_length(spec, '$.drill.checks') > 0),
          busy AS MATERIALIZED (SELECT vm_id FROM runs WHERE (ended_ms IS NULL) = 1 AND kind = 'drill'),
          tried AS MATERIALIZED (SELECT vm_id, max(started_ms) AS tried_ms FROM runs WHERE kind = 'drill' GROUP BY 1),
          passed AS MATERIALIZED (SELECT vm_id, max(ended_ms) AS passed_ms FROM drills WHERE verdict = 'passed' GROUP BY 1)
        SELECT v.id AS "vmId", v.name AS "vmName", v.category, v.endpoint_id AS "endpointId",
          ${promisedByAll('drillEveryMs')} AS "everyMs", s.oldest_ms AS "firstPointMs", d.passed_ms AS "lastPassedMs",
          (SELECT d.verdict FROM drills d WHERE d.vm_id = v.id ORDER BY d.ended_ms DESC LIMIT 1) AS "lastVerdict",
          t.tried_ms AS "triedMs",
          iif(t.tried_ms IS NULL, 0, (SELECT count(*) FROM runs r WHERE r.vm_id = v.id AND r.kind = 'drill'
            AND r.started_ms > coalesce(d.passed_ms, 0))) AS tries,
          v.id IN (SELECT vm_id FROM busy) AS running,
          json_array_length(v.drill_checks) > 0 OR v.category IN (SELECT name FROM asking) AS checks
        FROM vms v LEFT JOIN promises c ON c.name = v.category LEFT JOIN spans s ON s.vm_id = v.id
          LEFT JOIN tried t ON t.vm_id = v.id LEFT JOIN passed d ON d.vm_id = v.id
        WHERE v.gone_ms IS NULL AND v.excluded_reason IS NULL AND "everyMs" IS NOT NULL`)
      return rows.map(({ running, checks, ...row }) => ({ ...row, isRunning: running === 1, hasChecks: checks > 0 }))
    }),
    record(drill) {
      return inTransaction(context, () => {
        const id = drillIdOf(drill.workflowId)
        if (
          db
            .insert(drills)
            .values({ ...drill, id })
            .onConflictDoNothing({ target: drills.id })
            .run().changes > 0
        ) {
          publish('drill', id)
          publish('point', drill.pointId)
        }
        return id
      })
    },
    get(id) {
      const found = find(id)
      if (!found) throw new HoldfastError('NotFound', `there is no drill ${id}`)
      return found
    },
    latest(vmId) {
      const found = latest().get({ vmId })
      return found && view(found)
    },
    countedLast(vmId) {
      const passed = db
        .select({ checks: drills.checks })
        .from(drills)
        .where(and(eq(drills.vmId, vmId), eq(drills.verdict, 'passed')))
        .orderBy(desc(drills.endedMs), desc(drills.id))
        .limit(lookedBack)
        .all()
      const counts = passed.flatMap(({ checks }) => checks.map(({ title, count: n }) => [titleKey(title), n] as const))
      // Newest first: what is put last stays.
      return new Map(counts.toReversed().flatMap(([key, n]) => (n === null ? [] : [[key, n]])))
    },
    list(page, filter = {}) {
      const where = [
        filter.vmId === undefined ? undefined : eq(drills.vmId, filter.vmId),
        filter.pointId === undefined ? undefined : eq(drills.pointId, filter.pointId),
        filter.verdict === undefined ? undefined : eq(drills.verdict, filter.verdict),
      ]
      const rows = select()
        .where(and(...where, afterCursor([sql`${drills.endedMs}`, sql`${drills.id}`], 'desc', page)))
        .orderBy(desc(drills.endedMs), desc(drills.id))
        .limit(rowsFor(page))
        .all()
      const total =
        db
          .select({ n: count() })
          .from(drills)
          .where(and(...where))
          .get()?.n ?? 0
      return toPage(rows, page, total, ({ row }) => [row.endedMs, row.id], view)
    },
  }
}
