import type { Category, Keep, VmOverride } from './categories.ts'
import type { PlanSpec } from './plan.ts'
import type { KeepRules } from './retention.ts'

/** By what one point ages; null: nobody knows, and it stays. */
export interface PointPolicy {
  readonly policy: string
  readonly rules: KeepRules | null
  /** Of what a plan has made: it was deleted, or no longer writes here, and the point ages by what it said last. */
  readonly planIsGone?: boolean
}

/** What a rulebook looks up; the catalog answers. */
export interface RuleSource {
  readonly repositoryId: string
  category(name: string): Pick<Category, 'keep'> | undefined
  /** Also of a plan that was deleted: by what it said last its points go on ageing. */
  plan(name: string): (Pick<PlanSpec, 'targets' | 'timeZone'> & { readonly isDeleted: boolean }) | undefined
  /** The plan that made a point; null: none did, undefined: the point is in no list, and nobody knows. */
  planOf(stem: string): string | null | undefined
  /** What a policy of that name said last for the series of a point. */
  lastRules(stem: string, policy: string): KeepRules | undefined
}

interface OfVm {
  readonly vmId: string
  readonly category: string
  readonly override: Pick<VmOverride, 'keep'>
}

interface PlanRules {
  readonly keep: Keep | null
  readonly timeZone: string
  readonly isTarget: boolean
  readonly isDeleted: boolean
}

/** Points that were published keep a count of their own, also where nobody has set one (product P-MANUAL). */
const publishKept = 2

/** Everything stays. */
export const nobodyKnows: PointPolicy = { policy: 'none', rules: null }

/**
 * Which rules hold for a point now: what was set for its VM alone, else what the plan that made it says for this repository,
 * else its category; in the zone of the plan. A category never decides over what a plan made that nobody can name: plans
 * mostly keep more.
 */
export class Rulebook {
  readonly #source: RuleSource
  readonly #categories = new Map<string, PointPolicy | undefined>()
  readonly #plans = new Map<string, PlanRules | undefined>()

  constructor(source: RuleSource) {
    this.#source = source
  }

  /** undefined: nothing is set for the VM, and nobody knows which plan made the point. */
  ofPoint(vm: OfVm, stem: string): PointPolicy | undefined {
    const plan = this.#source.planOf(stem)
    const own = typeof plan === 'string' ? this.#ofPlan(plan) : undefined
    const gone = own && { planIsGone: own.isDeleted || !own.isTarget }
    const { keep } = vm.override
    if (keep !== undefined) {
      const timeZone = own?.timeZone ?? 'UTC'
      const zone = timeZone === 'UTC' ? '' : `, ${timeZone}`
      return { policy: `set for ${vm.vmId}${zone}`, rules: rulesOf(keep, timeZone), ...gone }
    }
    if (plan === undefined) return undefined
    const said = plan === null ? undefined : this.#saidBy(plan, own, stem)
    if (said === null) return { ...nobodyKnows, ...gone }
    if (said !== undefined) return { policy: `plan ${plan ?? ''}`, rules: said, ...gone }
    const by = this.#ofCategory(vm.category)
    const rules = by?.rules ?? null
    if (by === undefined || rules === null) return { ...nobodyKnows, ...gone }
    return own === undefined || own.timeZone === rules.timeZone
      ? { ...by, ...gone }
      : { policy: `${by.policy}, ${own.timeZone}`, rules: { ...rules, timeZone: own.timeZone }, ...gone }
  }

  /**
   * Of a repository that the plan no longer writes to, and of a plan that is not in the catalog: what it said while it was.
   * null: nobody remembers; undefined: it leaves it to the category.
   */
  #saidBy(plan: string, own: PlanRules | undefined, stem: string): KeepRules | null | undefined {
    if (own === undefined || !own.isTarget) return this.#source.lastRules(stem, `plan ${plan}`) ?? null
    return own.keep === null ? undefined : rulesOf(own.keep, own.timeZone)
  }

  /** undefined: there is no such category. */
  #ofCategory(name: string): PointPolicy | undefined {
    if (this.#categories.has(name)) return this.#categories.get(name)
    const category = name === '' ? undefined : this.#source.category(name)
    const by = category && { policy: `category ${name}`, rules: rulesOf(category.keep, 'UTC') }
    this.#categories.set(name, by)
    return by
  }

  #ofPlan(name: string): PlanRules | undefined {
    if (this.#plans.has(name)) return this.#plans.get(name)
    const plan = this.#source.plan(name)
    const target = plan?.targets.find(({ repository }) => repository === this.#source.repositoryId)
    const said = plan && {
      keep: target?.keep ?? null,
      timeZone: plan.timeZone,
      isTarget: target !== undefined,
      isDeleted: plan.isDeleted,
    }
    this.#plans.set(name, said)
    return said
  }
}

function rulesOf(keep: Keep, timeZone: string): KeepRules {
  return { publish: publishKept, ...keep, timeZone }
}
