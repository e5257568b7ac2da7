import type { z } from '@hono/zod-openapi'
import type { Candidate, Catalog } from '../../catalog/index.ts'
import {
  bytesOf,
  dueBetween,
  dueTimes,
  effectivePolicy,
  heldAt,
  keepFor,
  type Category,
  type KeepRules,
  type PlanSpec,
  type Schedule,
  type SimulatedPoint,
} from '../../policy/index.ts'
import type { planPreviewSchema } from '../schemas/plans.ts'

type Simulated = z.infer<typeof planPreviewSchema>['targets'][number]

const year = 365 * 86_400_000
/** A picture: of more points than this those are drawn that a rule of days or longer keeps, and some of the others. */
const mostDrawn = 1_000
const rare = new Set(['newest', 'daily', 'weekly', 'monthly', 'yearly'])

export interface SimulationSetting {
  /** How much of a disk changes in a day, where nothing was measured; a share. */
  readonly changeShare: number
  readonly starts: readonly number[]
  /** Of the saved plan. */
  readonly savedStarts: readonly number[]
  readonly nowMs: number
}

/** What each target would hold over the coming year, by this plan and by the one that is saved. */
export function simulateTargets(
  catalog: Catalog,
  plan: PlanSpec,
  saved: PlanSpec | null,
  taken: readonly Candidate[],
  setting: SimulationSetting,
): Simulated[] {
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
  const seen = new Map<string, ReturnType<typeof heldAt>>()
  const heldBy = (of: PlanSpec, category: string, repository: string): ReturnType<typeof heldAt> => {
    const keep = keepOf(of, category, repository)
    const key = JSON.stringify([of === saved, keep])
    const held = seen.get(key) ?? heldAt(of === saved ? setting.savedStarts : setting.starts, keep, marks)
    seen.set(key, held)
    return held
  }
  const run = (of: PlanSpec, repository: string): { timeMs: number; bytes: number }[] => {
    const simulated = [...groups].map(([category, { full, changed }]) => {
      const growth = { fullBytes: full, changedBytesPerDay: changed }
      return heldBy(of, category, repository).marks.map(({ times }) => ({ bytes: bytesOf(times, growth) }))
    })
    return marks.map((timeMs, index) => ({
      timeMs,
      bytes: simulated.reduce((sum, group) => sum + (group[index]?.bytes ?? 0), 0),
    }))
  }
  const [sample = 'standard'] = [...groups].sort(([, a], [, b]) => b.vms - a.vms).map(([name]) => name)
  const total = [...groups.values()]
  return plan.targets.map(({ repository }) => {
    const isKept = catalog.repositories.find(repository) !== undefined
    const usable = setting.starts.length > 0 && isUsable(keepOf(plan, sample, repository))
    const before = saved?.targets.some((target) => target.repository === repository) ?? false
    const { points } = usable ? heldBy(plan, sample, repository) : { points: [] }
    const usage = isKept ? catalog.repositories.get(repository).usage : null
    return {
      repository,
      category: sample,
      pointsTotal: points.length,
      points: drawn(points).map(({ timeMs, keptBy }) => ({ timeMs, keptBy: [...keptBy] })),
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
/** Of all that are kept, together: of eight bytes each. */
const mostKnown = 2_000_000

/** The starts of the coming year. Kept for the hour: an editor asks again with every letter. */
export function startsOfYear(schedule: Schedule, timeZone: string, nowMs: number): readonly number[] {
  const from = Math.floor(nowMs / 3_600_000) * 3_600_000
  const key = JSON.stringify([schedule, timeZone, from])
  const starts = known.get(key) ?? startsFrom(schedule, timeZone, from)
  if (!known.has(key)) {
    if ([...known.values()].reduce((sum, { length }) => sum + length, starts.length) > mostKnown) known.clear()
    known.set(key, starts)
  }
  return starts.filter((at) => at > nowMs && at <= nowMs + year)
}

function startsFrom(schedule: Schedule, timeZone: string, fromMs: number): readonly number[] {
  const due = dueTimes(schedule)
  return due === null ? [] : dueBetween(due, timeZone, fromMs, fromMs + year + 3_600_000)
}

function drawn(points: readonly SimulatedPoint[]): readonly SimulatedPoint[] {
  const step = Math.ceil(points.length / mostDrawn)
  return points.filter(({ keptBy }, index) => index % step === 0 || keptBy.some((rule) => rare.has(rule)))
}
