import type { PlanSchedule, PlanSchedules } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

const looks: { readonly [state in PlanSchedule['engine']['state']]: Look } = {
  'as-wanted': look('ok', 'As the plan says'),
  waiting: look('idle', 'Changed just now', 'clock'),
  wrong: look('fail', 'Not as the plan says'),
  taken: look('fail', 'Does not start'),
  none: look('idle', 'None needed'),
  unknown: look('unknown', 'Not compared yet'),
}

export function engineLook({ state }: PlanSchedule['engine']): Look {
  return looks[state]
}

/** What went wrong with it; null: nothing that is known. */
export function engineWhy({ state, why }: PlanSchedule['engine']): string | null {
  return state === 'taken' ? 'somebody else’s schedule has its name' : why
}

/** `had been deleted there, put right`; null: it never was. */
export function putRightWords({ putRight }: PlanSchedule['engine']): string | null {
  return putRight === null ? null : `had been ${putRight.what} there, put right`
}

/** All of them in one word: whether plans start when they say. */
export function comparedLook({ items, error, lookedMs, unknown }: PlanSchedules): Look {
  const wrong = items.filter(({ engine }) => engine.state === 'wrong' || engine.state === 'taken').length
  if (wrong > 0) return look('fail', `${wrong} not as ${wrong === 1 ? 'its plan says' : 'their plans say'}`)
  if (error !== null) return look('warn', 'Not compared now')
  if (lookedMs === null) return look('unknown', 'Not compared yet')
  if (unknown.length > 0) return look('warn', `${unknown.length} of nobody’s plans`)
  return look('ok', 'As the plans say')
}
