import type { Catalog } from '../../catalog/index.ts'
import { checkSchedule, describeSchedule, nextOccurrences, timeInWords, type PlanSpec } from '../../policy/index.ts'

type When = Pick<PlanSpec, 'schedule' | 'timeZone' | 'paused'>
/** Longer sequences are told without a time. */
const longest = 20

/** `after plan nightly, usually about 02:40 (Europe/Paris)`. Throws RangeError for a schedule with problems. */
export function startsInWords(catalog: Catalog, plan: When, nowMs: number): string {
  const words = describeSchedule(plan.schedule, plan.timeZone)
  if (plan.schedule.kind !== 'after') return words
  const usuallyMs = usuallyAt(catalog, plan, nowMs, longest)
  return usuallyMs === null ? words : `${words}, usually about ${timeInWords(plan.timeZone, usuallyMs)}`
}

/** By the next start of the first of the sequence and what the runs before it usually take; null: nobody can tell. */
function usuallyAt(catalog: Catalog, { schedule, timeZone, paused }: When, nowMs: number, left: number): number | null {
  if (left === 0) return null
  if (schedule.kind !== 'after') {
    const isSound = !paused && checkSchedule(schedule, timeZone).length === 0
    return isSound ? (nextOccurrences(schedule, timeZone, nowMs, 1)[0]?.atMs ?? null) : null
  }
  const before = catalog.plans.find(schedule.plan)
  if (before === undefined) return null
  const takesMs = catalog.planRuns.usualDurationMs(before.name)
  const startsMs = takesMs === null ? null : usuallyAt(catalog, before, nowMs, left - 1)
  return takesMs === null || startsMs === null ? null : startsMs + takesMs
}
