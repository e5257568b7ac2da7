import type { Category, Keep, VmOverride } from './categories.ts'
import type { DiskSelection, PlanSpec, SelectorRule } from './plan.ts'
import { isTimeZone } from './clock.ts'
import { isEmptyPolicy } from './retention.ts'
import { checkSchedule } from './schedule.ts'

/** `path`: members and indexes from the object that was checked. */
export interface PolicyProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  /** What to write instead, if that can be told. */
  readonly hint: string | null
}

/** Names that exist. */
export interface Known {
  readonly repositories: readonly string[]
  readonly categories: readonly string[]
  readonly hypervisors: readonly string[]
  readonly sites: readonly string[]
  /** Hypervisors that cannot shut a guest down cleanly, as far as their connection tests have told. */
  readonly cannotStop: readonly string[]
  /** Every plan with its schedule, the checked one included or not. */
  readonly plans: readonly Pick<PlanSpec, 'name' | 'schedule'>[]
}

const powers = ['running', 'stopped', 'paused', 'suspended', 'io-error', 'unknown']

/** Everything that is wrong with a plan and that its shape does not show. */
export function planProblems(plan: PlanSpec, known: Known): PolicyProblem[] {
  return [
    ...(isTimeZone(plan.timeZone)
      ? []
      : [problem(['timeZone'], `there is no time zone ${plan.timeZone}`, 'Write an IANA name, such as Europe/Paris.')]),
    ...plan.where.flatMap((rule, index) => ruleProblems(rule, known, ['where', index])),
    ...targetProblems(plan, known),
    ...(isTimeZone(plan.timeZone)
      ? checkSchedule(plan.schedule, plan.timeZone).map((message) => problem(['schedule'], message, null))
      : []),
    ...afterProblems(plan, known),
    ...diskProblems(plan.disks, ['disks']),
    ...consistencyProblems(plan),
    ...stopProblems(plan, known),
  ]
}

export function categoryProblems(category: Category): PolicyProblem[] {
  const { copies, everyMs, rpoMs } = category
  const more = (member: 'media' | 'offSite' | 'immutable'): PolicyProblem[] =>
    copies[member] <= copies.repositories
      ? []
      : [problem(['copies', member], `${copies[member]} of ${copies.repositories} copies cannot be`, null)]
  const slow =
    everyMs !== null && everyMs > rpoMs
      ? [problem(['everyMs'], 'backed up less often than its RPO promises', 'Shorten the interval, or promise less.')]
      : []
  return [...keepProblems(category.keep, ['keep']), ...more('media'), ...more('offSite'), ...more('immutable'), ...slow]
}

export function overrideProblems(override: VmOverride): PolicyProblem[] {
  return [
    ...(override.keep === undefined ? [] : keepProblems(override.keep, ['keep'])),
    ...(override.disks === undefined ? [] : diskProblems(override.disks, ['disks'])),
  ]
}

function targetProblems({ targets }: PlanSpec, known: Known): PolicyProblem[] {
  return targets.flatMap(({ repository, copy, keep }, index) => {
    const path = ['targets', index]
    const found: PolicyProblem[] = []
    if (!known.repositories.includes(repository))
      found.push(unknown([...path, 'repository'], 'repository', repository, known.repositories))
    if (targets.findIndex((other) => other.repository === repository) < index)
      found.push(problem([...path, 'repository'], `${repository} is a target twice`, null))
    if ((copy === 'backup') !== (index === 0))
      found.push(
        problem(
          [...path, 'copy'],
          index === 0 ? 'the first target is where the backup goes' : 'only the first target is a backup',
          index === 0 ? 'Write copy: backup.' : 'Write copy: mirror.',
        ),
      )
    return [...found, ...(keep === null ? [] : keepProblems(keep, [...path, 'keep']))]
  })
}

function ruleProblems(
  { field, is = [], isNot = [] }: SelectorRule,
  known: Known,
  path: (string | number)[],
): PolicyProblem[] {
  const names: { readonly [name: string]: readonly string[] } = {
    category: known.categories,
    hypervisor: known.hypervisors,
    site: known.sites,
    power: powers,
  }
  const allowed = names[field]
  if (allowed === undefined) return []
  const of = (member: string, values: readonly string[]): PolicyProblem[] =>
    values.flatMap((value, index) =>
      allowed.some((name) => name.toLowerCase() === value.toLowerCase())
        ? []
        : [unknown([...path, member, index], field, value, allowed)],
    )
  return [...of('is', is), ...of('isNot', isNot)]
}

function keepProblems(keep: Keep, path: readonly (string | number)[]): PolicyProblem[] {
  return isEmptyPolicy({ ...keep, timeZone: 'UTC' })
    ? [
        problem(
          path,
          'it would keep nothing',
          'Give at least one of last, hourly, daily, weekly, monthly, yearly and a time.',
        ),
      ]
    : []
}

function diskProblems(disks: DiskSelection, path: readonly (string | number)[]): PolicyProblem[] {
  return (['include', 'exclude'] as const).flatMap((member) =>
    disks[member].flatMap(({ minBytes, maxBytes }, index) =>
      minBytes !== undefined && maxBytes !== undefined && minBytes > maxBytes
        ? [problem([...path, member, index], 'no disk is at least and at most so large', null)]
        : [],
    ),
  )
}

/** What could never come true: without a hook nothing brings the programs of the guest to rest. */
function consistencyProblems({ consistency, hooks, quiesce, stopBefore }: PlanSpec): PolicyProblem[] {
  if (consistency !== 'application') return []
  const path = ['consistency']
  if (quiesce === 'none')
    return [problem(path, 'no guest is asked anything with quiesce none', 'Write quiesce: required or preferred.')]
  if (stopBefore)
    return [problem(path, 'a VM that is shut down runs no hooks', 'Leave it out; the shutdown ends the programs.')]
  if (hooks.some(({ when }) => when === 'before-freeze')) return []
  return [
    problem(path, 'no hook runs before the freeze', 'Name the program: hooks: [{ when: before-freeze, path: … }].'),
  ]
}

/** Only where a rule names hypervisors that all cannot do it; what else a plan takes is seen when it runs. */
function stopProblems({ stopBefore, where }: PlanSpec, { cannotStop }: Known): PolicyProblem[] {
  if (!stopBefore) return []
  const lower = cannotStop.map((name) => name.toLowerCase())
  const rule = where.find(
    ({ field, is = [] }) =>
      field === 'hypervisor' && is.length > 0 && is.every((name) => lower.includes(name.toLowerCase())),
  )
  if (rule === undefined) return []
  const hint = 'Leave it out; a VM that is off is backed up as it is.'
  return [problem(['stopBefore'], `${rule.is?.join(', ')} cannot shut a VM down before its backup`, hint)]
}

/** Follows the sequence to its start; one that comes back never starts. */
function afterProblems(plan: PlanSpec, known: Known): PolicyProblem[] {
  if (plan.schedule.kind !== 'after') return []
  const path = ['schedule', 'plan']
  const seen = new Set([plan.name])
  for (let next: string | null = plan.schedule.plan; next !== null;) {
    if (seen.has(next)) return [problem(path, `${[...seen, next].join(' after ')}: none of them ever starts`, null)]
    seen.add(next)
    const found = known.plans.find(({ name }) => name === next)
    if (!found) {
      const names = known.plans.map(({ name }) => name).filter((name) => name !== plan.name)
      return seen.size === 2 ? [unknown(path, 'plan', next, names)] : []
    }
    next = found.schedule.kind === 'after' ? found.schedule.plan : null
  }
  return []
}

function problem(path: readonly (string | number)[], message: string, hint: string | null): PolicyProblem {
  return { path, message, hint }
}

/** Names that do not exist, with what was probably meant. */
export function unknown(
  path: readonly (string | number)[],
  what: string,
  name: string,
  names: readonly string[],
): PolicyProblem {
  const near = nearest(name, names)
  const list = names.length === 0 ? `There is no ${what} yet.` : `There are: ${names.slice(0, 10).join(', ')}.`
  return problem(path, `there is no ${what} ${name}`, near === null ? list : `Did you mean ${near}?`)
}

/** The name that was probably meant: at most two letters, or a third of them, away. */
export function nearest(word: string, names: readonly string[]): string | null {
  let best: string | null = null
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const name of names) {
    const away = distance(word.toLowerCase(), name.toLowerCase())
    if (away < least) [best, least] = [name, away]
  }
  return best
}

/** Letters to put in, take out, replace or swap with the next one. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array.from({ length: b.length }, () => 0)])
  const at = (i: number, j: number): number => (i < 0 || j < 0 ? Infinity : (rows[i]?.[j] ?? 0))
  for (let j = 1; j <= b.length; j += 1) (rows[0] ?? [])[j] = j
  for (let i = 1; i <= a.length; i += 1)
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isSame ? 0 : 1))
      ;(rows[i] ?? [])[j] = isSwap ? Math.min(least, at(i - 2, j - 2) + 1) : least
    }
  return at(a.length, b.length)
}
