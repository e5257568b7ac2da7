import type { Schedule } from './plan.ts'
import { nextOccurrences, timingOf } from './schedule.ts'

/**
 * `missed`: nothing was there to start it, for longer than starts are made up for. `skipped`: the run before still ran. Of a
 * plan that starts after another one: that did not start (`after-missed`), or did not go well (`after-failed`).
 */
export type MissedStartKind = 'missed' | 'skipped' | 'after-missed' | 'after-failed'

/** Why a start did not come, for people. */
export const missedWords: { readonly [kind in MissedStartKind]: string } = {
  missed: 'nothing was there to start it',
  skipped: 'its run before was still under way',
  'after-missed': 'the plan before it did not start',
  'after-failed': 'the plan before it did not go well',
}

export interface MissedStart {
  readonly dueMs: number
  readonly kind: MissedStartKind
}

export interface StartFacts {
  readonly schedule: Schedule
  readonly timeZone: string
  /** Every start up to then was looked at. */
  readonly sinceMs: number
  readonly nowMs: number
  /** Since when the engine was reached whenever it was asked: what it started before that may not have been heard of. */
  readonly reachedSinceMs: number
  readonly wasStarted: (dueMs: number) => boolean
  /** Whether a run that the schedule had started before was under way then. */
  readonly wasBusy: (dueMs: number) => boolean
}

/** What a start takes that was not late. */
const slackMs = 120_000
/** More than this is looked at the next time. */
const mostAtOnce = 500

/**
 * Which starts that were due did not come. A start that may still come (jitter, catch-up) is not judged yet, and none
 * after it: `watchedMs` is from where to look on.
 */
export function missedStarts(facts: StartFacts): {
  readonly missed: readonly MissedStart[]
  readonly watchedMs: number
} {
  const { schedule, timeZone, sinceMs, nowMs, reachedSinceMs } = facts
  const timing = timingOf(schedule)
  const missed: MissedStart[] = []
  if (timing === null) return { missed, watchedMs: nowMs }
  const most = Math.min(mostAtOnce, Math.max(0, Math.ceil((nowMs - sinceMs) / timing.intervalMs)) + 1)
  const due = nextOccurrences(schedule, timeZone, sinceMs, most).filter(({ atMs }) => atMs <= nowMs)
  let watchedMs = sinceMs
  for (const { atMs } of due) {
    const kind = facts.wasStarted(atMs) ? null : facts.wasBusy(atMs) ? 'skipped' : 'missed'
    const patienceMs = timing.jitterMs + slackMs + (kind === 'missed' ? timing.catchupMs : 0)
    if (kind !== null && nowMs < Math.max(atMs + patienceMs, reachedSinceMs + slackMs)) return { missed, watchedMs }
    if (kind !== null) missed.push({ dueMs: atMs, kind })
    watchedMs = atMs
  }
  return { missed, watchedMs }
}
