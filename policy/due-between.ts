import { asUtc, instantOf, wallTimeAt, weekdayOf, type WallTime } from './clock.ts'
import { nextDue, type DueTimes } from './occurrences.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/**
 * All times after the one instant and not after the other at which something is due, ascending: what `nextDue` finds one by
 * one, a day at a time. A year of every minute takes a tenth of a second.
 */
export function dueBetween(due: DueTimes, timeZone: string, afterMs: number, untilMs: number): readonly number[] {
  const found: number[] = []
  if (due.kind === 'interval') {
    const first = nextDue(due, timeZone, afterMs) ?? Infinity
    for (let at = first; at <= untilMs; at += due.everyMs) found.push(at)
    return found
  }
  const { year, month, day } = wallTimeAt(timeZone, afterMs)
  const midnight = (days: number): number => instantOf(timeZone, dateAfter({ year, month, day }, days))
  for (let n = 0, at = afterMs; at < untilMs; n += 1) {
    const begin = midnight(n)
    const last = Math.min(midnight(n + 1) - 1, untilMs)
    // Where clocks change, also at the midnight of a day beside it, what is due follows from what was.
    const isPlain = [-1, 1, 2].every((days) => midnight(n + days) - begin === days * dayMs)
    const ofDay = isPlain
      ? dueOn(due.fields, dateAfter({ year, month, day }, n), begin)
      : oneByOne(due, timeZone, found.at(-1) ?? afterMs, last)
    for (const time of ofDay) if (time > (found.at(-1) ?? afterMs) && time <= last) found.push(time)
    at = last
  }
  return found
}

function dueOn(
  calendars: Extract<DueTimes, { kind: 'calendar' }>['fields'],
  date: WallTime,
  beginMs: number,
): readonly number[] {
  const mine = calendars.filter(
    ({ months, daysOfMonth, weekdays }) =>
      months.includes(date.month) && daysOfMonth.includes(date.day) && weekdays.includes(weekdayOf(date)),
  )
  const times = mine.flatMap(({ hours, minutes }) =>
    hours.flatMap((hour) => minutes.map((minute) => beginMs + hour * hourMs + minute * minuteMs)),
  )
  return [...new Set(times)].sort((a, b) => a - b)
}

function* oneByOne(due: DueTimes, timeZone: string, afterMs: number, untilMs: number): Generator<number> {
  for (let at = nextDue(due, timeZone, afterMs); at !== null && at <= untilMs; at = nextDue(due, timeZone, at)) yield at
}

function dateAfter({ year, month, day }: Pick<WallTime, 'year' | 'month' | 'day'>, days: number): WallTime {
  const none = { hour: 0, minute: 0, second: 0 }
  const date = new Date(asUtc({ year, month, day, ...none }) + days * dayMs)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), ...none }
}
