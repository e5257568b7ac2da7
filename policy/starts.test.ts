import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { missedStarts } from './index.ts'

const hour = 3_600_000
const from = Date.UTC(2026, 10, 20)
const hourly = {
  schedule: { kind: 'every', everyMs: hour },
  timeZone: 'UTC',
  sinceMs: from,
  reachedSinceMs: from,
} as const
const never = () => false

test('a start that did not come is missed only when it can come no more', () => {
  // An hour of catch-up, six minutes of jitter, two of slack.
  const lastMs = from + hour + hour + 8 * 60_000
  const look = (nowMs: number) => missedStarts({ ...hourly, nowMs, wasStarted: never, wasBusy: never })
  expect(look(lastMs - 1)).toEqual({ missed: [], watchedMs: from })
  expect(look(lastMs)).toEqual({ missed: [{ dueMs: from + hour, kind: 'missed' }], watchedMs: from + hour })
})

test('one that was left out because the run before still ran is told without that wait', () => {
  const nowMs = from + hour + 9 * 60_000
  const facts = { ...hourly, nowMs, wasStarted: never, wasBusy: () => true }
  expect(missedStarts(facts).missed).toEqual([{ dueMs: from + hour, kind: 'skipped' }])
})

test('what an engine may have started while it was not reached has time to be heard of', () => {
  const backMs = from + 5 * hour
  const look = (nowMs: number, startedMs: number | null) => {
    const wasStarted = (dueMs: number) => dueMs === startedMs
    return missedStarts({ ...hourly, nowMs, reachedSinceMs: backMs, wasStarted, wasBusy: never })
  }
  expect(look(backMs + 119_000, null)).toEqual({ missed: [], watchedMs: from })
  expect(look(backMs + 119_000, from + hour)).toEqual({ missed: [], watchedMs: from + hour })
  expect(look(backMs + 120_000, null).missed).toContainEqual({ dueMs: from + hour, kind: 'missed' })
})

test('what does not start by the clock misses nothing', () => {
  const facts = { ...hourly, schedule: { kind: 'manual' }, nowMs: from + 99 * hour } as const
  expect(missedStarts({ ...facts, wasStarted: never, wasBusy: never }).missed).toEqual([])
})

test('looking often or seldom finds the same', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 30 }),
      (startedHours, minutes) => {
        const started = new Set(startedHours.map((n) => from + n * hour))
        const facts = { ...hourly, wasStarted: (ms: number) => started.has(ms), wasBusy: never }
        const endMs = from + 48 * hour
        const all = missedStarts({ ...facts, nowMs: endMs }).missed
        const found: unknown[] = []
        let sinceMs = from
        let nowMs = from
        for (const step of [...minutes, 48 * 60]) {
          nowMs = Math.min(endMs, nowMs + step * 60_000)
          const look = missedStarts({ ...facts, sinceMs, nowMs })
          found.push(...look.missed)
          sinceMs = look.watchedMs
        }
        expect(found).toEqual(all)
      },
    ),
  )
})
