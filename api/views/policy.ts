import { durationText } from '../../base/index.ts'
import type { Catalog, VmView } from '../../catalog/index.ts'
import {
  describeSchedule,
  type Copies,
  type DiskSelection,
  type DrillCheckSpec,
  type EffectivePolicy,
  type KeepRules,
  type Origin,
  type Plan,
  type PlanConsistency,
} from '../../policy/index.ts'
import { compressionWords, paceWords } from './policy-pace.ts'

export interface PolicyLine {
  readonly setting: string
  readonly value: string
  readonly from: string
}

/** What holds for a VM and who said so; under each plan that takes it where they differ. */
export function policyLines(catalog: Catalog, vm: VmView): { setting: string; value: string; from: string }[] {
  const plans = catalog.policy.plansOf(vm)
  const base = catalog.policy.effective(vm, null)
  const drill = catalog.policy.drill(vm)
  const of = plans.length === 0 ? [null] : plans
  const perPlan = of.flatMap((plan) => planLines(catalog, vm, plan, plans.length > 1))
  return [
    line('RPO', span(base.rpoMs.value), base.rpoMs.origin),
    line('RTO target', base.rtoMs.value === null ? 'none' : span(base.rtoMs.value), base.rtoMs.origin),
    ...perPlan,
    line('Copies', copyWords(base.copies.value), base.copies.origin),
    line('Drill', every(base.drillEveryMs.value), base.drillEveryMs.origin),
    line('Full exercise', every(base.exerciseEveryMs.value), base.exerciseEveryMs.origin),
    line('Drill checks', checkWords(drill.checks.value), drill.checks.origin),
    line('Drill waits for the guest', span(drill.bootTimeoutMs.value), drill.bootTimeoutMs.origin),
  ]
}

/** `2 repositories, 1 off site, 1 immutable` */
function copyWords({ repositories, media, offSite, immutable }: Copies): string {
  return [
    repositories === 1 ? '1 repository' : `${repositories} repositories`,
    ...(media > 1 ? [`${media} kinds of media`] : []),
    ...(offSite > 0 ? [`${offSite} off site`] : []),
    ...(immutable > 0 ? [`${immutable} immutable`] : []),
  ].join(', ')
}

function checkWords(checks: readonly DrillCheckSpec[]): string {
  return checks.length === 0 ? 'none: a drill stays inconclusive' : checks.map(({ title }) => title).join(', ')
}

function planLines(catalog: Catalog, vm: VmView, plan: Plan | null, isOneOfSeveral: boolean): PolicyLine[] {
  const policy = catalog.policy.effective(vm, plan)
  const label = (name: string): string => (isOneOfSeveral && plan !== null ? `${name} (${plan.name})` : name)
  const frequency =
    plan === null
      ? {
          setting: 'Schedule',
          value: `no plan takes it; wants ${every(policy.everyMs.value)}`,
          from: originWords(policy.everyMs.origin),
        }
      : {
          setting: label('Schedule'),
          value: `${describeSchedule(plan.schedule, plan.timeZone)}${plan.paused ? ', paused' : ''}`,
          from: `plan ${plan.name}`,
        }
  const full = policy.fullEveryMs.value
  // Nothing is frozen, and no hook is run.
  const isDown = plan?.stopBefore === true
  return [
    frequency,
    line(label('Quiesce'), isDown ? 'not needed: the VM is down' : policy.quiesce.value, policy.quiesce.origin),
    ...(isDown || policy.quiesce.value === 'none'
      ? []
      : [line(label('Consistency'), consistencyWords[policy.consistency.value], policy.consistency.origin)]),
    ...(isDown || policy.hooks.value.length === 0
      ? []
      : [line(label('Hooks'), hookWords(policy), policy.hooks.origin)]),
    line(label('Read'), policy.mode.value === 'full' ? 'everything' : 'changes only', policy.mode.origin),
    line(label('Full read'), full === null ? 'when needed' : `at least every ${span(full)}`, policy.fullEveryMs.origin),
    line(label('Disks'), diskWords(policy.disks.value), policy.disks.origin),
    ...policy.targets.map(({ repository, keep }) =>
      line(label(repository === null ? 'Keep' : `Keep in ${repository}`), keepWords(keep.value), keep.origin),
    ),
    line(label('Time zone'), policy.timeZone.value, policy.timeZone.origin),
    line(label('Compression'), compressionWords(policy), policy.compressionLevel.origin),
    ...(plan === null
      ? []
      : paceWords(plan).map(([setting, value]) => ({ setting: label(setting), value, from: `plan ${plan.name}` }))),
  ]
}

const consistencyWords: { readonly [level in PlanConsistency]: string } = {
  filesystem: 'file system',
  application: 'application, by the hooks before the freeze',
}

/** `2 before the freeze, 1 after the thaw` */
function hookWords({ hooks, quiesce }: EffectivePolicy): string {
  if (quiesce.value === 'none') return 'not run: the guest is not asked anything'
  const before = hooks.value.filter(({ when }) => when === 'before-freeze').length
  const after = hooks.value.length - before
  return [
    ...(before === 0 ? [] : [`${before} before the freeze`]),
    ...(after === 0 ? [] : [`${after} after the thaw`]),
  ].join(', ')
}

function line(setting: string, value: string, origin: Origin): PolicyLine {
  return { setting, value, from: originWords(origin) }
}

export function originWords({ from, name }: Origin): string {
  if (from === 'vm') return 'set on this VM'
  return from === 'default' ? 'default' : `${from} ${name ?? ''}`.trim()
}

function every(ms: number | null): string {
  return ms === null ? 'on demand' : `every ${span(ms)}`
}

/** `4 h`, `31 days`: of promises, which are whole hours or days; anything else as the policy file says it. */
function span(ms: number): string {
  const hours = ms / 3_600_000
  if (hours % 24 === 0 && hours > 24) return `${hours / 24} days`
  return Number.isInteger(hours) ? `${hours} h` : durationText(ms)
}

const counted = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

function keepWords(keep: KeepRules): string {
  const counts = counted.flatMap((rule) => ((keep[rule] ?? 0) > 0 ? [`${keep[rule]} ${rule}`] : []))
  const within = keep.withinMs === undefined ? [] : [`everything of ${span(keep.withinMs)}`]
  const made = [`${keep.manual ?? 'all'} by hand`, `${keep.publish ?? 'all'} published`]
  return [...counts, ...within, ...made, `${keep.safety ?? 'all'} before a restore`].join(', ')
}

function diskWords({ roles, include, exclude, honourNobak }: DiskSelection): string {
  const rules = include.length + exclude.length
  const which = roles === 'data' ? 'data disks only' : 'all'
  const marked = honourNobak ? ' but those marked [NOBAK]' : ''
  return `${which}${marked}${rules === 0 ? '' : `, by ${rules} ${rules === 1 ? 'rule' : 'rules'}`}`
}
