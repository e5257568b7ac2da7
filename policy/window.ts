import { clockOf, firstInstantOf, fromUtc, isTimeZone, wallTimeAt, weekdayOf } from './clock.ts'
import { weekdays } from './plan.ts'
import type { BandwidthLimit, Window } from './plan.ts'

/** `end` before or equal to `start`: on the next day. */
export type Hours = Pick<Window, 'start' | 'end' | 'days'>

export type WindowState =
  /** `closesMs` null: it never closes. */
  { readonly open: true; readonly closesMs: number | null } | { readonly open: false; readonly opensMs: number }

const dayMs = 86_400_000
/** A week, and a day on either side: whatever opens, opens once in it. */
const daysAhead = 9

/** Every problem of these hours, in words. */
export function checkHours({ start, end }: Hours, timeZone: string): string[] {
  const wrong = [start, end].filter((at) => clockOf(at) === null).map((at) => `“${at}” is no time of day: HH:MM`)
  return isTimeZone(timeZone) ? wrong : [...wrong, `“${timeZone}” is no time zone`]
}

/**
 * Whether hours of the day are on, and until when. It opens and closes when the clock first shows the time; where the clock
 * skips it, at the moment of the skip. Windows that touch are one. Throws RangeError for hours with problems.
 */
export function windowAt(hours: Hours, timeZone: string, nowMs: number): WindowState {
  const spans = spansAround(hours, timeZone, nowMs)
  const current = spans.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  if (current === undefined) {
    const next = spans.find(({ fromMs }) => fromMs > nowMs)
    // Only where a clock change leaves nothing of all windows of a week; it is looked at again the next day.
    return { open: false, opensMs: next?.fromMs ?? nowMs + dayMs }
  }
  const isEndless = current === spans.at(-1) && current.toMs - nowMs > 7 * dayMs
  return { open: true, closesMs: isEndless ? null : current.toMs }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Those of yesterday and of the next days, in order, merged. */
function spansAround(hours: Hours, timeZone: string, nowMs: number): Span[] {
  const [problem] = checkHours(hours, timeZone)
  const start = clockOf(hours.start)
  const end = clockOf(hours.end)
  if (problem !== undefined || start === null || end === null) throw new RangeError(problem)
  const { year, month, day } = wallTimeAt(timeZone, nowMs)
  const endsNextDay = end.hour * 60 + end.minute <= start.hour * 60 + start.minute
  const spans: Span[] = []
  for (let ahead = -1; ahead <= daysAhead; ahead += 1) {
    const date = fromUtc(Date.UTC(year, month - 1, day + ahead))
    const name = weekdays[weekdayOf(date) - 1]
    if (hours.days !== undefined && hours.days.length > 0 && !hours.days.some((it) => it === name)) continue
    const last = endsNextDay ? fromUtc(Date.UTC(date.year, date.month - 1, date.day + 1)) : date
    const fromMs = firstInstantOf(timeZone, { ...date, ...start })
    const toMs = firstInstantOf(timeZone, { ...last, ...end })
    const before = spans.at(-1)
    if (toMs <= fromMs) continue
    if (before !== undefined && before.toMs >= fromMs) spans[spans.length - 1] = { fromMs: before.fromMs, toMs }
    else spans.push({ fromMs, toMs })
  }
  return spans
}

export interface BandwidthState {
  /** The smallest limit that is on; null: none. */
  readonly bytesPerSecond: number | null
  /** When that may change; null: never. */
  readonly untilMs: number | null
}

export function bandwidthAt(limits: readonly BandwidthLimit[], timeZone: string, nowMs: number): BandwidthState {
  let bytesPerSecond: number | null = null
  let untilMs: number | null = null
  for (const limit of limits) {
    const state = windowAt(limit, timeZone, nowMs)
    if (state.open) bytesPerSecond = Math.min(bytesPerSecond ?? Number.POSITIVE_INFINITY, limit.bytesPerSecond)
    const change = state.open ? state.closesMs : state.opensMs
    if (change !== null) untilMs = Math.min(untilMs ?? Number.POSITIVE_INFINITY, change)
  }
  return { bytesPerSecond, untilMs }
}
