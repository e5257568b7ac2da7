import { expect, it } from 'vitest'
import { isMeasuringDue, measuringPace } from './measuring.ts'

const { dailyMs, firstMs, againMs } = measuringPace
const nowMs = 1_800_000_000_000
const facts = { nowMs, createdMs: nowMs - 9 * dailyMs, measuredMs: nowMs - dailyMs, triedMs: null }

it('is due a day after the last one, and an hour after it was added if there was none', () => {
  expect(isMeasuringDue(facts)).toBe(true)
  expect(isMeasuringDue({ ...facts, measuredMs: nowMs - dailyMs + 1 })).toBe(false)
  const fresh = { ...facts, measuredMs: null, createdMs: nowMs - firstMs }
  expect(isMeasuringDue(fresh)).toBe(true)
  expect(isMeasuringDue({ ...fresh, createdMs: nowMs - firstMs + 1 })).toBe(false)
})

it('waits after a try that came to nothing, and is not stopped by a clock that was set back', () => {
  expect(isMeasuringDue({ ...facts, triedMs: nowMs - againMs + 1 })).toBe(false)
  expect(isMeasuringDue({ ...facts, triedMs: nowMs - againMs })).toBe(true)
  const ahead = { ...facts, measuredMs: nowMs + dailyMs, triedMs: nowMs + dailyMs }
  expect(isMeasuringDue(ahead)).toBe(true)
})
