import { describe, expect, test } from 'vitest'
import { copyRetryAfterMs, isMirrorDue, lagAllowedMs, mirrorLagMs } from './mirror.ts'

const minute = 60_000
const hour = 60 * minute

describe('copies to other repositories', () => {
  test('what failed waits ten minutes, then twice as long each time, and never longer than a day', () => {
    expect([1, 2, 3, 9, 400].map(copyRetryAfterMs)).toEqual([
      10 * minute,
      20 * minute,
      40 * minute,
      24 * hour,
      24 * hour,
    ])
  })

  test('a run begins at once after a good one, later after a failed or an idle one, and an hour after a cancel', () => {
    const after = (state: string, ms: number, tookNothing = false) =>
      isMirrorDue({ nowMs: ms, last: { state, endedMs: 0, tookNothing } })
    expect(isMirrorDue({ nowMs: 0, last: null })).toBe(true)
    expect(after('completed-with-residue', 0)).toBe(true)
    expect([after('completed', 10 * minute - 1, true), after('completed', 10 * minute, true)]).toEqual([false, true])
    expect([after('failed', 10 * minute - 1), after('failed', 10 * minute)]).toEqual([false, true])
    expect([after('cancelled', hour - 1), after('cancelled', hour)]).toEqual([false, true])
  })

  test('a clock that was set back keeps no run from beginning, and makes no lag shorter than nobody can tell', () => {
    const last = { state: 'failed', endedMs: 400 * 24 * hour, tookNothing: false }
    expect(isMirrorDue({ nowMs: 35 * 24 * hour, last })).toBe(true)
    // Clocks of two machines differ by so much, and that is no reason to begin without end.
    expect(isMirrorDue({ nowMs: last.endedMs - minute, last })).toBe(false)
    expect([mirrorLagMs(0, hour), mirrorLagMs(hour, 0), mirrorLagMs(minute, 0)]).toEqual([hour, hour, 0])
  })

  test('a mirror may be behind by one start of the plan, and by a day where the plan has no schedule', () => {
    expect(lagAllowedMs({ schedule: { kind: 'every', everyMs: 4 * hour } })).toBe(4 * hour)
    expect(lagAllowedMs({ schedule: { kind: 'calendar', at: ['02:00', '08:00'] } })).toBe(6 * hour)
    expect(lagAllowedMs({ schedule: { kind: 'manual' } })).toBe(24 * hour)
    expect(lagAllowedMs(undefined)).toBe(24 * hour)
  })
})
