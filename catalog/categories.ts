import { asc, eq, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { defaultCategories, isDefaultCategory, type Category, type CategoryName } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { isSameJson, requireRevision } from './revision.ts'
import { categories } from './schema.ts'

export interface CategoryView extends Category {
  readonly name: CategoryName
  readonly revision: number
  readonly createdMs: number
  readonly changedMs: number
  /** VMs of it that the hypervisors still list. */
  readonly vms: number
}

export interface CategoryQueries {
  find(name: CategoryName): CategoryView | undefined
  /** Throws NotFound. */
  get(name: CategoryName): CategoryView
  /** By RPO, the shortest first: at most `mostCategories`. */
  list(): CategoryView[]
  /**
   * `revision`: the one that was seen, 0: there is none yet, null: whatever is there. Nothing is announced or counted
   * where nothing changes. Throws StaleRevision, InvalidRequest beyond `mostCategories`.
   */
  put(name: CategoryName, category: Category, revision: number | null): CategoryView
  /** Throws NotFound, InUse for one that VMs have or that is there from the start, StaleRevision. */
  remove(name: CategoryName, revision: number | null): void
}

/** More would be tags, not categories. */
export const mostCategories = 64

export function categoryQueries(context: CatalogContext): CategoryQueries {
  const { db, now, publish } = context
  const select = () =>
    db
      .select({
        row: categories,
        vms: sql<number>`(SELECT count(*) FROM vms v WHERE v.category = categories.name AND v.gone_ms IS NULL)`.as('n'),
      })
      .from(categories)
  const view = ({ row, vms }: { row: typeof categories.$inferSelect; vms: number }): CategoryView => {
    const { spec, ...rest } = row
    return { ...spec, ...rest, vms }
  }
  const find = (name: CategoryName): CategoryView | undefined => {
    const found = select().where(eq(categories.name, name)).get()
    return found && view(found)
  }
  const get = (name: CategoryName): CategoryView => {
    const found = find(name)
    if (!found) throw new HoldfastError('NotFound', `there is no category ${name}`)
    return found
  }
  return {
    find,
    get,
    list: () =>
      select()
        .orderBy(sql`json_extract(${categories.spec}, '$.rpoMs')`, asc(categories.name))
        .limit(mostCategories)
        .all()
        .map(view),
    put(name, category, revision) {
      return inTransaction(context, () => {
        const before = db.select().from(categories).where(eq(categories.name, name)).get()
        requireRevision(`the category ${name}`, before?.revision ?? 0, revision)
        const spec = specOf(category)
        if (before && isSameJson(before.spec, spec)) return get(name)
        if (!before && (db.get<{ n: number }>(sql`SELECT count(*) AS n FROM categories`).n ?? 0) >= mostCategories)
          throw new HoldfastError('InvalidRequest', `there are ${mostCategories} categories already`, {
            hint: 'Remove one that nobody uses; tags tell VMs apart as well.',
          })
        const changed = { spec, revision: (before?.revision ?? 0) + 1, changedMs: now() }
        db.insert(categories)
          .values({ name, createdMs: now(), ...changed })
          .onConflictDoUpdate({ target: categories.name, set: changed })
          .run()
        publish('policy', `category/${name}`)
        return get(name)
      })
    },
    remove(name, revision) {
      inTransaction(context, () => {
        const { revision: seen } = get(name)
        requireRevision(`the category ${name}`, seen, revision)
        // VMs that the hypervisors no longer list count as well: they come back with it.
        const { n } = db.get<{ n: number }>(sql`SELECT count(*) AS n FROM vms WHERE category = ${name}`)
        if (n > 0) throw new HoldfastError('InUse', `${n} ${n === 1 ? 'VM is' : 'VMs are'} of the category ${name}`)
        if (isDefaultCategory(name)) throw new HoldfastError('InUse', `the category ${name} is there from the start`)
        db.delete(categories).where(eq(categories.name, name)).run()
        publish('policy', `category/${name}`)
      })
    },
  }
}

/** What is stored: members that do not belong are left out. */
function specOf(category: Category): Category {
  const { description, everyMs, keep, copies, rpoMs, rtoMs, quiesce, drillEveryMs, exerciseEveryMs } = category
  const { checks = [], bootTimeoutMs } = category.drill ?? {}
  const drill = { ...(checks.length > 0 && { checks }), ...(bootTimeoutMs !== undefined && { bootTimeoutMs }) }
  return {
    ...{ description, everyMs, keep, copies, rpoMs, rtoMs, quiesce, drillEveryMs, exerciseEveryMs },
    // One that says nothing of drills is stored as by versions that knew nothing of it.
    ...(Object.keys(drill).length > 0 && { drill }),
  }
}

/** The categories that every installation has; those that somebody changed stay as they are. */
export function plantCategories({ db, now }: Pick<CatalogContext, 'db' | 'now'>): void {
  const stamp = now()
  const rows = Object.entries<Category>(defaultCategories).map(([name, category]) => ({
    name,
    spec: specOf(category),
    revision: 1,
    createdMs: stamp,
    changedMs: stamp,
  }))
  db.insert(categories).values(rows).onConflictDoNothing().run()
}
