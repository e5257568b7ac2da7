import { and, asc, count, eq, isNull, sql } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { planDefaults, type Plan, type PlanSpec } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { mirrorsOf, wantAgain, withdrawWants } from './copy-needs.ts'
import { given, lazy } from './lazy.ts'
import { afterCursor, rowsFor, toPage, type Page, type PageRequest } from './page.ts'
import { startsLookedAt } from './plan-starts.ts'
import { isSameJson, requireRevision } from './revision.ts'
import { plans } from './schema.ts'

export interface PlanQueries {
  find(name: string): Plan | undefined
  /** Throws NotFound. */
  get(name: string): Plan
  /** Also of a plan that was deleted: by what it said last its points go on ageing. */
  last(name: string): (Plan & { readonly deletedMs: number | null }) | undefined
  /** By name. */
  list(page: PageRequest): Page<Plan>
  /** Every plan, by name: at most `mostPlans`. */
  all(): Plan[]
  /**
   * `revision`: the one that was seen, 0: there is none yet, null: whatever is there. Nothing is announced or counted
   * where nothing changes. A deleted name can be used again. What it wanted of a mirror that it names no more is wanted no more. Throws StaleRevision, InvalidRequest beyond `mostPlans`.
   */
  put(plan: PlanSpec, revision: number | null): Plan
  /** Throws NotFound, StaleRevision. */
  remove(name: string, revision: number | null): void
}

/** Each has a schedule of its own; who needs more wants selectors. */
export const mostPlans = 1000

export function planQueries(context: CatalogContext): PlanQueries {
  const { db, now, publish } = context
  // What was stored by an older version has no word on what it did not know.
  const view = ({ deletedMs: _, spec, ...rest }: typeof plans.$inferSelect): Plan => ({
    ...planDefaults,
    ...spec,
    ...rest,
  })
  const byName = lazy(() =>
    db
      .select()
      .from(plans)
      .where(eq(plans.name, given('name')))
      .prepare(),
  )
  const rowOf = (name: string) => byName().get({ name })
  const find = (name: string): Plan | undefined => {
    const row = rowOf(name)
    return row && row.deletedMs === null ? view(row) : undefined
  }
  const get = (name: string): Plan => {
    const found = find(name)
    if (!found) throw new HoldfastError('NotFound', `there is no plan ${name}`)
    return found
  }
  const total = (): number => db.select({ n: count() }).from(plans).where(isNull(plans.deletedMs)).get()?.n ?? 0
  return {
    find,
    get,
    last(name) {
      const row = rowOf(name)
      return row && { ...view(row), deletedMs: row.deletedMs }
    },
    list(page) {
      const rows = db
        .select()
        .from(plans)
        .where(and(isNull(plans.deletedMs), afterCursor([sql`${plans.name}`], 'asc', page)))
        .orderBy(asc(plans.name))
        .limit(rowsFor(page))
        .all()
      return toPage(rows, page, total(), (row) => [row.name], view)
    },
    all: () =>
      db.select().from(plans).where(isNull(plans.deletedMs)).orderBy(asc(plans.name)).limit(mostPlans).all().map(view),
    put(plan, revision) {
      return inTransaction(context, () => {
        const before = rowOf(plan.name)
        const isThere = before !== undefined && before.deletedMs === null
        requireRevision(`the plan ${plan.name}`, isThere ? before.revision : 0, revision)
        const spec = specOf(plan)
        if (isThere && isSameJson(before.spec, spec)) return get(plan.name)
        if (!isThere && total() >= mostPlans)
          throw new HoldfastError('InvalidRequest', `there are ${mostPlans} plans already`, {
            hint: 'A plan that selects by tag or category replaces many that name single VMs.',
          })
        const changed = { spec, revision: (before?.revision ?? 0) + 1, changedMs: now(), deletedMs: null }
        db.insert(plans)
          .values({ name: plan.name, createdMs: now(), ...changed })
          .onConflictDoUpdate({ target: plans.name, set: changed })
          .run()
        // Before, other times held; what else was changed takes back no start that did not come.
        if (!isThere || !hasSameTimes(before.spec, spec)) startsLookedAt(context, plan.name)
        if (isThere) {
          const [was, is] = [mirrorsOf(before.spec), mirrorsOf(spec)]
          withdrawWants(context, plan.name, was.difference(is))
          // Also after an edit by mistake that was taken back.
          wantAgain(context, plan.name, is.difference(was))
        }
        publish('policy', `plan/${plan.name}`)
        return get(plan.name)
      })
    },
    remove(name, revision) {
      inTransaction(context, () => {
        const { revision: seen } = get(name)
        requireRevision(`the plan ${name}`, seen, revision)
        db.update(plans)
          .set({ deletedMs: now(), revision: seen + 1 })
          .where(eq(plans.name, name))
          .run()
        publish('policy', `plan/${name}`)
      })
    },
  }
}

function hasSameTimes(a: Omit<PlanSpec, 'name'>, b: Omit<PlanSpec, 'name'>): boolean {
  const timesOf = ({ schedule, timeZone, paused }: Omit<PlanSpec, 'name'>) => ({ schedule, timeZone, paused })
  return isSameJson(timesOf(a), timesOf(b))
}

/** What is stored: members that do not belong are left out. */
function specOf(plan: PlanSpec): Omit<PlanSpec, 'name'> {
  const { description, paused, where, timeZone, schedule, window, targets, mode, fullEveryMs, quiesce } = plan
  const {
    consistency,
    hooks,
    disks,
    compressionLevel,
    concurrency,
    retries,
    retryAfterMs,
    bandwidth,
    priority,
    stopBefore,
  } = plan
  const how = {
    mode,
    fullEveryMs,
    quiesce,
    consistency,
    hooks,
    disks,
    compressionLevel,
    concurrency,
    retries,
    retryAfterMs,
    bandwidth,
  }
  return { description, paused, where, timeZone, schedule, window, targets, ...how, priority, stopBefore }
}
