import { timingOf } from './schedule.ts'
import type { PlanSpec } from './plan.ts'
import { clockMovesMs } from './watch.ts'

const minute = 60_000
const day = 86_400_000
/** After a run that was cancelled nothing begins by itself for so long: whoever cancelled it had a reason. */
const afterCancelMs = 60 * minute
const firstRetryMs = 10 * minute

/** No copy waits for longer: what seems to is dated by a clock that was set back since. */
export const longestCopyWaitMs = day

/** How long after its failed attempt (1, 2, …) a copy is tried again by itself: ten minutes, doubled each time, a day at most. */
export function copyRetryAfterMs(attempts: number): number {
  return Math.min(longestCopyWaitMs, firstRetryMs * 2 ** Math.min(20, Math.max(0, attempts - 1)))
}

export interface MirrorFacts {
  readonly nowMs: number
  /** Of the last run between the two repositories; null: there was none, or it runs. */
  readonly last: {
    readonly state: string
    readonly endedMs: number
    /** It had no copy in hand. */
    readonly tookNothing: boolean
  } | null
}

/** Whether a run begins by itself for copies that are wanted. */
export function isMirrorDue({ nowMs, last }: MirrorFacts): boolean {
  // What is wanted and was not taken would be wanted again at once, without end.
  if (last === null || (last.state.startsWith('completed') && !last.tookNothing)) return true
  const agoMs = nowMs - last.endedMs
  // By a clock that was set back since, it ended at a time that has yet to come: nothing would begin until then.
  if (agoMs < -clockMovesMs) return true
  return agoMs >= (last.state === 'cancelled' ? afterCancelMs : firstRetryMs)
}

/**
 * For how long a copy has been owed since then. A moment that lies ahead was dated by a clock that was set back since: nobody
 * can tell how long ago it is, and it may be as much as it lies ahead. It is never less than nothing, which would be no lag.
 */
export function mirrorLagMs(sinceMs: number, nowMs: number): number {
  const ms = nowMs - sinceMs
  return ms < -clockMovesMs ? -ms : Math.max(0, ms)
}

/**
 * How old the oldest point that a mirror has not yet may be: the plan's own frequency, for then the next point is there
 * already. Of a plan that starts when it is asked, and of points that no plan made: a day. A plan that was deleted counts by
 * what it said last.
 */
export function lagAllowedMs(plan: Pick<PlanSpec, 'schedule'> | undefined): number {
  return (plan && timingOf(plan.schedule)?.intervalMs) ?? day
}
