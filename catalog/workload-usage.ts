import { and, count, eq, gte, lte, max, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'

const workloadUsage = sqliteTable('workload_usage', {
  repositoryId: text('repository_id').notNull(),
  vmId: text('vm_id').notNull(),
  month: text('month').notNull(),
  days: integer('days').notNull(),
  points: integer('points').notNull(),
  logicalBytes: integer('logical_bytes').notNull(),
  storedBytes: integer('stored_bytes').notNull(),
  sumStoredBytes: integer('sum_stored_bytes').notNull(),
  mostStoredBytes: integer('most_stored_bytes').notNull(),
  lookedMs: integer('looked_ms').notNull(),
})

type UsageRow = typeof workloadUsage.$inferSelect

/** Years of four digits sort as text. */
const latestMs = Date.UTC(9999, 11, 31)

/** What a VM had in a repository in one month, by a look a day. Bytes. */
export interface WorkloadUsage extends Omit<UsageRow, 'sumStoredBytes'> {
  /** Mean over the days it was looked at: what is charged for. */
  readonly meanStoredBytes: number
}

export interface WorkloadUsageQueries {
  /** Looks at what every VM has in this repository; no more than once on a day (UTC). True: it was looked. */
  look(repositoryId: string): boolean
  /** Months that have a day in [since, until), oldest first, by VM. */
  list(
    repositoryId: string,
    page: PageRequest,
    wish: { readonly sinceMs: number; readonly untilMs: number },
  ): Page<WorkloadUsage>
}

export function workloadUsageQueries(context: CatalogContext): WorkloadUsageQueries {
  const { db, now } = context
  const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const lookedMs = (repositoryId: string): number | null =>
    db
      .select({ ms: max(workloadUsage.lookedMs) })
      .from(workloadUsage)
      .where(eq(workloadUsage.repositoryId, repositoryId))
      .get()?.ms ?? null
  return {
    look: (repositoryId) =>
      inTransaction(context, () => {
        const nowMs = now()
        const lastMs = lookedMs(repositoryId)
        // A clock that was set back looks on when it has caught up: no day counts twice.
        if (lastMs !== null && dayOf(nowMs) <= dayOf(lastMs)) return false
        db.run(sql`
          INSERT INTO workload_usage (repository_id, vm_id, month, days, points, logical_bytes, stored_bytes,
            sum_stored_bytes, most_stored_bytes, looked_ms)
          SELECT h.repository_id, h.vm_id, ${dayOf(nowMs).slice(0, 7)}, 1, h.points,
            coalesce((SELECT p.logical_bytes FROM copies c JOIN points p ON p.id = c.point_id
              WHERE c.repository_id = h.repository_id AND c.vm_id = h.vm_id AND c.state = 'done' AND c.gone_ms IS NULL
              ORDER BY c.created_ms DESC LIMIT 1), 0),
            h.stored_bytes, h.stored_bytes, h.stored_bytes, ${nowMs}
          FROM (SELECT repository_id, vm_id, sum(points) AS points, sum(stored_bytes) AS stored_bytes FROM held
            WHERE repository_id = ${repositoryId} GROUP BY vm_id) h
          WHERE h.points > 0
          ON CONFLICT (repository_id, month, vm_id) DO UPDATE SET
            days = days + 1, points = excluded.points, logical_bytes = excluded.logical_bytes,
            stored_bytes = excluded.stored_bytes, sum_stored_bytes = sum_stored_bytes + excluded.stored_bytes,
            most_stored_bytes = max(most_stored_bytes, excluded.stored_bytes), looked_ms = excluded.looked_ms`)
        return true
      }),
    list(repositoryId, page, { sinceMs, untilMs }) {
      const which = and(
        eq(workloadUsage.repositoryId, repositoryId),
        gte(workloadUsage.month, dayOf(sinceMs).slice(0, 7)),
        lte(workloadUsage.month, dayOf(Math.min(untilMs, latestMs) - 1).slice(0, 7)),
      )
      const key = [workloadUsage.month, workloadUsage.vmId] as const
      const after = afterCursor(
        key.map((column) => sql`${column}`),
        'asc',
        page,
      )
      const rows = db
        .select()
        .from(workloadUsage)
        .where(and(which, after))
        .orderBy(...key)
        .limit(rowsFor(page))
        .all()
      const total = db.select({ n: count() }).from(workloadUsage).where(which).get()?.n ?? 0
      const view = ({ sumStoredBytes, ...row }: UsageRow): WorkloadUsage => ({
        ...row,
        meanStoredBytes: Math.round(sumStoredBytes / row.days),
      })
      return toPage(rows, page, total, ({ month, vmId }) => [month, vmId], view)
    },
  }
}
