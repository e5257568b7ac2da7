import fc from 'fast-check'
import { expect, it } from 'vitest'
import { longestOpenMs, planWindowAt } from './index.ts'
import type { Weekday, Window } from './index.ts'

const at = (text: string) => Date.parse(text)
const night: Window = { start: '22:00', end: '06:00', atEnd: 'pause' }

it('is open until its end, and says for people when a closed one opens', () => {
  expect(planWindowAt(night, 'Europe/Berlin', at('2026-11-20T22:00:00Z'))).toEqual({
    open: true,
    changesMs: at('2026-11-21T05:00:00Z'),
    until: null,
    atEnd: 'pause',
    releasesPoints: false,
  })
  expect(planWindowAt(night, 'Europe/Berlin', at('2026-11-21T05:00:00Z'))).toEqual({
    open: false,
    changesMs: at('2026-11-21T21:00:00Z'),
    until: 'Sat 21 Nov 22:00 (Europe/Berlin)',
    atEnd: 'pause',
    releasesPoints: false,
  })
})

it('gives points back over a weekend, and never between two days', () => {
  const workdays = { ...night, days: ['mon', 'tue', 'wed', 'thu', 'fri'] as Weekday[] }
  expect(planWindowAt(workdays, 'UTC', at('2026-11-21T06:00:00Z')).releasesPoints).toBe(true)
  expect(planWindowAt(workdays, 'UTC', at('2026-11-20T06:00:00Z')).releasesPoints).toBe(false)
  // From 04:00 on: a window in an hour that the clocks skip is not there at all that day.
  const two = (n: number) => String(n).padStart(2, '0')
  const start = fc.integer({ min: 16, max: 95 })
  const length = fc.integer({ min: 1, max: 95 })
  const clockOf = (quarter: number) => `${two(Math.floor(quarter / 4) % 24)}:${two((quarter % 4) * 15)}`
  const zone = fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago')
  const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') })
  fc.assert(
    fc.property(start, length, zone, moment, (from, quarters, timeZone, nowMs) => {
      const daily: Window = { start: clockOf(from), end: clockOf(from + quarters), atEnd: 'pause' }
      const state = planWindowAt(daily, timeZone, nowMs)
      expect(state.releasesPoints).toBe(false)
      if (state.changesMs !== null) expect(state.changesMs - nowMs).toBeLessThanOrEqual(longestOpenMs)
    }),
  )
})

it('that somebody went on without stays open until it opens by itself', () => {
  const opensMs = at('2026-11-21T22:00:00Z')
  const noon = at('2026-11-21T12:00:00Z')
  expect(planWindowAt(night, 'UTC', noon, opensMs)).toMatchObject({ open: true, changesMs: opensMs })
  expect(planWindowAt(night, 'UTC', noon, noon)).toMatchObject({ open: false })
  expect(planWindowAt(night, 'UTC', opensMs, opensMs)).toMatchObject({
    open: true,
    changesMs: at('2026-11-22T06:00:00Z'),
  })
})
