import type { CalendarFields } from './cron.ts'
import type { DueTimes } from './occurrences.ts'
import type { Schedule } from './plan.ts'
import { dueTimes, timingOf } from './schedule.ts'

/** The engine's own form of a schedule; structurally what its client takes. */
export interface EngineSpec {
  readonly calendars: EngineCalendar[]
  readonly intervals: { readonly every: number; readonly offset: number }[]
  readonly timezone: string
  readonly jitter: number
}

export interface EngineCalendar {
  readonly second: number
  readonly minute: number[]
  readonly hour: number[]
  readonly dayOfMonth: number[]
  readonly month: EngineMonth[]
  readonly dayOfWeek: EngineDay[]
}

const months = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const
const days = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const
export type EngineMonth = (typeof months)[number]
export type EngineDay = (typeof days)[number]

/** null: it does not start by the clock. */
export function engineSpec(schedule: Schedule, timeZone: string): EngineSpec | null {
  const due = dueTimes(schedule)
  const timing = timingOf(schedule)
  if (due === null || timing === null) return null
  return {
    calendars: due.kind === 'calendar' ? due.fields.map(calendarOf) : [],
    intervals: due.kind === 'interval' ? [{ every: due.everyMs, offset: due.offsetMs }] : [],
    timezone: timeZone,
    jitter: timing.jitterMs,
  }
}

function calendarOf(fields: CalendarFields): EngineCalendar {
  return {
    second: 0,
    minute: [...fields.minutes],
    hour: [...fields.hours],
    dayOfMonth: [...fields.daysOfMonth],
    month: months.filter((_, index) => fields.months.includes(index + 1)),
    dayOfWeek: days.filter((_, index) => fields.weekdays.includes(index + 1)),
  }
}

/** A range as the engine describes it. */
interface EngineRange<T> {
  readonly start: T
  readonly end: T
  readonly step: number
}

/** What the engine says a schedule is, as far as it concerns when. */
export interface DescribedSpec {
  readonly calendars?: readonly {
    readonly second: readonly EngineRange<number>[]
    readonly minute: readonly EngineRange<number>[]
    readonly hour: readonly EngineRange<number>[]
    readonly dayOfMonth: readonly EngineRange<number>[]
    readonly month: readonly EngineRange<string>[]
    readonly year: readonly EngineRange<number>[]
    readonly dayOfWeek: readonly EngineRange<string>[]
  }[]
  readonly intervals?: readonly { readonly every: number; readonly offset: number }[]
  readonly skip?: readonly unknown[]
  readonly timezone?: string
  readonly jitter?: number
  readonly startAt?: Date
  readonly endAt?: Date
}

/** Whether the engine's schedule means the same times; anything that we never ask for is a difference. */
export function meansTheSame(schedule: Schedule, timeZone: string, described: DescribedSpec): boolean {
  if (described.skip?.length || described.startAt || described.endAt) return false
  if ((described.timezone || 'UTC') !== timeZone) return false
  if ((described.jitter ?? 0) !== timingOf(schedule)?.jitterMs) return false
  const ours = dueTimes(schedule)
  const theirs = describedTimes(described)
  return ours !== null && theirs !== null && keyOf(theirs) === keyOf(ours)
}

function keyOf(due: DueTimes): string {
  if (due.kind === 'interval') return JSON.stringify([due.everyMs, due.offsetMs])
  const calendars = due.fields.map((it) =>
    JSON.stringify([it.minutes, it.hours, it.daysOfMonth, it.months, it.weekdays]),
  )
  return calendars.sort().join(' ')
}

function describedTimes({ calendars = [], intervals = [] }: DescribedSpec): DueTimes | null {
  const [interval, ...more] = intervals
  if (interval !== undefined) {
    if (more.length + calendars.length > 0) return null
    return { kind: 'interval', everyMs: interval.every, offsetMs: interval.offset }
  }
  const fields = calendars.map((calendar) => {
    if (calendar.year.length > 0 || JSON.stringify(numbers(calendar.second)) !== '[0]') return null
    return {
      minutes: numbers(calendar.minute),
      hours: numbers(calendar.hour),
      daysOfMonth: numbers(calendar.dayOfMonth),
      months: numbers(named(calendar.month, months)),
      weekdays: numbers(named(calendar.dayOfWeek, days)),
    }
  })
  const known = fields.filter((it) => it !== null)
  return known.length === fields.length ? { kind: 'calendar', fields: known } : null
}

/** Names as numbers from 1. The engine's week begins on Sunday: a range from there goes round ours. */
function named(ranges: readonly EngineRange<string>[], names: readonly string[]): EngineRange<number>[] {
  return ranges.flatMap(({ start, end, step }) => {
    const from = names.indexOf(start)
    const length = ((names.indexOf(end) - from + names.length) % names.length) + 1
    return Array.from({ length }, (_, index) => index)
      .filter((index) => index % Math.max(1, step) === 0)
      .map((index) => ((from + index) % names.length) + 1)
      .map((value) => ({ start: value, end: value, step: 1 }))
  })
}

function numbers(ranges: readonly EngineRange<number>[]): number[] {
  const values = new Set<number>()
  for (const { start, end, step } of ranges) {
    for (let value = start; value <= Math.max(start, end); value += Math.max(1, step)) values.add(value)
  }
  return [...values].sort((a, b) => a - b)
}
