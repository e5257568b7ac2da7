import { asc, eq, inArray, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { sessions, sites, tokens } from './schema.ts'
import type { SiteMapRecord, SiteProxyRecord, SiteTestRecord } from './types.ts'

export type SiteRow = typeof sites.$inferSelect
export interface SiteChange {
  readonly description?: string | undefined
  readonly handsSecrets?: boolean | undefined
  readonly proxy?: SiteProxyRecord | null | undefined
}
export interface SiteView extends SiteRow {
  readonly hypervisors: number
  readonly repositories: number
  /** Runs under way of its VMs or repositories. */
  readonly running: number
}

export interface SiteQueries {
  /** By name; `mostSites` at most. */
  list(): SiteView[]
  find(name: string): SiteView | undefined
  /** Throws NotFound. */
  get(name: string): SiteView
  /** Makes it, or changes what is given. Throws InvalidRequest beyond `mostSites`. */
  put(name: string, change: SiteChange): SiteView
  /** What its names are at the site `map.to`, which takes the place of what was said before; nothing of either: no more. Throws NotFound, InvalidRequest. */
  putMap(name: string, map: SiteMapRecord): SiteView
  /** What names of the one become at the other; undefined: nobody said, or they are one. */
  mapBetween(from: string, to: string): SiteMapRecord | undefined
  /** Whether that is how a hypervisor or a repository of the site names its secret. */
  isSecret(name: string, credentialRef: string): boolean
  /** Throws NotFound, and InUse while a hypervisor or a repository is of it. */
  remove(name: string): void
  recordTest(name: string, test: SiteTestRecord): void
}

/** Each has a queue that is asked about whenever somebody looks at the whole. */
export const mostSites = 200

/** A site that a hypervisor or a repository names is there from then on. */
export function ensureSite({ db, now, publish }: CatalogContext, name: string): void {
  const made = db
    .insert(sites)
    .values({ name, description: '', createdMs: now(), handsSecrets: false, maps: [] })
    .onConflictDoNothing()
    .run()
  if (made.changes > 0) publish('workers', name)
}

export function siteQueries(context: CatalogContext): SiteQueries {
  const { db, publish } = context
  const select = () =>
    db
      .select({
        row: sites,
        hypervisors: sql<number>`(SELECT count(*) FROM endpoints e WHERE e.site = sites.name)`.as('hypervisors'),
        repositories: sql<number>`(SELECT count(*) FROM repositories p WHERE p.site = sites.name)`.as('repositories'),
        running: sql<number>`(
          SELECT count(*) FROM runs r LEFT JOIN vms v ON v.id = r.vm_id LEFT JOIN endpoints e ON e.id = v.endpoint_id
            LEFT JOIN repositories p ON p.id = r.repository_id
          WHERE (r.ended_ms IS NULL) = 1 AND (e.site = sites.name OR p.site = sites.name))`.as('running'),
      })
      .from(sites)
  type Found = { row: SiteRow; hypervisors: number; repositories: number; running: number }
  const view = ({ row, ...counts }: Found): SiteView => ({ ...row, ...counts })
  const find = (name: string): SiteView | undefined => {
    const found = select().where(eq(sites.name, name)).get()
    return found && view(found)
  }
  const get = (name: string): SiteView => {
    const found = find(name)
    if (found) return found
    throw new HoldfastError('NotFound', `there is no site ${name}`, { hint: 'List them with `holdfast sites`.' })
  }
  return {
    find,
    get,
    list: () => select().orderBy(asc(sites.name)).limit(mostSites).all().map(view),
    put(name, change) {
      return inTransaction(context, () => {
        ensureSite(context, name)
        const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
        if (Object.keys(set).length > 0) db.update(sites).set(set).where(eq(sites.name, name)).run()
        if (db.select().from(sites).all().length > mostSites)
          throw new HoldfastError('InvalidRequest', `there are ${mostSites} sites already`)
        publish('workers', name)
        return get(name)
      })
    },
    putMap(name, map) {
      if (name === map.to)
        throw new HoldfastError('InvalidRequest', `names of ${name} stay as they are at ${name}`, {
          hint: 'Name another site.',
        })
      return inTransaction(context, () => {
        const { maps } = get(name)
        get(map.to)
        const others = maps.filter(({ to }) => to !== map.to)
        const isEmpty = map.networks.length + map.storages.length === 0
        const mapped = isEmpty ? others : [...others, map].toSorted((a, b) => (a.to < b.to ? -1 : 1))
        db.update(sites).set({ maps: mapped }).where(eq(sites.name, name)).run()
        publish('workers', name)
        return get(name)
      })
    },
    mapBetween: (from, to) =>
      from === to
        ? undefined
        : db
            .select({ maps: sites.maps })
            .from(sites)
            .where(eq(sites.name, from))
            .get()
            ?.maps.find((map) => map.to === to),
    isSecret(name, ref) {
      const found = db.get<{ n: number }>(sql`
        SELECT (SELECT count(*) FROM endpoints WHERE site = ${name} AND credential_ref = ${ref})
          + (SELECT count(*) FROM repositories WHERE site = ${name} AND credential_ref = ${ref}) AS n`)
      return ref !== '' && found.n > 0
    },
    remove(name) {
      inTransaction(context, () => {
        const { hypervisors, repositories } = get(name)
        const of = [many(hypervisors, 'hypervisor', 'hypervisors'), many(repositories, 'repository', 'repositories')]
        const used = of.filter((words) => words !== '').join(' and ')
        if (used !== '') {
          throw new HoldfastError(
            'InUse',
            `${used} ${hypervisors + repositories === 1 ? 'is' : 'are'} of site ${name}`,
            {
              hint: 'Hypervisors can be given another site: `holdfast hypervisor set ID --site SITE`.',
            },
          )
        }
        // What opens doors for its workers ends with it.
        db.delete(sessions)
          .where(inArray(sessions.tokenId, db.select({ id: tokens.id }).from(tokens).where(eq(tokens.site, name))))
          .run()
        db.delete(tokens).where(eq(tokens.site, name)).run()
        db.delete(sites).where(eq(sites.name, name)).run()
        for (const other of db.select().from(sites).all()) {
          const maps = other.maps.filter(({ to }) => to !== name)
          if (maps.length < other.maps.length) db.update(sites).set({ maps }).where(eq(sites.name, other.name)).run()
        }
        publish('workers', name)
      })
    },
    recordTest(name, test) {
      db.update(sites).set({ test }).where(eq(sites.name, name)).run()
      publish('workers', name)
    },
  }
}

function many(count: number, one: string, several: string): string {
  return count === 0 ? '' : `${count} ${count === 1 ? one : several}`
}
