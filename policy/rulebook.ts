import type { Category, Keep, VmOverride } from './categories.ts'
import type { PlanSpec } from './plan.ts'
import type { KeepRules } from './retention.ts'

/** By what one point ages; null: nobody knows, and it stays. */
export interface PointPolicy {
  readonly policy: string
  readonly rules: KeepRules | null
}

/** What a rulebook looks up; the catalog answers. */
export interface RuleSource {
  readonly repositoryId: string
  category(name: string): Pick<Category, 'keep'> | undefined
  /** Also of a plan that was deleted: by what it said last its points go on ageing. */
  plan(name: string): Pick<PlanSpec, 'targets' | 'timeZone'> | undefined
  /** The plan that made a point. */
  planOf(stem: string): string | undefined
}

interface OfVm {
  readonly vmId: string
  readonly category: string
  readonly override: Pick<VmOverride, 'keep'>
}

interface PlanRules {
  readonly keep: Keep | null
  readonly timeZone: string
}

/** Points that were published keep a count of their own, also where nobody has set one (product P-MANUAL). */
const publishKept = 2

/**
 * Which rules hold for a point now: what was set for its VM alone, else what the plan that made it says for this repository,
 * else its category; in the zone of the plan.
 */
export class Rulebook {
  readonly #source: RuleSource
  readonly #categories = new Map<string, PointPolicy | undefined>()
  readonly #plans = new Map<string, PlanRules | undefined>()

  constructor(source: RuleSource) {
    this.#source = source
  }

  ofPoint(vm: OfVm, stem: string): PointPolicy {
    const plan = this.#source.planOf(stem)
    const own = plan === undefined ? undefined : this.#ofPlan(plan)
    const { keep } = vm.override
    if (keep !== undefined) {
      const timeZone = own?.timeZone ?? 'UTC'
      const zone = timeZone === 'UTC' ? '' : `, ${timeZone}`
      return { policy: `set for ${vm.vmId}${zone}`, rules: rulesOf(keep, timeZone) }
    }
    const said = own?.keep ?? null
    if (own !== undefined && said !== null) {
      return { policy: `plan ${plan ?? ''}`, rules: rulesOf(said, own.timeZone) }
    }
    const by = this.ofCategory(vm.category)
    const rules = by?.rules ?? null
    if (by === undefined || rules === null) return { policy: 'none', rules: null }
    return own === undefined || own.timeZone === rules.timeZone
      ? by
      : { policy: `${by.policy}, ${own.timeZone}`, rules: { ...rules, timeZone: own.timeZone } }
  }

  /** undefined: there is no such category. */
  ofCategory(name: string): PointPolicy | undefined {
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
    const said = plan && { keep: target?.keep ?? null, timeZone: plan.timeZone }
    this.#plans.set(name, said)
    return said
  }
}

function rulesOf(keep: Keep, timeZone: string): KeepRules {
  return { publish: publishKept, ...keep, timeZone }
}
