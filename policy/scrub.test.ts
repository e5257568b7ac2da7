import { expect, it } from 'vitest'
import { isScrubDue } from './scrub.ts'

const hour = 3_600_000
const day = 24 * hour
const nowMs = 1_800_000_000_000
const facts = { nowMs, setMs: nowMs - 30 * day, triedMs: nowMs - day, countedMs: nowMs - day + hour }

it('is due a day after the last one began, however long that took', () => {
  expect(isScrubDue(facts)).toBe(true)
  expect(isScrubDue({ ...facts, triedMs: nowMs - day + 1 })).toBe(false)
})

it('begins when it is switched on, and comes an hour after one that did not get through', () => {
  expect(isScrubDue({ nowMs, setMs: nowMs, triedMs: null, countedMs: null })).toBe(true)
  expect(isScrubDue({ ...facts, setMs: nowMs, triedMs: nowMs - 2 * hour, countedMs: nowMs - hour })).toBe(true)
  const failed = { ...facts, countedMs: nowMs - 9 * day }
  expect(isScrubDue({ ...failed, triedMs: nowMs - hour + 1 })).toBe(false)
  expect(isScrubDue({ ...failed, triedMs: nowMs - hour })).toBe(true)
})

it('is not stopped by a clock that was set back', () => {
  expect(isScrubDue({ ...facts, triedMs: nowMs + day, countedMs: nowMs + day })).toBe(true)
})
