import { changesBetween, fromUtc, offsetAt, wallTimeAt } from './clock.ts'
import type { ClockChange } from './clock.ts'
import type { CalendarFields } from './cron.ts'
import { matches, nextDue } from './occurrences.ts'
import type { DueTimes } from './occurrences.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** What clock changes do to a start, the one before it being known; null: nothing. */
export function noteOn(
  due: DueTimes & { kind: 'calendar' },
  timeZone: string,
  beforeMs: number,
  atMs: number,
): string | null {
  const wall = wallTimeAt(timeZone, atMs)
  if (!matches(due.fields, wall)) return `starts at ${clock(wall)} because the clocks change on ${date(wall)}`
  const repeated = changesBetween(timeZone, atMs - 3 * hourMs, atMs + 3 * hourMs).find(
    ({ atMs: at, beforeMs: b, afterMs: a }) => {
      const shown = atMs + offsetAt(timeZone, atMs)
      return a < b && shown >= at + a && shown < at + b
    },
  )
  if (repeated !== undefined) return repeatNote(due, timeZone, repeated, atMs)
  const changes = changesBetween(timeZone, Math.max(beforeMs, atMs - 60 * dayMs), atMs)
  const [gap, ...rest] = changes.flatMap((change) => gapOf(due.fields, change))
  if (gap !== undefined) {
    const until = rest.at(-1)
    const more = until === undefined ? '' : ` to ${clock(until)}`
    return `on ${date(gap)} the clocks go forward: there is no ${clock(gap)}${more}, nothing starts for it`
  }
  const [left] = changes.flatMap((change) => leftOut(due.fields, change, beforeMs, atMs))
  return left === undefined ? null : `on ${date(left)} the clocks change: nothing starts at ${clock(left)}`
}

/** What the clock does show on the day of a change, and the engine passes over. */
function leftOut(
  fields: readonly CalendarFields[],
  change: ClockChange,
  beforeMs: number,
  atMs: number,
): ReturnType<typeof wallTimeAt>[] {
  const from = Math.max(change.atMs, Math.floor(beforeMs / minuteMs) * minuteMs + minuteMs)
  const to = Math.min(change.atMs + dayMs, atMs)
  const count = Math.max(0, Math.ceil((to - from) / minuteMs))
  return Array.from({ length: count }, (_, minute) => fromUtc(from + minute * minuteMs + change.afterMs)).filter(
    (wall) => matches(fields, wall),
  )
}

function repeatNote(due: DueTimes, timeZone: string, change: ClockChange, atMs: number): string {
  const shiftMs = change.beforeMs - change.afterMs
  const isFirst = atMs < change.atMs
  const other = isFirst ? atMs + shiftMs : atMs - shiftMs
  const wall = wallTimeAt(timeZone, atMs)
  const twice = `on ${date(wall)} the clocks go back: ${clock(wall)} comes twice`
  const ordinal = isFirst ? 'first' : 'second'
  const starts = startsFrom(due, timeZone, change.atMs - 3 * hourMs, change.atMs + 3 * hourMs)
  return starts.includes(other)
    ? `${twice}, this is the ${ordinal} time`
    : `${twice}, it starts the ${ordinal} time only`
}

function startsFrom(due: DueTimes, timeZone: string, fromMs: number, toMs: number): number[] {
  const starts: number[] = []
  for (let at = nextDue(due, timeZone, fromMs); at !== null && at <= toMs; at = nextDue(due, timeZone, at))
    starts.push(at)
  return starts
}

/** The minutes that a clock skips and that the fields name. */
function gapOf(
  fields: readonly CalendarFields[],
  { atMs, beforeMs, afterMs }: ClockChange,
): ReturnType<typeof fromUtc>[] {
  const length = Math.max(0, (afterMs - beforeMs) / minuteMs)
  const skipped = Array.from({ length }, (_, minute) => fromUtc(atMs + beforeMs + minute * minuteMs))
  return skipped.filter((wall) => matches(fields, wall))
}

/** A time of day that the clocks pass over on a day, and the one at which they go on. */
export interface SkippedTime {
  /** `02:30` */
  readonly at: string
  /** `03:00` */
  readonly instead: string
  /** `28 March 2027` */
  readonly on: string
}

/** What the clocks pass over of these starts in (fromMs, toMs], the first of each change. */
export function skippedTimes(
  { fields }: DueTimes & { kind: 'calendar' },
  timeZone: string,
  fromMs: number,
  toMs: number,
): SkippedTime[] {
  return changesBetween(timeZone, fromMs, toMs).flatMap((change) => {
    const [gap] = gapOf(fields, change)
    const next = fromUtc(change.atMs + change.afterMs)
    return gap === undefined ? [] : [{ at: clock(gap), instead: clock(next), on: date(gap) }]
  })
}

const two = (n: number): string => String(n).padStart(2, '0')
const clock = ({ hour, minute }: { hour: number; minute: number }): string => `${two(hour)}:${two(minute)}`
const date = ({ year, month, day }: { year: number; month: number; day: number }): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(Date.UTC(year, month - 1, day))
