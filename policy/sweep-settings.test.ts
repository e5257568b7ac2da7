import { expect, test } from 'vitest'
import { nothingSet, sweepDefaults, sweepOverdueAfterMs, sweepSettingsOf } from './sweep-settings.ts'

const day = 86_400_000

test('each member is what the repository says, else what all say, else the default', () => {
  const all = { ...nothingSet, graceMs: 3 * day, maxShare: 0.2 }
  const own = { ...nothingSet, graceMs: 0, approval: 'required' as const }
  expect(sweepSettingsOf(own, all)).toEqual({ ...sweepDefaults, graceMs: 0, approval: 'required', maxShare: 0.2 })
  expect(sweepSettingsOf(nothingSet, nothingSet)).toEqual(sweepDefaults)
})

test('a sweep that may take its grace time is overdue two days after that, and never before three days', () => {
  expect(sweepOverdueAfterMs({ graceMs: 0 })).toBe(3 * day)
  expect(sweepOverdueAfterMs({ graceMs: day })).toBe(3 * day)
  expect(sweepOverdueAfterMs({ graceMs: 30 * day })).toBe(32 * day)
})
