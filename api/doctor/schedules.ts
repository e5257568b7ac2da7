import { formatDuration } from '../../base/index.ts'
import { planScheduleId } from '../../workflows/plan/contract.ts'
import type { ApiDeps } from '../deps.ts'
import { good, type Found } from './check.ts'

/** They are compared every minute. */
const lookedWithinMs = 10 * 60_000
const shown = 5

/** Whether the schedules in Temporal are what the plans say, by the last look of whoever puts them right. */
export function schedulesCheck({ schedules, now }: Pick<ApiDeps, 'schedules' | 'now'>): Found {
  if (schedules === undefined) return { state: 'unknown', detail: 'not asked about', hint: null }
  const { lookedMs, error, wrong, taken, unknown } = schedules()
  const [first] = wrong
  if (first !== undefined)
    return {
      state: 'failed',
      detail: `not as ${plansOf(wrong.map(({ plan }) => plan))} ${wrong.length === 1 ? 'says' : 'say'}: ${first.message}`,
      hint: 'They are tried again every minute. Until then a plan starts as its schedule was before, or not at all: start it by hand, `holdfast plans run NAME`.',
    }
  if (taken.length > 0)
    return {
      state: 'failed',
      detail: `${taken.map(planScheduleId).slice(0, shown).join(', ')} in Temporal ${taken.length === 1 ? 'is' : 'are'} somebody else’s: ${plansOf(taken)} ${taken.length === 1 ? 'does' : 'do'} not start`,
      hint: 'Two installations need a Temporal namespace each. If nobody needs the other schedule, delete it: ours is made within a minute.',
    }
  if (unknown.length > 0)
    return {
      state: 'attention',
      detail: `of ${plansOf(unknown)}, which the catalog has never known: ${unknown.length === 1 ? 'it is' : 'they are'} left alone`,
      hint: 'The catalog may be older than they are. Bring the plans back with `holdfast apply -f`, or delete the schedules in Temporal.',
    }
  if (lookedMs === null)
    return { state: 'unknown', detail: error === null ? 'not compared with the plans yet' : error, hint: null }
  const agoMs = Math.max(0, now() - lookedMs)
  const compared = `compared with the plans ${formatDuration(agoMs)} ago`
  if (agoMs > lookedWithinMs)
    return {
      state: 'attention',
      detail: `last ${compared}${error === null ? '' : `: ${error}`}`,
      hint: 'What was changed since does not hold. See logs/server.log for why they are not compared.',
    }
  return good(`as the plans say; ${compared}`)
}

function plansOf(names: readonly string[]): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : ''
  return `${names.length === 1 ? 'the plan' : 'the plans'} ${names.slice(0, shown).join(', ')}${more}`
}
