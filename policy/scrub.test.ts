import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isScrubDue, nextScrubMs } from './scrub.ts'

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

it('says beforehand when: then it is due, and a moment earlier it is not', () => {
  const ago = fc.option(fc.integer({ min: 0, max: 3 * day }))
  fc.assert(
    fc.property(ago, ago, fc.integer({ min: 0, max: 9 * day }), (tried, counted, set) => {
      const known = {
        setMs: nowMs - set,
        triedMs: tried === null ? null : nowMs - tried,
        countedMs: counted === null ? null : nowMs - counted,
      }
      const next = nextScrubMs({ ...known, nowMs })
      if (next <= nowMs) expect(isScrubDue({ ...known, nowMs })).toBe(true)
      else expect([next - 1, next].map((ms) => isScrubDue({ ...known, nowMs: ms }))).toEqual([false, true])
    }),
  )
})
