import type { Category, Copies, Keep, VmOverride } from './categories.ts'
import { allDisks, planDefaults } from './plan.ts'
import type { DiskSelection, PlanConsistency, PlanHook, PlanSpec, Quiesce } from './plan.ts'
import type { KeepRules } from './retention.ts'

/** Who said so; the later ones win. `name`: of the category or plan. */
export interface Origin {
  readonly from: 'default' | 'category' | 'plan' | 'vm'
  readonly name: string | null
}
export interface Sourced<T> {
  readonly value: T
  readonly origin: Origin
}

export interface TargetPolicy {
  /** null: no plan says where to. */
  readonly repository: string | null
  readonly copy: 'backup' | 'mirror'
  readonly keep: Sourced<KeepRules>
}

/** What holds for one VM, and where each value comes from. */
export interface EffectivePolicy {
  readonly rpoMs: Sourced<number>
  readonly rtoMs: Sourced<number | null>
  /** null: on demand. Of a plan its schedule says more. */
  readonly everyMs: Sourced<number | null>
  readonly quiesce: Sourced<Quiesce>
  /** Only where `quiesce` is not none. */
  readonly consistency: Sourced<PlanConsistency>
  readonly drillEveryMs: Sourced<number | null>
  readonly exerciseEveryMs: Sourced<number | null>
  readonly copies: Sourced<Copies>
  readonly mode: Sourced<'incremental' | 'full'>
  readonly fullEveryMs: Sourced<number | null>
  readonly disks: Sourced<DiskSelection>
  readonly hooks: Sourced<readonly PlanHook[]>
  readonly compressionLevel: Sourced<number>
  readonly timeZone: Sourced<string>
  readonly targets: readonly TargetPolicy[]
}

export interface PolicyParts {
  readonly category: Category & { readonly name: string }
  /** null: no plan takes the VM, or it is asked about without one. */
  readonly plan: PlanSpec | null
  readonly override: VmOverride
}

/** Of points made by hand no rule decides, so their number is bounded (product P-MANUAL). */
export const mostByHand = 100
const keepDefaults: Keep = { manual: mostByHand, publish: 2 }

const builtIn: Origin = { from: 'default', name: null }
const own: Origin = { from: 'vm', name: null }

export function effectivePolicy({ category, plan, override }: PolicyParts): EffectivePolicy {
  const ofCategory: Origin = { from: 'category', name: category.name }
  const ofPlan: Origin = { from: 'plan', name: plan?.name ?? null }
  const first = <T>(...said: readonly (readonly [T | null | undefined, Origin])[]): Sourced<T> | undefined => {
    for (const [value, origin] of said) if (value !== undefined && value !== null) return { value, origin }
    return undefined
  }
  const or = <T>(found: Sourced<T> | undefined, value: T, origin: Origin): Sourced<T> => found ?? { value, origin }
  const fromPlan = <T>(value: T | undefined, otherwise: T): Sourced<T> =>
    value === undefined ? { value: otherwise, origin: builtIn } : { value, origin: ofPlan }

  const timeZone = fromPlan(plan?.timeZone, planDefaults.timeZone)
  const keepOf = (target: Keep | null): Sourced<KeepRules> => {
    const found = or(first<Keep>([override.keep, own], [target, ofPlan]), category.keep, ofCategory)
    return { value: { ...keepDefaults, ...found.value, timeZone: timeZone.value }, origin: found.origin }
  }
  return {
    rpoMs: or(first([override.rpoMs, own]), category.rpoMs, ofCategory),
    rtoMs: or<number | null>(first([override.rtoMs, own]), category.rtoMs, ofCategory),
    everyMs: or<number | null>(first([intervalOf(plan), ofPlan]), category.everyMs, ofCategory),
    quiesce: or(first([override.quiesce, own], [plan?.quiesce, ofPlan]), category.quiesce, ofCategory),
    consistency: fromPlan<PlanConsistency>(plan?.consistency, planDefaults.consistency),
    drillEveryMs: or<number | null>(first([override.drillEveryMs, own]), category.drillEveryMs, ofCategory),
    exerciseEveryMs: { value: category.exerciseEveryMs, origin: ofCategory },
    copies: { value: category.copies, origin: ofCategory },
    mode: fromPlan<'incremental' | 'full'>(plan?.mode, 'incremental'),
    fullEveryMs: or<number | null>(first([override.fullEveryMs, own], [plan?.fullEveryMs, ofPlan]), null, builtIn),
    disks: or(first([override.disks, own], [plan?.disks, ofPlan]), allDisks, builtIn),
    hooks: fromPlan<readonly PlanHook[]>(plan?.hooks, []),
    compressionLevel: fromPlan<number>(plan?.compressionLevel, planDefaults.compressionLevel),
    timeZone,
    targets: plan?.targets.map(({ repository, copy, keep }) => ({ repository, copy, keep: keepOf(keep) })) ?? [
      { repository: null, copy: 'backup', keep: keepOf(null) },
    ],
  }
}

/** Of the points in this repository: what its target says, else what holds without a plan. */
export function keepFor(policy: EffectivePolicy, repository: string): Sourced<KeepRules> {
  const found = policy.targets.find((target) => target.repository === repository) ?? policy.targets[0]
  if (found === undefined) throw new RangeError('a plan has a target')
  return found.keep
}

/** What a backup needs to know of the policy; members of its input. */
export interface BackupSettings {
  readonly mode: 'auto' | 'full'
  readonly fullEveryMs: number | null
  readonly want: 'crash' | PlanConsistency
  readonly onQuiesceFailure: 'degrade' | 'fail'
  readonly disks: DiskSelection
  readonly hooks: readonly PlanHook[]
  readonly compressionLevel: number
}

export function backupSettings(policy: EffectivePolicy): BackupSettings {
  const quiesce = policy.quiesce.value
  return {
    mode: policy.mode.value === 'full' ? 'full' : 'auto',
    fullEveryMs: policy.fullEveryMs.value,
    want: quiesce === 'none' ? 'crash' : policy.consistency.value,
    onQuiesceFailure: quiesce === 'required' ? 'fail' : 'degrade',
    disks: policy.disks.value,
    hooks: policy.hooks.value,
    compressionLevel: policy.compressionLevel.value,
  }
}

/** Only of a plan that starts at even intervals; a calendar has no one number. */
function intervalOf(plan: PlanSpec | null): number | null {
  return plan?.schedule.kind === 'every' ? plan.schedule.everyMs : null
}
