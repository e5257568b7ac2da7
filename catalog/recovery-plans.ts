import { asc, eq, ne, and } from 'drizzle-orm'
import { HoldfastError } from '../base/index.ts'
import { recoveryProblems, type RecoverySpec } from '../policy/index.ts'
import { inTransaction, type CatalogContext } from './context.ts'
import { isSameDefinition } from './recovery-runs.ts'
import { isSameJson, requireRevision } from './revision.ts'
import { recoveryPlans, recoveryRuns } from './schema.ts'
import { uniqueSlug } from './slug.ts'

export interface RecoveryPlanView extends RecoverySpec {
  readonly id: string
  readonly revision: number
  readonly createdMs: number
  readonly changedMs: number
  /** When what its runs do was last changed. */
  readonly definedMs: number
}

/** What a plan says, without its name and without what the catalog keeps beside it. */
export function planSpecOf(plan: RecoveryPlanView): Omit<RecoverySpec, 'name'> {
  const { id: _, name: __, revision: ___, createdMs: ____, changedMs: _____, definedMs: ______, ...definition } = plan
  return definition
}

export interface RecoveryPlanQueries {
  /** By name. */
  list(): RecoveryPlanView[]
  /** By id or name. Throws NotFound. */
  get(name: string): RecoveryPlanView
  find(name: string): RecoveryPlanView | undefined
  /** Throws NameTaken, InvalidRequest for a definition that cannot be carried out. */
  add(spec: RecoverySpec): RecoveryPlanView
  /** `revision`: the one that was seen; null: whatever is there. Throws NotFound, StaleRevision, NameTaken, InvalidRequest. */
  set(id: string, spec: RecoverySpec, revision: number | null): RecoveryPlanView
  /** What came of its runs stays. Throws NotFound. */
  remove(id: string): void
}

const mostPlans = 200

export function recoveryPlanQueries(context: CatalogContext): RecoveryPlanQueries {
  const { db, now, publish } = context
  const view = ({ spec, ...row }: typeof recoveryPlans.$inferSelect): RecoveryPlanView => ({ ...spec, ...row })
  const rows = () => db.select().from(recoveryPlans).orderBy(asc(recoveryPlans.name)).all()
  const find = (name: string): RecoveryPlanView | undefined => {
    const all = rows()
    const row = all.find(({ id }) => id === name) ?? all.find((one) => one.name === name)
    return row && view(row)
  }
  const get = (name: string): RecoveryPlanView => {
    const found = find(name)
    if (found) return found
    throw new HoldfastError('NotFound', `there is no recovery plan ${name}`, {
      hint: 'List them with `holdfast recovery-plan list`.',
    })
  }
  const requireGood = (spec: RecoverySpec): void => {
    const problems = recoveryProblems(spec)
    const [first] = problems
    if (first === undefined) return
    const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
    throw new HoldfastError('InvalidRequest', `${first.at}: ${first.message}${more}`, { data: { problems } })
  }
  const requireFree = (name: string, id: string): void => {
    const where = and(eq(recoveryPlans.name, name), ne(recoveryPlans.id, id))
    if (db.select().from(recoveryPlans).where(where).get())
      throw new HoldfastError('NameTaken', `there is a recovery plan ${name} already`)
  }
  return {
    list: () => rows().map(view),
    find,
    get,
    add({ name, ...spec }) {
      requireGood({ name, ...spec })
      return inTransaction(context, () => {
        requireFree(name, '')
        const known = new Set(rows().map((row) => row.id))
        if (known.size >= mostPlans)
          throw new HoldfastError('InvalidRequest', `there are ${mostPlans} recovery plans already`)
        // A plan of the same name that is gone leaves its runs: they are not those of the new one.
        const ran = db.selectDistinct({ id: recoveryRuns.planId }).from(recoveryRuns).all()
        const taken = new Set([...known, ...ran.map((run) => run.id)])
        const id = uniqueSlug(name, (slug) => taken.has(slug))
        const times = { createdMs: now(), changedMs: now(), definedMs: now() }
        db.insert(recoveryPlans)
          .values({ id, name, spec, revision: 1, ...times })
          .run()
        publish('recovery', id)
        return get(id)
      })
    },
    set(of, { name, ...spec }, revision) {
      requireGood({ name, ...spec })
      return inTransaction(context, () => {
        const before = get(of)
        const { id, revision: seen, definedMs } = before
        requireRevision(`the recovery plan ${before.name}`, seen, revision)
        requireFree(name, id)
        const was = planSpecOf(before)
        if (before.name === name && isSameJson(was, spec)) return before
        db.update(recoveryPlans)
          .set({
            name,
            spec,
            revision: seen + 1,
            changedMs: now(),
            definedMs: isSameDefinition(was, spec) ? definedMs : now(),
          })
          .where(eq(recoveryPlans.id, id))
          .run()
        publish('recovery', id)
        return get(id)
      })
    },
    remove(name) {
      const { id } = get(name)
      db.delete(recoveryPlans).where(eq(recoveryPlans.id, id)).run()
      publish('recovery', id)
    },
  }
}
