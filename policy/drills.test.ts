import { expect, it } from 'vitest'
import { drillTimes } from './drills.ts'

const day = 86_400_000
const facts = { everyMs: 40 * day, firstPointMs: 100 * day, lastPassedMs: null, triedMs: null, tries: 0 }

it('asks for nothing where there is no point', () => {
  expect(drillTimes({ ...facts, firstPointMs: null })).toBeNull()
})

it('begins the first drill a day after the first point and is due after thirty', () => {
  expect(drillTimes(facts)).toEqual({ fromMs: 101 * day, dueMs: 130 * day })
})

it('tries again a day after one that did not pass, never before', () => {
  expect(drillTimes({ ...facts, triedMs: 105 * day, tries: 1 })).toEqual({ fromMs: 106 * day, dueMs: 130 * day })
  expect(drillTimes({ ...facts, triedMs: 99 * day, tries: 1 })?.fromMs).toBe(101 * day)
})

it('waits twice as long after each one that did not pass, sixteen days at most', () => {
  const pause = (tries: number): number =>
    ((drillTimes({ ...facts, triedMs: 105 * day, tries })?.fromMs ?? 0) - 105 * day) / day
  expect([1, 2, 3, 4, 5, 6, 400].map(pause)).toEqual([1, 2, 4, 8, 16, 16, 16])
})

it('begins a quarter of the interval before it is due, two weeks at most', () => {
  expect(drillTimes({ ...facts, lastPassedMs: 200 * day, triedMs: 199 * day })).toEqual({
    fromMs: 230 * day,
    dueMs: 240 * day,
  })
  expect(drillTimes({ ...facts, everyMs: 366 * day, lastPassedMs: 200 * day })).toEqual({
    fromMs: 552 * day,
    dueMs: 566 * day,
  })
})

it('counts one that was begun after the last that passed', () => {
  const times = drillTimes({ ...facts, lastPassedMs: 200 * day, triedMs: 235 * day, tries: 1 })
  expect(times).toEqual({ fromMs: 236 * day, dueMs: 240 * day })
})
