import { and, count, desc, eq, gte, lt, sql } from 'drizzle-orm'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { audit, points, vms } from './schema.ts'
import type { AuditAction } from './types.ts'

export type AuditRow = typeof audit.$inferSelect
export interface AuditView extends AuditRow {
  /** Null: there was none, or the catalog no longer knows it. */
  readonly pointCreatedMs: number | null
}
export type NewAudit = Omit<AuditRow, 'seq' | 'ms' | 'vmName'>

export interface AuditFilter {
  readonly vmId?: string | undefined
  readonly pointId?: string | undefined
  readonly user?: string | undefined
  readonly action?: AuditAction | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

export interface AuditQueries {
  /** Before what it tells of is done: what cannot be written down is not done. */
  add(row: NewAudit): void
  /** Newest first. */
  list(page: PageRequest, filter?: AuditFilter): Page<AuditView>
}

export function auditQueries(context: CatalogContext): AuditQueries {
  const { db, now, publish } = context
  return {
    add(row) {
      inTransaction(context, () => {
        const { vmId } = row
        const vm = vmId === null ? undefined : db.select({ name: vms.name }).from(vms).where(eq(vms.id, vmId)).get()
        db.insert(audit)
          .values({ ...row, ms: now(), vmName: vm?.name ?? null })
          .run()
        publish('audit', vmId)
      })
    },
    list(page, { vmId, pointId, user, action, sinceMs, untilMs } = {}) {
      const where = [
        vmId === undefined ? undefined : eq(audit.vmId, vmId),
        pointId === undefined ? undefined : eq(audit.pointId, pointId),
        user === undefined ? undefined : eq(audit.user, user),
        action === undefined ? undefined : eq(audit.action, action),
        sinceMs === undefined ? undefined : gte(audit.ms, sinceMs),
        untilMs === undefined ? undefined : lt(audit.ms, untilMs),
      ]
      const rows = db
        .select({ row: audit, pointCreatedMs: points.createdMs })
        .from(audit)
        .leftJoin(points, eq(points.id, audit.pointId))
        .where(and(...where, afterCursor([sql`${audit.ms}`, sql`${audit.seq}`], 'desc', page)))
        .orderBy(desc(audit.ms), desc(audit.seq))
        .limit(rowsFor(page))
        .all()
      const total =
        db
          .select({ n: count() })
          .from(audit)
          .where(and(...where))
          .get()?.n ?? 0
      const view = ({ row, pointCreatedMs }: (typeof rows)[number]): AuditView => ({ ...row, pointCreatedMs })
      return toPage(rows, page, total, ({ row }) => [row.ms, row.seq], view)
    },
  }
}
