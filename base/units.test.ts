import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GiB, formatInstant, parseBytes, TiB, bytesText, durationText, parseDuration } from './index.ts'

test('sizes are read as people write them, in binary units, and nothing else is', () => {
  expect(['500GiB', '500 GiB', '500g', '1.5T', '4096', '7B'].map(parseBytes)).toEqual([
    500 * GiB,
    500 * GiB,
    500 * GiB,
    1.5 * TiB,
    4096,
    7,
  ])
  expect(['', 'GiB', '-1G', '1 GB', '1e3', '9999999P'].map(parseBytes)).toEqual(new Array(6).fill(undefined))
})

test('an instant in a sentence is its minute, and says in which zone', () => {
  expect(formatInstant(Date.UTC(2026, 10, 21, 2, 41, 10, 7))).toBe('2026-11-21 02:41 UTC')
})

test('durations and sizes in words are read back exactly', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (ms, size) => {
      expect(parseDuration(durationText(ms))).toBe(ms)
      expect(parseBytes(bytesText(size))).toBe(size)
      expect(parseBytes(bytesText(size * 2 ** 20))).toBe(size * 2 ** 20)
    }),
  )
  expect(['4h', '2w', '1h30m', '250ms', '30 d'].map(parseDuration)).toEqual([
    14_400_000, 1_209_600_000, 5_400_000, 250, 2_592_000_000,
  ])
  expect(['', '4', 'h', '4x', '-1h', '1.5h', '30m1h'].map(parseDuration)).toEqual(Array(7).fill(undefined))
  expect([durationText(86_400_000), durationText(90_000), bytesText(209_715_200)]).toEqual(['1d', '1m30s', '200MiB'])
})
