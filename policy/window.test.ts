import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bandwidthAt, checkHours, windowAt } from './index.ts'
import type { Weekday } from './index.ts'

const at = (text: string) => Date.parse(text)
const night = { start: '22:00', end: '06:00' }

describe('a window', () => {
  it('over midnight belongs to the day on which it opens', () => {
    const fridays = { ...night, days: ['fri'] as Weekday[] }
    // 20 November 2026 is a Friday.
    expect(windowAt(fridays, 'UTC', at('2026-11-20T21:59:59Z'))).toEqual({
      open: false,
      opensMs: at('2026-11-20T22:00:00Z'),
    })
    expect(windowAt(fridays, 'UTC', at('2026-11-20T22:00:00Z'))).toEqual({
      open: true,
      closesMs: at('2026-11-21T06:00:00Z'),
    })
    expect(windowAt(fridays, 'UTC', at('2026-11-21T05:59:59Z'))).toEqual({
      open: true,
      closesMs: at('2026-11-21T06:00:00Z'),
    })
    expect(windowAt(fridays, 'UTC', at('2026-11-21T06:00:00Z'))).toEqual({
      open: false,
      opensMs: at('2026-11-27T22:00:00Z'),
    })
  })

  it('that touches the next one is one with it, and one of all day never closes', () => {
    const weekend = { start: '00:00', end: '00:00', days: ['sat', 'sun'] as Weekday[] }
    expect(windowAt(weekend, 'UTC', at('2026-11-21T12:00:00Z'))).toEqual({
      open: true,
      closesMs: at('2026-11-23T00:00:00Z'),
    })
    expect(windowAt({ start: '03:00', end: '03:00' }, 'Europe/Paris', at('2026-11-21T12:00:00Z'))).toEqual({
      open: true,
      closesMs: null,
    })
  })

  it('is an hour longer or shorter where the clocks change, and ends when the clock first shows its end', () => {
    expect(windowAt(night, 'Europe/Paris', at('2026-10-24T23:00:00Z'))).toEqual({
      open: true,
      closesMs: at('2026-10-25T05:00:00Z'),
    })
    expect(windowAt({ start: '22:00', end: '02:30' }, 'Europe/Paris', at('2026-10-24T23:00:00Z'))).toEqual({
      open: true,
      closesMs: at('2026-10-25T00:30:00Z'),
    })
  })

  it('whose hours the clock skips begins with the skip, or is not there at all that day', () => {
    expect(windowAt({ start: '02:30', end: '05:00' }, 'Europe/Paris', at('2026-03-29T00:00:00Z'))).toEqual({
      open: false,
      opensMs: at('2026-03-29T01:00:00Z'),
    })
    expect(windowAt({ start: '02:10', end: '02:50' }, 'Europe/Paris', at('2026-03-29T00:00:00Z'))).toEqual({
      open: false,
      opensMs: at('2026-03-30T00:10:00Z'),
    })
  })

  it('changes exactly when it says: before it is the same, from then on the other', () => {
    const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 45)).map(([h, m]) => {
      return `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`
    })
    const days = fc.subarray<Weekday>(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
    const zone = fc.constantFrom('UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago')
    const now = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') })
    fc.assert(
      fc.property(clock, clock, days, zone, now, (start, end, onDays, timeZone, nowMs) => {
        const hours = { start, end, days: onDays }
        const state = windowAt(hours, timeZone, nowMs)
        const changeMs = state.open ? state.closesMs : state.opensMs
        if (changeMs === null) return
        expect(changeMs).toBeGreaterThan(nowMs)
        expect(windowAt(hours, timeZone, changeMs - 1).open).toBe(state.open)
        expect(windowAt(hours, timeZone, changeMs).open).toBe(!state.open)
      }),
    )
  })

  it('is checked before it is used', () => {
    expect(checkHours({ start: '24:00', end: 'noon' }, 'Europe/Lyon')).toHaveLength(3)
    expect(() => windowAt({ start: '24:00', end: '06:00' }, 'UTC', 0)).toThrow(RangeError)
  })
})

it('the smallest bandwidth limit that is on counts, until something changes', () => {
  const limits = [
    { bytesPerSecond: 100, start: '00:00', end: '00:00' },
    { bytesPerSecond: 10, start: '08:00', end: '18:00', days: ['mon', 'tue', 'wed', 'thu', 'fri'] as Weekday[] },
  ]
  expect(bandwidthAt(limits, 'UTC', at('2026-11-20T09:00:00Z'))).toEqual({
    bytesPerSecond: 10,
    untilMs: at('2026-11-20T18:00:00Z'),
  })
  expect(bandwidthAt(limits, 'UTC', at('2026-11-20T19:00:00Z'))).toEqual({
    bytesPerSecond: 100,
    untilMs: at('2026-11-23T08:00:00Z'),
  })
  expect(bandwidthAt([], 'UTC', 0)).toEqual({ bytesPerSecond: null, untilMs: null })
})
