import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forecastUsage, type UsageSample } from './forecast.ts'
import { simulateRetention } from './simulate.ts'

const day = 86_400_000
const GiB = 2 ** 30
const start = Date.UTC(2026, 0, 1, 2)

function line(days: number, perDay: number, from = 100 * GiB): UsageSample[] {
  return Array.from({ length: days }, (_, n) => ({ ms: start + n * day, bytes: from + n * perDay }))
}

/** Numbers in [0, 1), the same in every run. */
function drawn(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('a straight line is told to the day', () => {
  const forecast = forecastUsage(line(60, GiB), 90 * GiB)
  expect(forecast).toMatchObject({ state: 'growing', perDay: GiB, samples: 60, days: 59 })
  expect(forecast.fullMs).toBe(start + (59 + 90) * day)
  expect(forecast.earliestMs).toBe(forecast.fullMs)
})

test('too little says nothing, and what is full is full', () => {
  expect(forecastUsage([], 5)).toMatchObject({ state: 'too-few', fullMs: null })
  expect(forecastUsage(line(6, GiB), 5 * GiB)).toMatchObject({ state: 'too-few', perDay: null, fullMs: null })
  const often = Array.from({ length: 40 }, (_, n) => ({ ms: start + n * 3_600_000, bytes: n * GiB }))
  expect(forecastUsage(often, 5 * GiB).state).toBe('too-few')
  expect(forecastUsage(line(3, GiB), 0)).toMatchObject({ state: 'full', fullMs: start + 2 * day })
})

test('without growth, or without a known room, there is no day', () => {
  expect(forecastUsage(line(60, 0), GiB)).toMatchObject({ state: 'steady', fullMs: null })
  expect(forecastUsage(line(60, -GiB, 900 * GiB), GiB)).toMatchObject({ state: 'shrinking', fullMs: null })
  expect(forecastUsage(line(60, GiB), null)).toMatchObject({ state: 'growing', perDay: GiB, fullMs: null })
  // In a hundred years: not a date that anybody plans by.
  expect(forecastUsage(line(60, 1024), 90 * GiB)).toMatchObject({ state: 'growing', fullMs: null })
})

test('one collection that frees a third bends the growth little, and days without a sample do no harm', () => {
  const collected = line(60, GiB, 200 * GiB).map((one, n) => (n < 50 ? one : { ...one, bytes: one.bytes - 20 * GiB }))
  const gaps = collected.filter((_, n) => n % 3 !== 1)
  for (const samples of [collected, gaps]) {
    const { perDay } = forecastUsage(samples, 90 * GiB)
    expect((perDay ?? 0) / GiB).toBeGreaterThan(0.6)
    expect((perDay ?? 0) / GiB).toBeLessThanOrEqual(1)
  }
})

test('the order of samples does not matter, and the interval holds what it says', () => {
  const random = drawn(3)
  const samples = line(90, GiB).map((one) => ({ ...one, bytes: one.bytes + random() * 5 * GiB }))
  const forecast = forecastUsage(samples, 50 * GiB)
  expect(forecastUsage(samples.toReversed(), 50 * GiB)).toEqual(forecast)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 10, maxLength: 60 }), (bytes) => {
      const { perDay, perDayLow, perDayHigh, fullMs, earliestMs } = forecastUsage(
        bytes.map((one, n) => ({ ms: start + n * day, bytes: one * GiB })),
        GiB,
      )
      expect(perDayLow).toBeLessThanOrEqual(perDay ?? NaN)
      expect(perDayHigh).toBeGreaterThanOrEqual(perDay ?? NaN)
      if (fullMs !== null) expect(earliestMs).toBeLessThanOrEqual(fullMs)
    }),
  )
})

/**
 * A year of a repository, day by day: VMs that are protected one after the other, each with the points that its rules keep
 * (daily, weekly, monthly), noise, more on working days, and a collection once a week that frees what retention let go.
 */
function simulatedYear(seed: number): UsageSample[] {
  const random = drawn(seed)
  const days = Array.from({ length: 450 }, (_, n) => start + n * day)
  const rules = { daily: 14, weekly: 8, monthly: 6, timeZone: 'UTC' }
  const vms = Array.from({ length: 50 }, (_, n) => {
    const begins = Math.floor(n < 25 ? 0 : random() * 420)
    const fullBytes = (20 + random() * 60) * GiB
    const growth = { fullBytes, changedBytesPerDay: fullBytes * (0.02 + random() * 0.03) }
    const marks = days.slice(begins)
    const { marks: held } = simulateRetention(marks, rules, growth, marks)
    // Guests themselves grow by a few per cent a month.
    const drift = 1 + (0.01 + random() * 0.03) / 30
    return days.map((_, at) => (at < begins ? 0 : (held[at - begins]?.bytes ?? 0) * drift ** (at - begins)))
  })
  let collected = 0
  return days.map((ms, at) => {
    const needed = vms.reduce((sum, vm) => sum + (vm[at] ?? 0), 0) * (1 + (random() - 0.5) * 0.01)
    // What is not collected yet still takes room.
    collected = at % 7 === 0 ? needed : Math.max(collected, needed)
    return { ms, bytes: collected }
  })
}

describe('a simulated year of growth', () => {
  // Every two weeks somebody asks when another sixty days of growth will have filled the place, and is told later.
  const seen = [1, 2, 3, 4].flatMap((seed) => {
    const year = simulatedYear(seed)
    return Array.from({ length: 20 }, (_, n) => 60 + n * 14).flatMap((at) => {
      const past = year.slice(0, at + 1)
      const now = past.at(-1)
      const later = year[at + 60]
      if (now === undefined || later === undefined || later.bytes <= now.bytes) return []
      const filled = year.findIndex((one, index) => index > at && one.bytes >= later.bytes)
      const forecast = forecastUsage(past, later.bytes - now.bytes)
      const told = forecast.fullMs === null ? null : (forecast.fullMs - now.ms) / day
      const inside =
        (forecast.earliestMs ?? Infinity) <= (year[filled]?.ms ?? 0) &&
        (forecast.latestMs ?? Infinity) >= (year[filled]?.ms ?? 0)
      return [{ days: filled - at, told, inside }]
    })
  })
  const errors = seen
    .flatMap(({ days, told }) => (told === null ? [] : [Math.abs(told - days) / days]))
    .sort((a, b) => a - b)
  const share = (part: number): number => errors[Math.floor(errors.length * part)] ?? NaN

  test('half of the dates are off by less than 35 %, nine of ten by less than their own distance', () => {
    expect(errors.length).toBeGreaterThan(70)
    expect(share(0.5)).toBeLessThan(0.35)
    expect(share(0.9)).toBeLessThan(1)
  })

  test('the interval holds what came in at least 85 of 100 cases', () => {
    expect(seen.filter(({ inside }) => inside).length / seen.length).toBeGreaterThan(0.85)
  })
})
