import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { nextOccurrences, type Plan } from '../../policy/index.ts'
import type { ScheduleState } from '../schedule-state.ts'
import { startsInWords } from '../policy/index.ts'
import type { scheduleSchema } from '../schemas/schedules.ts'
import { lastRun, missedStartsOf } from './plans.ts'

type View = z.infer<typeof scheduleSchema>

const shown = 3

/** When a plan starts, and whether the engine has it so. */
export function scheduleView(catalog: Catalog, plan: Plan, state: ScheduleState, nowMs: number): View {
  const { name, revision, timeZone, paused } = plan
  return {
    plan: name,
    revision,
    words: startsInWords(catalog, plan, nowMs),
    timeZone,
    paused,
    next: paused ? [] : nextOccurrences(plan.schedule, timeZone, nowMs, shown),
    last: lastRun(catalog, name),
    missed: missedStartsOf(catalog, name, nowMs),
    engine: engineOf(plan, state),
  }
}

function engineOf({ name, schedule, changedMs }: Plan, state: ScheduleState): View['engine'] {
  const { lookedMs, wrong, taken, putRight } = state
  const found = putRight.find(({ plan }) => plan === name)
  const rest = { why: null, putRight: found === undefined ? null : { what: found.what, atMs: found.atMs } }
  if (schedule.kind === 'manual' || schedule.kind === 'after') return { state: 'none', ...rest }
  const failed = wrong.find(({ plan }) => plan === name)
  if (failed !== undefined) return { state: 'wrong', ...rest, why: failed.message }
  if (taken.includes(name)) return { state: 'taken', ...rest }
  if (lookedMs === null) return { state: 'unknown', ...rest }
  return { state: changedMs >= lookedMs ? 'waiting' : 'as-wanted', ...rest }
}
