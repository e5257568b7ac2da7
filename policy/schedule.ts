import { clockOf, daysInMonth, isTimeZone, localIso } from './clock.ts'
import { noteOn, skippedTimes, type SkippedTime } from './clock-notes.ts'
import { parseCron } from './cron.ts'
import type { CalendarFields } from './cron.ts'
import { nextDue } from './occurrences.ts'
import type { DueTimes } from './occurrences.ts'
import { weekdays } from './plan.ts'
import { spreadMs } from './posture.ts'
import type { Schedule } from './plan.ts'

export interface Occurrence {
  readonly atMs: number
  /** `2026-10-25T02:30:00+01:00` */
  readonly local: string
  readonly utc: string
  /** What the clocks of the zone do to this time, in a sentence; null: nothing. */
  readonly note: string | null
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const shortestMs = minuteMs
const longestMs = 366 * dayMs

/** Every problem of a schedule, in words; empty: it can be used. */
export function checkSchedule(schedule: Schedule, timeZone: string): string[] {
  const problems: string[] = []
  if (!isTimeZone(timeZone)) problems.push(`“${timeZone}” is no time zone`)
  if (schedule.kind === 'every') {
    const { everyMs, offsetMs = 0 } = schedule
    if (!Number.isSafeInteger(everyMs / 1000) || everyMs < shortestMs || everyMs > longestMs)
      problems.push('the interval is between one minute and 366 days, in whole seconds')
    else if (!Number.isSafeInteger(offsetMs / 1000) || offsetMs < 0 || offsetMs >= everyMs)
      problems.push('the offset is shorter than the interval, in whole seconds')
  } else if (schedule.kind === 'cron') {
    const parsed = parseCron(schedule.cron)
    if (typeof parsed === 'string') problems.push(parsed)
  } else if (schedule.kind === 'calendar') {
    if (schedule.at.length === 0) problems.push('no time of day is named')
    problems.push(
      ...schedule.at.filter((at) => clockOf(at) === null).map((at) => `“${at}” is no time of day: HH:MM`),
      ...outside('day of the month', schedule.monthDays, 31),
      ...outside('month', schedule.months, 12),
    )
  }
  if (problems.length === 0 && !canHappen(schedule)) problems.push('there is no such day: it would never start')
  return problems
}

function outside(name: string, values: readonly number[] | undefined, max: number): string[] {
  const wrong = (values ?? []).filter((value) => !Number.isInteger(value) || value < 1 || value > max)
  return wrong.map((value) => `${value} is no ${name}: 1 to ${max}`)
}

function canHappen(schedule: Schedule): boolean {
  const due = dueTimes(schedule)
  // A leap year: 29 February is a day, 30 February is none.
  return (
    due?.kind !== 'calendar' ||
    due.fields.some(({ months, daysOfMonth }) =>
      months.some((month) => daysOfMonth.some((day) => day <= daysInMonth(2024, month))),
    )
  )
}

/** null: it does not start by the clock. Throws RangeError for a schedule with problems. */
export function dueTimes(schedule: Schedule): DueTimes | null {
  if (schedule.kind === 'manual' || schedule.kind === 'after') return null
  if (schedule.kind === 'every')
    return { kind: 'interval', everyMs: schedule.everyMs, offsetMs: schedule.offsetMs ?? 0 }
  const fields = schedule.kind === 'cron' ? parseCron(schedule.cron) : calendarFields(schedule)
  if (typeof fields === 'string') throw new RangeError(fields)
  return { kind: 'calendar', fields: Array.isArray(fields) ? fields : [fields] }
}

/** Starts that the clocks of the zone pass over within a year. Throws RangeError for a schedule with problems. */
export function skippedStarts(schedule: Schedule, timeZone: string, nowMs: number): SkippedTime[] {
  const due = dueTimes(schedule)
  return due?.kind === 'calendar' ? skippedTimes(due, timeZone, nowMs, nowMs + 365 * dayMs) : []
}

/** Times of day are no grid of hours and minutes: each minute has its own hours. */
function calendarFields({ at, days, monthDays, months }: Schedule & { kind: 'calendar' }): CalendarFields[] | string {
  const hoursOf = new Map<number, number[]>()
  for (const text of at) {
    const time = clockOf(text)
    if (time === null) return `“${text}” is no time of day`
    hoursOf.set(time.minute, [...(hoursOf.get(time.minute) ?? []), time.hour])
  }
  const common = {
    daysOfMonth: sorted(monthDays, 31),
    months: sorted(months, 12),
    weekdays: sorted(
      days?.map((name) => weekdays.indexOf(name) + 1),
      7,
    ),
  }
  return [...hoursOf]
    .sort(([a], [b]) => a - b)
    .map(([minute, hours]) => ({ minutes: [minute], hours: sorted(hours, 24), ...common }))
}

/** Absent or empty: all from 1. */
function sorted(values: readonly number[] | undefined, count: number): number[] {
  if (values === undefined || values.length === 0) return Array.from({ length: count }, (_, index) => index + 1)
  return [...new Set(values)].sort((a, b) => a - b)
}

/** The next times after an instant, without jitter: at most `count` of them; none of what does not start by the clock. */
export function nextOccurrences(schedule: Schedule, timeZone: string, afterMs: number, count: number): Occurrence[] {
  const due = dueTimes(schedule)
  if (due === null) return []
  const found: Occurrence[] = []
  for (let before = afterMs; found.length < count;) {
    const atMs = nextDue(due, timeZone, before)
    if (atMs === null) break
    const note = due.kind === 'calendar' ? noteOn(due, timeZone, before, atMs) : null
    found.push({ atMs, local: localIso(timeZone, atMs), utc: new Date(atMs).toISOString(), note })
    before = atMs
  }
  return found
}

export interface ScheduleTiming {
  /** The shortest time between two starts. */
  readonly intervalMs: number
  /** A start that the engine could not make in time is made up for so long, and is missed after that. */
  readonly catchupMs: number
  /** Starts are spread over so long, so that not everything begins in the same second. */
  readonly jitterMs: number
}

const timings = new Map<string, ScheduleTiming>()

/** Reckoned without clock changes, so that it is the same on every day of the year. null: it does not start by the clock. */
export function timingOf(schedule: Schedule): ScheduleTiming | null {
  const due = dueTimes(schedule)
  if (due === null) return null
  const key = JSON.stringify(due)
  const known = timings.get(key)
  if (known !== undefined) return known
  const intervalMs = due.kind === 'interval' ? due.everyMs : shortestGap(due)
  const catchupMs = Math.max(10_000, Math.min(intervalMs, 6 * hourMs))
  const jitterMs = Math.floor(Math.min(intervalMs / 10, spreadMs) / 1000) * 1000
  const timing = { intervalMs, catchupMs, jitterMs }
  if (timings.size > 1_000) timings.clear()
  timings.set(key, timing)
  return timing
}

function shortestGap(due: DueTimes): number {
  let shortest = longestMs
  let last = nextDue(due, 'UTC', Date.UTC(2024, 0, 1) - 1)
  for (let seen = 0; last !== null && seen < 400; seen += 1) {
    const next = nextDue(due, 'UTC', last)
    if (next === null || next > Date.UTC(2026, 0, 1)) break
    shortest = Math.min(shortest, next - last)
    last = next
  }
  return shortest
}
