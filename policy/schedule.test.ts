import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkSchedule,
  describeSchedule,
  dueBetween,
  dueTimes,
  engineSpec,
  nextOccurrences,
  parseCron,
  timingOf,
} from './index.ts'
import type { Schedule } from './index.ts'

const hour = 3_600_000
const day = 24 * hour
const two = (n: number) => String(n).padStart(2, '0')
const daily = (hours: number[], minutes = [0]): Schedule => ({
  kind: 'calendar',
  at: hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}`)),
})
const cron = (expression: string): Schedule => ({ kind: 'cron', cron: expression })
const every = (everyMs: number, offsetMs = 0): Schedule => ({ kind: 'every', everyMs, offsetMs })
const next = (schedule: Schedule, zone: string, after: string, count: number) =>
  nextOccurrences(schedule, zone, Date.parse(after), count)

describe('the next times', () => {
  it('come with local time, UTC and offset', () => {
    expect(next(daily([2], [30]), 'Europe/Paris', '2026-11-21T12:00:00Z', 1)).toEqual([
      {
        atMs: Date.UTC(2026, 10, 22, 1, 30),
        local: '2026-11-22T02:30:00+01:00',
        utc: '2026-11-22T01:30:00.000Z',
        note: null,
      },
    ])
    expect(next(daily([2]), 'Asia/Kolkata', '2026-11-21T12:00:00Z', 1).map(({ local }) => local)).toEqual([
      '2026-11-22T02:00:00+05:30',
    ])
  })

  it('by interval are the same in every zone and on every day', () => {
    const times = next(every(4 * hour, hour), 'Europe/Paris', '2026-10-24T21:00:00Z', 4)
    expect(times.map(({ utc }) => utc.slice(11, 16))).toEqual(['01:00', '05:00', '09:00', '13:00'])
    expect(times.map(({ note }) => note)).toEqual([null, null, null, null])
  })

  it('where the clocks skip one are without it, and the next one says so', () => {
    const [first, second] = next(daily([2], [30]), 'Europe/Paris', '2026-03-28T12:00:00Z', 2)
    expect(first).toMatchObject({
      local: '2026-03-30T02:30:00+02:00',
      note: 'on 29 March 2026 the clocks go forward: there is no 02:30, nothing starts for it',
    })
    expect(second?.note).toBeNull()
  })

  it('where the clocks repeat one say how often it starts: twice west of Greenwich, the second time only east of it', () => {
    const newYork = next(daily([1], [30]), 'America/New_York', '2026-10-31T12:00:00Z', 3)
    expect(newYork.map(({ note }) => note)).toEqual([
      'on 1 November 2026 the clocks go back: 01:30 comes twice, this is the first time',
      'on 1 November 2026 the clocks go back: 01:30 comes twice, this is the second time',
      null,
    ])
    const paris = next(daily([2], [30]), 'Europe/Paris', '2026-10-24T12:00:00Z', 2)
    expect(paris.map(({ local, note }) => [local, note])).toEqual([
      [
        '2026-10-25T02:30:00+01:00',
        'on 25 October 2026 the clocks go back: 02:30 comes twice, it starts the second time only',
      ],
      ['2026-10-26T02:30:00+01:00', null],
    ])
  })

  it('on a day without midnight are left out where days of the week are named, and the next one says so', () => {
    const [sunday] = next(cron('59 23 * * sun'), 'America/Santiago', '2026-09-02T12:00:00Z', 1)
    expect(sunday).toMatchObject({
      local: '2026-09-13T23:59:00-03:00',
      note: 'on 6 September 2026 the clocks change: nothing starts at 23:59',
    })
  })

  it('end where there are none', () => {
    expect(next(cron('0 0 29 2 *'), 'UTC', '2026-01-01T00:00:00Z', 2).map(({ utc }) => utc.slice(0, 10))).toEqual([
      '2028-02-29',
      '2032-02-29',
    ])
    expect(next(daily([1]), 'UTC', '2100-12-31T00:30:00Z', 5)).toHaveLength(1)
  })

  it('rise strictly, and do not depend on where one begins to look', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca')
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 5 })
    const minutes = fc.uniqueArray(fc.constantFrom(0, 15, 30, 45), { minLength: 1, maxLength: 3 })
    const anywhere = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) })
    fc.assert(
      fc.property(zones, hours, minutes, anywhere, (timeZone, inHours, inMinutes, afterMs) => {
        const schedule = daily(inHours, inMinutes)
        const times = nextOccurrences(schedule, timeZone, afterMs, 6).map(({ atMs }) => atMs)
        expect(times).toHaveLength(6)
        expect([afterMs, ...times]).toEqual([...new Set([afterMs, ...times])].sort((a, b) => a - b))
        expect(nextOccurrences(schedule, timeZone, times[2] ?? 0, 3).map(({ atMs }) => atMs)).toEqual(times.slice(3))
      }),
      { numRuns: 60 },
    )
  })
})

describe('a schedule', () => {
  it('is checked as a whole, and every problem is said', () => {
    expect(checkSchedule(daily([2], [30]), 'Europe/Paris')).toEqual([])
    expect(checkSchedule({ kind: 'calendar', at: ['24:60'], monthDays: [32], months: [0] }, 'Europe/Lyon')).toEqual([
      '“Europe/Lyon” is no time zone',
      '“24:60” is no time of day: HH:MM',
      '32 is no day of the month: 1 to 31',
      '0 is no month: 1 to 12',
    ])
    expect(checkSchedule({ kind: 'calendar', at: [] }, 'UTC')).toEqual(['no time of day is named'])
    expect(checkSchedule(daily([1]), '+02:00')).toEqual(['“+02:00” is no time zone'])
    expect(checkSchedule({ kind: 'calendar', at: ['01:00'], monthDays: [30, 31], months: [2] }, 'UTC')).toEqual([
      'there is no such day: it would never start',
    ])
    for (const wrong of [every(1_000), every(hour, hour), every(hour + 1)])
      expect(checkSchedule(wrong, 'UTC')).toHaveLength(1)
    expect(checkSchedule(cron('0 25 * * *'), 'UTC')).toEqual(['“25” is no hour'])
    expect(checkSchedule({ kind: 'manual' }, 'UTC')).toEqual([])
  })

  it('that does not go by the clock has no times', () => {
    for (const schedule of [{ kind: 'manual' }, { kind: 'after', plan: 'nightly' }] as const) {
      expect(next(schedule, 'UTC', '2026-01-01T00:00:00Z', 3)).toEqual([])
      expect(timingOf(schedule)).toBeNull()
      expect(engineSpec(schedule, 'UTC')).toBeNull()
    }
  })

  it('names each time of the day, not a grid of hours and minutes', () => {
    const times = next({ kind: 'calendar', at: ['14:15', '02:30'] }, 'UTC', '2026-11-21T00:00:00Z', 3)
    expect(times.map(({ utc }) => utc.slice(8, 16))).toEqual(['21T02:30', '21T14:15', '22T02:30'])
  })

  it('has catch-up and jitter from its shortest interval, the same on every day of the year', () => {
    expect(timingOf(daily([2]))).toEqual({ intervalMs: day, catchupMs: 6 * hour, jitterMs: 900_000 })
    expect(timingOf(daily([0, 1, 6]))).toEqual({ intervalMs: hour, catchupMs: hour, jitterMs: 360_000 })
    expect(timingOf(every(5 * 60_000))).toEqual({ intervalMs: 300_000, catchupMs: 300_000, jitterMs: 30_000 })
    expect(timingOf(cron('0 3 1 1 *'))?.catchupMs).toBe(6 * hour)
  })

  it('says in words when it is', () => {
    expect(describeSchedule(daily([2], [30]), 'Europe/Paris')).toBe('every day at 02:30 (Europe/Paris)')
    expect(describeSchedule(cron('0 1,13 * * mon-fri'), 'UTC')).toBe(
      'on Mon, Tue, Wed, Thu and Fri at 01:00 and 13:00 (UTC)',
    )
    expect(describeSchedule(cron('*/15 * * * *'), 'UTC')).toBe('every day every hour at :00, :15, :30 and :45 (UTC)')
    expect(describeSchedule(every(4 * hour, 1_800_000), 'UTC')).toBe(
      'every 4 h and 30 min after, counted from midnight UTC',
    )
    expect(describeSchedule(cron('0 3 1 1,7 *'), 'UTC')).toBe('on day 1 of the month, in Jan and Jul at 03:00 (UTC)')
  })
})

describe('a cron expression', () => {
  it('takes lists, ranges, steps, names and Sunday as 0 and 7', () => {
    expect(parseCron('5-50/15 0,12 1-3 jan-mar sun,7')).toEqual({
      minutes: [5, 20, 35, 50],
      hours: [0, 12],
      daysOfMonth: [1, 2, 3],
      months: [1, 2, 3],
      weekdays: [7],
    })
    expect(parseCron('@weekly')).toMatchObject({ minutes: [0], hours: [0], weekdays: [7] })
    expect(parseCron('50/5 * * * *')).toMatchObject({ minutes: [50, 55] })
  })

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '5-1 * * * *',
    '*/0 * * * *',
    '* * 0 * *',
    '* * * foo *',
    '*-5 * * * *',
    '1- * * * *',
  ])('is refused with its reason: %s', (expression) => {
    expect(parseCron(expression)).toEqual(expect.any(String))
  })
})

it('all starts of a time are those that are found one by one, also where clocks change', { timeout: 60_000 }, () => {
  // Each with a change of its clocks in that time: at night, by half an hour, and back at midnight.
  const zones = ['Europe/Paris', 'Australia/Lord_Howe', 'Africa/Cairo', 'UTC']
  const schedules = [
    cron('*/7 * * * *'),
    cron('3,22,59 0-4,23 * * *'),
    cron('* 1-2 * 10 0'),
    daily([2, 23], [0, 45]),
    every(5 * hour, hour),
  ]
  for (const zone of zones)
    for (const schedule of schedules)
      for (const [month, first] of [
        [3, 27],
        [9, 1],
        [9, 23],
      ] as const) {
        const [after, until] = [Date.UTC(2027, month, first, 5, 7, 13), Date.UTC(2027, month, first + 9)]
        const found = nextOccurrences(schedule, zone, after, 5_000).map(({ atMs }) => atMs)
        const due = dueTimes(schedule)
        expect(due && dueBetween(due, zone, after, until)).toEqual(found.filter((at) => at <= until))
      }
})
