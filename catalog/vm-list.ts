import { sql, type SQL } from 'drizzle-orm'
import type { CatalogContext } from './context.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { postureFacts, rankOf } from './posture.ts'
import type { PostureState } from './types.ts'

export interface VmFilter {
  /** Part of the name or a tag, case ignored. */
  readonly q?: string | undefined
  readonly tag?: string | undefined
  readonly state?: PostureState | 'outside-rpo' | 'running' | undefined
  readonly endpointId?: string | undefined
  readonly site?: string | undefined
  readonly showGone?: boolean | undefined
}

/** Ids of VMs, most urgent first, then by name: sorting, filtering and paging happen in the database. */
export function listVmIds({ db, steadyNow }: CatalogContext, page: PageRequest, filter: VmFilter): Page<string> {
  const where = sql.join([sql`1`, ...conditions(filter)], sql` AND `)
  const facts = postureFacts(steadyNow())
  const after = afterCursor([sql`rank`, sql`name`, sql`id`], 'asc', page) ?? sql`1`
  const rows = db.all<{ id: string; name: string; rank: number }>(
    sql`${facts} SELECT id, name, rank FROM ranked WHERE ${where} AND ${after} ORDER BY rank, name, id LIMIT ${rowsFor(page)}`,
  )
  // Postures are asked for once more only where they decide who is in the list.
  const from = filter.state === undefined ? sql`FROM vms` : sql`FROM ranked`
  const count = sql`SELECT count(*) AS n ${from} WHERE ${where}`
  const total = db.get<{ n: number }>(filter.state === undefined ? count : sql`${facts} ${count}`).n
  return toPage(
    rows,
    page,
    total,
    (row) => [row.rank, row.name, row.id],
    (row) => row.id,
  )
}

function conditions(filter: VmFilter): SQL[] {
  const out: SQL[] = []
  if (!filter.showGone) out.push(sql`gone_ms IS NULL`)
  if (filter.endpointId !== undefined) out.push(sql`endpoint_id = ${filter.endpointId}`)
  if (filter.site !== undefined)
    out.push(sql`endpoint_id IN (SELECT e.id FROM endpoints e WHERE e.site = ${filter.site})`)
  if (filter.tag !== undefined) out.push(sql`EXISTS (SELECT 1 FROM json_each(tags) t WHERE t.value = ${filter.tag})`)
  if (filter.q !== undefined && filter.q !== '') {
    const part = filter.q.toLowerCase()
    out.push(
      sql`(instr(lower(name), ${part}) > 0 OR EXISTS (SELECT 1 FROM json_each(tags) t WHERE instr(lower(t.value), ${part}) > 0))`,
    )
  }
  if (filter.state === 'running') out.push(sql`any_running`)
  else if (filter.state === 'outside-rpo') out.push(sql`rank <= ${rankOf('unprotected')}`)
  else if (filter.state !== undefined) out.push(sql`rank = ${rankOf(filter.state)}`)
  return out
}
