import { expect, test } from 'vitest'
import { whatIf, type WhatIf } from './what-if.ts'

const GiB = 2 ** 30
const day = 86_400_000
const nowMs = Date.UTC(2026, 10, 21)
const wish: WhatIf = {
  vms: 10,
  bytesPerVm: 100 * GiB,
  changeShare: 0.05,
  storedShare: 0.5,
  headroom: 0.25,
  keep: { daily: 14, weekly: 4, timeZone: 'UTC' },
  everyMs: day,
}
const from = { nowMs, storedBytes: 1000 * GiB, forecast: { perDay: GiB } }

test('what is there grows on, what comes in grows until its retention is full, and both leave room over', () => {
  const { marks, fullMs } = whatIf(wish, from, null)
  expect(marks).toHaveLength(14)
  expect(marks[0]).toEqual({
    timeMs: nowMs,
    expectedBytes: 1000 * GiB,
    addedBytes: 500 * GiB,
    neededBytes: 1875 * GiB,
  })
  const last = marks.at(-1)
  expect(last?.expectedBytes).toBe(1365 * GiB)
  // Fourteen days and four weeks of a twentieth each, less where changes meet.
  expect((last?.addedBytes ?? 0) / (500 * GiB)).toBeGreaterThan(1.8)
  expect((last?.addedBytes ?? 0) / (500 * GiB)).toBeLessThan(3)
  expect(last?.neededBytes).toBe(Math.round(((last?.expectedBytes ?? 0) + (last?.addedBytes ?? 0)) * 1.25))
  expect(fullMs).toBeNull()
})

test('the first week without room is named', () => {
  expect(whatIf(wish, from, 1000 * GiB).fullMs).toBe(nowMs)
  const later = whatIf(wish, from, 2600 * GiB).fullMs ?? 0
  expect(later).toBeGreaterThan(nowMs)
  expect(later).toBeLessThan(nowMs + 365 * day)
  expect(whatIf({ ...wish, vms: 0, headroom: 0 }, from, 1400 * GiB).fullMs).toBeNull()
})
