import { randomUUID } from 'node:crypto'
import { and, asc, count, eq, isNull, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { afterCursor, everyRow, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { endpoints } from './schema.ts'
import { ensureSite } from './sites.ts'
import { uniqueSlug } from './slug.ts'
import type { Platform, ProbeRecord } from './types.ts'

export type EndpointRow = typeof endpoints.$inferSelect
export interface EndpointView extends EndpointRow {
  readonly vms: number
}

export interface NewEndpoint {
  readonly name: string
  readonly platform: Platform
  readonly address: string
  readonly site: string
  readonly credentialRef: string
  readonly options: { readonly [name: string]: string | number | boolean }
}

export interface EndpointMove {
  readonly address?: string | undefined
  readonly site?: string | undefined
  readonly credentialRef?: string | undefined
}

export interface EndpointQueries {
  /** Throws NameTaken. `options.scope` becomes a UUID for platforms that state none (rulings 6). */
  add(endpoint: NewEndpoint): EndpointView
  find(id: string): EndpointView | undefined
  /** Throws NotFound. */
  get(id: string): EndpointView
  list(page: PageRequest): Page<EndpointView>
  /** Every one, by name. */
  all(): Generator<EndpointView>
  /** Those of a site, by name. */
  ofSite(site: string): EndpointView[]
  /** Every site that some endpoint names. */
  sites(): string[]
  /** Where it is, or how it is reached, has changed; its VMs stay its VMs. Throws NotFound. */
  move(id: string, to: EndpointMove): EndpointView
  recordProbe(id: string, probe: ProbeRecord): void
}

export function endpointQueries(context: CatalogContext): EndpointQueries {
  const { db, now, publish } = context
  const vmCount =
    sql<number>`(SELECT count(*) FROM vms WHERE vms.endpoint_id = endpoints.id AND vms.gone_ms IS NULL)`.as('vm_count')
  const select = () => db.select({ row: endpoints, vms: vmCount }).from(endpoints)
  const view = (found: { row: EndpointRow; vms: number }): EndpointView => ({ ...found.row, vms: found.vms })
  const find = (id: string): EndpointView | undefined => {
    const found = select().where(eq(endpoints.id, id)).get()
    return found && view(found)
  }
  const get = (id: string): EndpointView => {
    const found = find(id)
    if (!found) throw new HoldfastError('NotFound', `there is no hypervisor ${id}`)
    return found
  }
  const list = (page: PageRequest): Page<EndpointView> => {
    const rows = select()
      .where(afterCursor([sql`${endpoints.name}`, sql`${endpoints.id}`], 'asc', page))
      .orderBy(asc(endpoints.name), asc(endpoints.id))
      .limit(rowsFor(page))
      .all()
    const total = db.select({ n: count() }).from(endpoints).get()?.n ?? 0
    return toPage(rows, page, total, ({ row }) => [row.name, row.id], view)
  }
  return {
    find,
    get,
    add(endpoint) {
      return inTransaction(context, () => {
        if (db.select().from(endpoints).where(eq(endpoints.name, endpoint.name)).get()) {
          throw new HoldfastError('NameTaken', `there is a hypervisor named ${endpoint.name} already`)
        }
        const id = uniqueSlug(endpoint.name, (slug) => find(slug) !== undefined)
        const needsScope = endpoint.platform === 'qemu' || endpoint.platform === 'image'
        const options =
          needsScope && endpoint.options.scope === undefined
            ? { ...endpoint.options, scope: randomUUID() }
            : endpoint.options
        db.insert(endpoints)
          .values({ ...endpoint, id, options, createdMs: now() })
          .run()
        ensureSite(context, endpoint.site)
        publish('hypervisor', id)
        return get(id)
      })
    },
    all: () => everyRow(list),
    list,
    ofSite: (site) => select().where(eq(endpoints.site, site)).orderBy(asc(endpoints.name)).all().map(view),
    sites() {
      return db
        .selectDistinct({ site: endpoints.site })
        .from(endpoints)
        .orderBy(asc(endpoints.site))
        .all()
        .map((row) => row.site)
    },
    move(id, to) {
      return inTransaction(context, () => {
        get(id)
        const set = Object.fromEntries(Object.entries(to).filter(([, value]) => value !== undefined))
        if (Object.keys(set).length > 0) {
          // What was found there before says nothing about the new place.
          db.update(endpoints)
            .set({ ...set, probe: null, identity: null })
            .where(eq(endpoints.id, id))
            .run()
          if (to.site !== undefined) ensureSite(context, to.site)
          publish('hypervisor', id)
        }
        return get(id)
      })
    },
    recordProbe(id, probe) {
      inTransaction(context, () => {
        db.update(endpoints).set({ probe }).where(eq(endpoints.id, id)).run()
        if (probe.identity !== null && probe.error === null) {
          db.update(endpoints)
            .set({ identity: probe.identity })
            .where(and(eq(endpoints.id, id), isNull(endpoints.identity)))
            .run()
        }
        publish('hypervisor', id)
      })
    },
  }
}
