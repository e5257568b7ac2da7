import type { z } from '@hono/zod-openapi'
import type { Candidate, Catalog } from '../../catalog/index.ts'
import {
  brokenRules,
  checkSchedule,
  describeSchedule,
  effectivePolicy,
  isSelected,
  keepFor,
  nextOccurrences,
  planProblems,
  simulateRetention,
  type Category,
  type KeepRules,
  type PlanSpec,
  type Schedule,
} from '../../policy/index.ts'
import type { planPreviewSchema } from '../schemas/plans.ts'
import { memberChanges } from './difference.ts'
import { knownNames } from './state.ts'

export type PlanPreview = z.infer<typeof planPreviewSchema>
export interface PreviewWish {
  /** How much of a disk changes in a day, where nothing was measured; a share. */
  readonly changeShare: number
}

const day = 86_400_000
const year = 365 * day
const listed = 20
/** A simulation is a picture: what starts more often than this is drawn as if it started evenly. */
const mostStarts = 400

/** What follows from a plan, before it is saved. Asks nothing but the catalog. */
export function previewPlan(catalog: Catalog, plan: PlanSpec, nowMs: number, wish: PreviewWish): PlanPreview {
  const saved = catalog.plans.find(plan.name) ?? null
  const { match, taken } = matchOf(catalog, plan, saved)
  const isSound = checkSchedule(plan.schedule, plan.timeZone).length === 0
  const starts = isSound ? startsOfYear(plan.schedule, plan.timeZone, nowMs) : []
  return {
    problems: planProblems(plan, knownNames(catalog, { version: 1 })).map(({ path, message, hint }) => ({
      path: path.join('.'),
      message,
      hint,
    })),
    remarks: remarksOf(catalog, plan, taken, starts),
    match,
    schedule: {
      words: isSound ? describeSchedule(plan.schedule, plan.timeZone) : null,
      next: isSound ? nextOccurrences(plan.schedule, plan.timeZone, nowMs, 10) : [],
    },
    targets: simulate(catalog, plan, saved, taken, { starts, nowMs, ...wish }),
    changes: saved === null ? [] : memberChanges(specOf(saved), specOf(plan)),
    revision: saved?.revision ?? 0,
  }
}

function specOf({
  name: _n,
  ...rest
}: PlanSpec & { revision?: number; createdMs?: number; changedMs?: number }): object {
  const { revision: _r, createdMs: _c, changedMs: _m, ...spec } = rest
  return spec
}

function matchOf(
  catalog: Catalog,
  plan: PlanSpec,
  saved: PlanSpec | null,
): { readonly match: PlanPreview['match']; readonly taken: readonly Candidate[] } {
  const taken: Candidate[] = []
  const near: PlanPreview['match']['nearMisses'] = []
  const [added, removed]: [string[], string[]] = [[], []]
  let excluded = 0
  for (const vm of catalog.policy.candidates()) {
    const isTaken = isSelected(plan.where, vm)
    if (isTaken) taken.push(vm)
    if (saved !== null && isTaken !== isSelected(saved.where, vm)) (isTaken ? added : removed).push(vm.id)
    if (isTaken) continue
    const broken = brokenRules(plan.where, vm)
    const [only, more] = broken
    if (only === undefined) excluded += 1
    else if (more === undefined && near.length < listed && plan.where.length > 1)
      near.push({ id: vm.id, name: vm.name, field: only.field })
  }
  const rates = catalog.policy.changeRates()
  const measured = taken.flatMap(({ id }) => rates.get(id) ?? [])
  return {
    taken,
    match: {
      total: taken.length,
      sizeBytes: taken.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      changedPerDay:
        measured.length === 0 ? null : Math.round(measured.reduce((sum, { readPerDay }) => sum + readPerDay, 0)),
      vms: taken
        .slice(0, listed)
        .map(({ id, name, sizeBytes, category, site }) => ({ id, name, sizeBytes, category, site })),
      nearMisses: near,
      excluded,
      added: { total: added.length, ids: added.slice(0, listed) },
      removed: { total: removed.length, ids: removed.slice(0, listed) },
    },
  }
}

/** What is allowed and yet worth knowing before it is saved. */
function remarksOf(catalog: Catalog, plan: PlanSpec, taken: readonly Candidate[], starts: readonly number[]): string[] {
  const out: string[] = []
  if (taken.length === 0) out.push('No VM matches now.')
  const longest = starts.slice(1).reduce((most, at, index) => Math.max(most, at - (starts[index] ?? at)), 0)
  const categories = new Map(catalog.categories.list().map((one) => [one.name, one]))
  const used = new Map<string, number>()
  for (const { category } of taken) used.set(category, (used.get(category) ?? 0) + 1)
  for (const [name, n] of used) {
    const category = categories.get(name)
    if (category === undefined) continue
    const vms = `${n} ${n === 1 ? 'VM' : 'VMs'} of the category ${name}`
    // An hour of clock change is no broken promise of a daily backup.
    if (longest > category.rpoMs + 3_600_000)
      out.push(
        `${vms} may lose ${hoursText(category.rpoMs)} by their category; up to ${hoursText(longest)} pass between two starts.`,
      )
    if (plan.targets.length < category.copies.repositories)
      out.push(`${vms} want ${category.copies.repositories} copies; this plan makes ${plan.targets.length}.`)
  }
  const sites = new Set(taken.map(({ site }) => site))
  const first = plan.targets[0] && catalog.repositories.find(plan.targets[0].repository)
  for (const site of sites)
    if (first && first.site !== site)
      out.push(`VMs at ${site} cannot be backed up to ${first.name}: it is reached from ${first.site}.`)
  const mirrors = plan.targets.filter(({ copy }) => copy === 'mirror').length
  if (mirrors > 0)
    out.push('The first target is where backups go; the others are filled by mirroring, not by this plan’s runs.')
  return out
}

interface SimulationSetting extends PreviewWish {
  readonly starts: readonly number[]
  readonly nowMs: number
}

function simulate(
  catalog: Catalog,
  plan: PlanSpec,
  saved: PlanSpec | null,
  taken: readonly Candidate[],
  setting: SimulationSetting,
): PlanPreview['targets'] {
  const rates = catalog.policy.changeRates()
  const categories = new Map<string, Category>(catalog.categories.list().map((one) => [one.name, one]))
  const marks = Array.from({ length: 13 }, (_, index) => setting.nowMs + Math.round((year * index) / 12))
  const groups = new Map<string, { full: number; changed: number; vms: number; measured: number }>()
  for (const vm of taken) {
    const group = groups.get(vm.category) ?? { full: 0, changed: 0, vms: 0, measured: 0 }
    const rate = rates.get(vm.id)
    group.full += vm.sizeBytes
    group.changed += rate?.readPerDay ?? vm.sizeBytes * setting.changeShare
    group.vms += 1
    group.measured += rate === undefined ? 0 : 1
    groups.set(vm.category, group)
  }
  const keepOf = (of: PlanSpec, category: string, repository: string): KeepRules => {
    const known = categories.get(category)
    if (known === undefined) throw new RangeError(`there is no category ${category}`)
    return keepFor(effectivePolicy({ category: { ...known, name: category }, plan: of, override: {} }), repository)
      .value
  }
  const run = (of: PlanSpec, repository: string): { timeMs: number; bytes: number }[] => {
    const sums = marks.map((timeMs) => ({ timeMs, bytes: 0 }))
    for (const [category, group] of groups) {
      const growth = { fullBytes: group.full, changedBytesPerDay: group.changed }
      const result = simulateRetention(setting.starts, keepOf(of, category, repository), growth, marks)
      result.marks.forEach(({ bytes }, index) => void ((sums[index] ?? { bytes: 0 }).bytes += bytes))
    }
    return sums
  }
  const [sample = 'standard'] = [...groups].sort(([, a], [, b]) => b.vms - a.vms).map(([name]) => name)
  const total = [...groups.values()]
  return plan.targets.map(({ repository }) => {
    const isKept = catalog.repositories.find(repository) !== undefined
    const usable = setting.starts.length > 0 && isUsable(keepOf(plan, sample, repository))
    const before = saved?.targets.some((target) => target.repository === repository) ?? false
    const { points } = usable
      ? simulateRetention(
          setting.starts,
          keepOf(plan, sample, repository),
          { fullBytes: 0, changedBytesPerDay: 0 },
          marks,
        )
      : { points: [] }
    const usage = isKept ? catalog.repositories.get(repository).usage : null
    return {
      repository,
      category: sample,
      points: points.map(({ timeMs, keptBy }) => ({ timeMs, keptBy: [...keptBy] })),
      marks: usable ? run(plan, repository) : [],
      savedMarks: usable && saved !== null && before ? run(saved, repository) : [],
      capacityBytes: usage?.capacityBytes ?? null,
      assumed: {
        fullBytes: total.reduce((sum, { full }) => sum + full, 0),
        changedPerDay: Math.round(total.reduce((sum, { changed }) => sum + changed, 0)),
        measuredVms: total.reduce((sum, { measured }) => sum + measured, 0),
        vms: taken.length,
        changeShare: setting.changeShare,
      },
    }
  })
}

function isUsable(keep: KeepRules): boolean {
  return [keep.last, keep.hourly, keep.daily, keep.weekly, keep.monthly, keep.yearly, keep.withinMs].some(
    (n) => (n ?? 0) > 0,
  )
}

const known = new Map<string, readonly number[]>()

/** The starts of the coming year. Kept for the day: an editor asks again with every letter. */
function startsOfYear(schedule: Schedule, timeZone: string, nowMs: number): readonly number[] {
  const from = Math.floor(nowMs / 3_600_000) * 3_600_000
  const key = JSON.stringify([schedule, timeZone, from])
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size > 200) known.clear()
  const starts = findStarts(schedule, timeZone, from)
  known.set(key, starts)
  return starts
}

function findStarts(schedule: Schedule, timeZone: string, nowMs: number): readonly number[] {
  const even = (everyMs: number, firstMs: number): number[] => {
    // More than hourly makes no difference to rules of hours and longer.
    const step = Math.max(everyMs, 3_600_000)
    return Array.from({ length: Math.floor((nowMs + year - firstMs) / step) + 1 }, (_, n) => firstMs + n * step)
  }
  if (schedule.kind === 'every') return even(schedule.everyMs, nowMs)
  const first = nextOccurrences(schedule, timeZone, nowMs, mostStarts).map(({ atMs }) => atMs)
  const [begin, end] = [first[0], first.at(-1)]
  if (begin === undefined || end === undefined) return []
  if (first.length < mostStarts || end > nowMs + year) return first.filter((at) => at <= nowMs + year)
  return even((end - begin) / (first.length - 1), begin)
}

function hoursText(ms: number): string {
  const hours = Math.round(ms / 3_600_000)
  return hours >= 72 ? `${Math.round(hours / 24)} days` : `${hours} h`
}
