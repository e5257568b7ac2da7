import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { keptSince, longestKeeping, recordKinds } from './keeping.ts'

it('keeps what product.md promises where nobody has decided otherwise', () => {
  const months = Object.fromEntries(Object.entries(recordKinds).map(([kind, { months: of }]) => [kind, of]))
  expect(months).toMatchObject({ audit: 24, runs: 12, usage: 12, notifications: 3, 'disk-usage': 6 })
  expect(Object.values(months).every((of) => of >= 1 && of <= longestKeeping)).toBe(true)
})

it('counts calendar months, and the last day of a short month stands for the days it lacks', () => {
  const since = (from: string, months: number): string => new Date(keptSince(Date.parse(from), months)).toISOString()
  expect(since('2026-11-21T06:36:40.000Z', 12)).toBe('2025-11-21T06:36:40.000Z')
  expect(since('2026-05-31T23:59:59.999Z', 3)).toBe('2026-02-28T23:59:59.999Z')
  expect(since('2028-03-31T00:00:00.000Z', 1)).toBe('2028-02-29T00:00:00.000Z')
  expect(since('2026-01-15T12:00:00.000Z', 24)).toBe('2024-01-15T12:00:00.000Z')
})

it('never takes a record younger than the shortest such months', () => {
  const ms = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) })
  fc.assert(
    fc.property(ms, fc.integer({ min: 1, max: longestKeeping }), (nowMs, months) => {
      const days = (nowMs - keptSince(nowMs, months)) / 86_400_000
      expect(days).toBeGreaterThanOrEqual(28 * months)
      expect(days).toBeLessThanOrEqual(31 * months)
    }),
  )
})
