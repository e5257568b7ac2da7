import { asc, count, desc, eq, sql } from 'drizzle-orm'
import { HoldfastError, locationText, type RepositoryLocation } from '../base/index.ts'
import { usualMedia, type MediaClass } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, everyRow, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { repositories, repositoryGrowth } from './schema.ts'
import { ensureSite } from './sites.ts'
import { uniqueSlug } from './slug.ts'
import type { ErrorNote, RepositoryTestRecord, UsageRecord } from './types.ts'
import { whileUnchanged } from './while-unchanged.ts'

export type RepositoryRow = typeof repositories.$inferSelect
export interface RepositoryView extends RepositoryRow {
  readonly points: number
  readonly vms: number
  readonly newestPointMs: number | null
}

export interface NewRepository {
  readonly name: string
  readonly site: string
  readonly location: RepositoryLocation
  readonly credentialRef: string
  /** Left out: as its place lets one expect. */
  readonly media?: MediaClass | undefined
  /** Where it stands, as sites are called; left out or null: at its site. */
  readonly standsAt?: string | null | undefined
}

export interface RepositoryDescription {
  readonly media?: MediaClass | undefined
  readonly standsAt?: string | null | undefined
  readonly site?: string | undefined
  readonly credentialRef?: string | undefined
}

export interface ConsumptionRow {
  readonly vmId: string
  readonly vmName: string
  readonly points: number
  readonly logicalBytes: number
  readonly readBytes: number
  readonly newBytes: number
  readonly newestPointMs: number
  readonly verified: number
}

export interface RepositoryQueries {
  /** Throws NameTaken, also for a place that is registered already. */
  add(repository: NewRepository): RepositoryView
  find(id: string): RepositoryView | undefined
  /** Throws NotFound. */
  get(id: string): RepositoryView
  list(page: PageRequest): Page<RepositoryView>
  /** Every one, by name. */
  all(): Generator<RepositoryView>
  /** Those of a site, by name. */
  ofSite(site: string): RepositoryView[]
  /** Every site that some repository names. */
  sites(): string[]
  /** Where it is, or how it is opened, has changed. Throws NotFound, NameTaken. */
  move(id: string, to: { readonly location?: RepositoryLocation; readonly credentialRef?: string }): RepositoryView
  /** What is left out stays. Of another site it stands on where it stood, and its last test says nothing any more. Throws NotFound. */
  describe(id: string, as: RepositoryDescription): RepositoryView
  /** Which of them says that it is this repository; null: none, as far as is known. */
  byUuid(uuid: string): string | null
  /** What it says it is. Throws NameTaken where another row is the same repository. */
  identify(id: string, uuid: string): void
  /** A test that finds the same repository under another name has failed. */
  recordTest(id: string, test: RepositoryTestRecord): RepositoryTestRecord
  /** Also the growth of the day. */
  recordUsage(id: string, usage: UsageRecord): void
  /** Somebody sets out to measure it now. */
  recordMeasuring(id: string): void
  /** It could not be measured; what was measured before stands. */
  recordUnmeasured(id: string, atMs: number, error: ErrorNote): void
  /** The VMs that added most, `limit` at most. */
  consumption(id: string, limit: number): ConsumptionRow[]
  /** One row a day, oldest first, `days` at most. */
  growth(
    id: string,
    days: number,
  ): { readonly day: string; readonly storedBytes: number; readonly logicalBytes: number }[]
}

export function repositoryQueries(context: CatalogContext): RepositoryQueries {
  const { db, now, publish } = context
  const select = () =>
    db
      .select({
        row: repositories,
        points: sql<number>`(SELECT coalesce(sum(h.points), 0) FROM held h WHERE h.repository_id = repositories.id)`.as(
          'point_count',
        ),
        vms: sql<number>`(SELECT count(DISTINCT h.vm_id) FROM held h WHERE h.repository_id = repositories.id)`.as(
          'vm_count',
        ),
        newestPointMs: sql<
          number | null
        >`(SELECT max(h.newest_ms) FROM held h WHERE h.repository_id = repositories.id)`.as('newest_point_ms'),
      })
      .from(repositories)
  const view = ({
    row,
    ...rest
  }: {
    row: RepositoryRow
    points: number
    vms: number
    newestPointMs: number | null
  }): RepositoryView => ({
    ...row,
    ...rest,
  })
  const byId = lazy(() =>
    select()
      .where(eq(repositories.id, given('id')))
      .prepare(),
  )
  // To count the VMs of a repository reads a row for each, and the overview asks for the list four times.
  const rowsOf = whileUnchanged(context, (limit: number, cursor?: string) =>
    select()
      .where(afterCursor([sql`${repositories.name}`, sql`${repositories.id}`], 'asc', { limit, cursor }))
      .orderBy(asc(repositories.name), asc(repositories.id))
      .limit(rowsFor({ limit, cursor }))
      .all(),
  )
  const find = (id: string): RepositoryView | undefined => {
    const found = byId().get({ id })
    return found && view(found)
  }
  const get = (id: string): RepositoryView => {
    const found = find(id)
    if (!found) throw new HoldfastError('NotFound', `there is no repository ${id}`)
    return found
  }
  const byUuid = (uuid: string): string | null =>
    db.select({ id: repositories.id }).from(repositories).where(eq(repositories.uuid, uuid)).get()?.id ?? null
  const twinOf = (id: string, uuid: string): HoldfastError | undefined => {
    const other = byUuid(uuid)
    if (other === null || other === id) return undefined
    const { name, location } = get(other)
    return new HoldfastError('NameTaken', `this is the same repository as ${name}, at ${locationText(location)}`, {
      hint: `Two names for one store are one copy: use ${name}, and let plans name only that.`,
    })
  }
  const identify = (id: string, uuid: string): void => {
    const twin = twinOf(id, uuid)
    if (twin !== undefined) throw twin
    db.update(repositories).set({ uuid }).where(eq(repositories.id, id)).run()
  }
  const list = (page: PageRequest): Page<RepositoryView> => {
    const rows = rowsOf(page.limit, page.cursor)
    const total = db.select({ n: count() }).from(repositories).get()?.n ?? 0
    return toPage(rows, page, total, ({ row }) => [row.name, row.id], view)
  }
  return {
    find,
    get,
    add(repository) {
      return inTransaction(context, () => {
        if (db.select().from(repositories).where(eq(repositories.name, repository.name)).get()) {
          throw new HoldfastError('NameTaken', `there is a repository named ${repository.name} already`)
        }
        const there = db.select().from(repositories).where(eq(repositories.location, repository.location)).get()
        if (there) {
          throw new HoldfastError(
            'NameTaken',
            `${locationText(repository.location)} is registered already, as ${there.name}`,
            {
              hint: 'Use that repository, or choose another place.',
            },
          )
        }
        const id = uniqueSlug(repository.name, (slug) => find(slug) !== undefined)
        db.insert(repositories)
          .values({ ...repository, media: repository.media ?? usualMedia(repository.location), id, createdMs: now() })
          .run()
        ensureSite(context, repository.site)
        publish('repository', id)
        return get(id)
      })
    },
    list,
    all: () => everyRow(list),
    ofSite: (site) => select().where(eq(repositories.site, site)).orderBy(asc(repositories.name)).all().map(view),
    sites() {
      return db
        .selectDistinct({ site: repositories.site })
        .from(repositories)
        .orderBy(asc(repositories.site))
        .all()
        .map((row) => row.site)
    },
    move(id, to) {
      return inTransaction(context, () => {
        get(id)
        const there = to.location && db.select().from(repositories).where(eq(repositories.location, to.location)).get()
        if (there && there.id !== id) {
          throw new HoldfastError(
            'NameTaken',
            `${locationText(there.location)} is registered already, as ${there.name}`,
          )
        }
        if (Object.keys(to).length > 0) db.update(repositories).set(to).where(eq(repositories.id, id)).run()
        publish('repository', id)
        return get(id)
      })
    },
    describe(id, said) {
      return inTransaction(context, () => {
        const is = get(id)
        const { site = is.site, media = is.media, credentialRef = is.credentialRef } = said
        const standsAt = said.standsAt === undefined ? (is.standsAt ?? is.site) : (said.standsAt ?? site)
        const isMoved = site !== is.site
        db.update(repositories)
          .set({
            media,
            site,
            credentialRef,
            standsAt: standsAt === site ? null : standsAt,
            ...(isMoved && { test: null }),
          })
          .where(eq(repositories.id, id))
          .run()
        if (isMoved) ensureSite(context, site)
        publish('repository', id)
        return get(id)
      })
    },
    byUuid,
    identify,
    recordTest(id, seen) {
      return inTransaction(context, () => {
        const twin = seen.repositoryUuid === null ? undefined : twinOf(id, seen.repositoryUuid)
        const test = twin === undefined ? seen : { ...seen, passed: false, error: noteOf(twin) }
        if (seen.repositoryUuid !== null && twin === undefined) identify(id, seen.repositoryUuid)
        db.update(repositories).set({ test }).where(eq(repositories.id, id)).run()
        publish('repository', id)
        return test
      })
    },
    recordUsage(id, usage) {
      inTransaction(context, () => {
        db.update(repositories).set({ usage, measureError: null }).where(eq(repositories.id, id)).run()
        const day = new Date(usage.measuredMs).toISOString().slice(0, 10)
        const sizes = { storedBytes: usage.storedBytes, logicalBytes: usage.logicalBytes }
        db.insert(repositoryGrowth)
          .values({ repositoryId: id, day, ...sizes })
          .onConflictDoUpdate({ target: [repositoryGrowth.repositoryId, repositoryGrowth.day], set: sizes })
          .run()
        publish('repository', id)
      })
    },
    recordMeasuring(id) {
      db.update(repositories).set({ measureTriedMs: now() }).where(eq(repositories.id, id)).run()
    },
    recordUnmeasured(id, atMs, error) {
      inTransaction(context, () => {
        const set = { measureTriedMs: atMs, measureError: error }
        db.update(repositories).set(set).where(eq(repositories.id, id)).run()
        publish('repository', id)
      })
    },
    consumption: whileUnchanged(context, (id: string, limit: number) =>
      db.all<ConsumptionRow>(sql`
        WITH most AS (
          SELECT vm_id, sum(points) AS points, sum(stored_bytes) AS new_bytes, max(newest_ms) AS newest_ms, sum(verified) AS verified
          FROM held WHERE repository_id = ${id} GROUP BY vm_id ORDER BY new_bytes DESC, vm_id LIMIT ${limit}
        )
        SELECT h.vm_id AS "vmId", v.name AS "vmName", h.points, h.new_bytes AS "newBytes", h.newest_ms AS "newestPointMs",
          h.verified,
          (SELECT p.logical_bytes FROM copies c JOIN points p ON p.id = c.point_id WHERE c.repository_id = ${id}
            AND c.vm_id = h.vm_id AND c.state = 'done' AND c.gone_ms IS NULL ORDER BY c.created_ms DESC LIMIT 1) AS "logicalBytes",
          (SELECT sum(p.read_bytes) FROM copies c JOIN points p ON p.id = c.point_id WHERE c.repository_id = ${id}
            AND c.vm_id = h.vm_id AND c.state = 'done' AND c.gone_ms IS NULL) AS "readBytes"
        FROM most h JOIN vms v ON v.id = h.vm_id ORDER BY h.new_bytes DESC, h.vm_id`),
    ),
    growth(id, days) {
      return db
        .select({
          day: repositoryGrowth.day,
          storedBytes: repositoryGrowth.storedBytes,
          logicalBytes: repositoryGrowth.logicalBytes,
        })
        .from(repositoryGrowth)
        .where(eq(repositoryGrowth.repositoryId, id))
        .orderBy(desc(repositoryGrowth.day))
        .limit(days)
        .all()
        .reverse()
    },
  }
}

function noteOf(error: HoldfastError): ErrorNote {
  const { code, message, hint, docs } = error.toJSON()
  return { code, message, hint, docs }
}
