import { asUtc, daysInMonth, instantOf, wallTimeAt, weekdayOf } from './clock.ts'
import type { CalendarFields } from './cron.ts'

/** When something is due: by elapsed time since 1970 (UTC), or by what a clock on the wall shows. */
export type DueTimes =
  | { readonly kind: 'interval'; readonly everyMs: number; readonly offsetMs: number }
  | { readonly kind: 'calendar'; readonly fields: readonly CalendarFields[] }

const hourMs = 3_600_000
/** Beyond it the server does not look. */
const lastYear = 2100

/**
 * The first time after an instant at which Temporal's server starts something, to the millisecond and without jitter; null:
 * never again before 2101. Where clocks change it follows the server, also where that is not what one would wish: tested
 * against the real one.
 */
export function nextDue(due: DueTimes, timeZone: string, afterMs: number): number | null {
  if (due.kind === 'calendar') {
    const next = due.fields.map((fields) => nextByClock(fields, timeZone, afterMs)).filter((at) => at !== null)
    return next.length === 0 ? null : Math.min(...next)
  }
  const { everyMs, offsetMs } = due
  return (Math.floor((afterMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs
}

/** Whether the clock shows a time that one of the calendars names. */
export function matches(calendars: readonly CalendarFields[], at: ReturnType<typeof wallTimeAt>): boolean {
  if (at.second !== 0) return false
  return calendars.some(
    ({ minutes, hours, daysOfMonth, months, weekdays }) =>
      minutes.includes(at.minute) &&
      hours.includes(at.hour) &&
      daysOfMonth.includes(at.day) &&
      months.includes(at.month) &&
      weekdays.includes(weekdayOf(at)),
  )
}

/**
 * Goes through the hours that the fields name, from the one that the clock shows on. An hour that the clock repeats is gone
 * through twice, the second time an hour later; only an hour that is twice as long by the clock's own reckoning is seen to
 * repeat, which east of Greenwich is the hour before the repeated one.
 */
function nextByClock(fields: CalendarFields, timeZone: string, afterMs: number): number | null {
  const second = Math.floor(afterMs / 1000) * 1000
  const from = wallTimeAt(timeZone, second)
  const isRepeat = wallTimeAt(timeZone, second - hourMs).hour === from.hour
  for (const { year, month, day, isFirst } of daysFrom(from)) {
    if (year > lastYear) return null
    if (!fields.months.includes(month) || !fields.daysOfMonth.includes(day)) continue
    // Where the clocks skip midnight, the day counts as the one before it.
    const wall = isFirst ? from : { year, month, day, hour: 0, minute: 0, second: 0 }
    if (!fields.weekdays.includes(weekdayOf(wallTimeAt(timeZone, instantOf(timeZone, wall))))) continue
    for (const hour of fields.hours) {
      if (isFirst && hour < from.hour) continue
      const begun = isFirst && hour === from.hour
      const at = (minute: number): number => instantOf(timeZone, { year, month, day, hour, minute, second: 0 })
      const left = fields.minutes.filter((minute) => !begun || minute > from.minute)
      // What was begun in its repetition does not repeat once more.
      const passes = begun && isRepeat ? [hourMs] : [0, hourMs]
      hours: for (const shift of passes) {
        const again = shift > 0 && !(begun && isRepeat)
        if (again && instantOf(timeZone, nextHour({ year, month, day, hour })) - at(0) <= hourMs) continue
        for (const minute of again ? fields.minutes : left) {
          const due = at(minute)
          // There is no such time: nor is anything else looked for in this hour.
          if (wallTimeAt(timeZone, due).hour !== hour) break hours
          return due + shift
        }
      }
    }
  }
  return null
}

function nextHour(at: { year: number; month: number; day: number; hour: number }): Parameters<typeof instantOf>[1] {
  const next = new Date(asUtc({ ...at, minute: 0, second: 0 }) + hourMs)
  return {
    year: next.getUTCFullYear(),
    month: next.getUTCMonth() + 1,
    day: next.getUTCDate(),
    hour: next.getUTCHours(),
    minute: 0,
    second: 0,
  }
}

function* daysFrom(from: {
  year: number
  month: number
  day: number
}): Generator<{ year: number; month: number; day: number; isFirst: boolean }> {
  let { year, month, day } = from
  for (let isFirst = true; ; isFirst = false) {
    yield { year, month, day, isFirst }
    day += 1
    if (day > daysInMonth(year, month)) {
      day = 1
      month += 1
    }
    if (month > 12) {
      month = 1
      year += 1
    }
  }
}
