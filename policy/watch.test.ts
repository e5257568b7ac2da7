import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blindAfterMs, hasMoved, isWithin, lookState, viewClock } from './index.ts'

const minute = 60_000
const nowMs = 1_000 * minute

describe('a look', () => {
  const seen = { nowMs, sinceMs: 0, lookedMs: nowMs - 5 * minute, error: null }

  test('that came to its end lately has seen, whatever the one after it met', () => {
    expect(lookState(seen)).toBe('seen')
    expect(lookState({ ...seen, error: 'StoreUnavailable' })).toBe('seen')
  })

  test('that fails for too long is blind, never lost: what cannot be read is not absent', () => {
    const old = { ...seen, lookedMs: nowMs - blindAfterMs - 1 }
    for (const error of [null, 'StoreUnavailable', 'StoreDenied', 'SecretMissing', 'WrongSecret'])
      expect(lookState({ ...old, error })).toBe('blind')
  })

  test('to whose question the place answered that it holds no repository of ours is lost at once', () => {
    expect(lookState({ ...seen, error: 'RepositoryMissing' })).toBe('lost')
    expect(lookState({ ...seen, error: 'RepositoryForeign' })).toBe('lost')
  })

  test('at a place that this machine has never seen is blind after a while: it may be seen from elsewhere', () => {
    const never = { nowMs, lookedMs: null, error: 'RepositoryMissing' }
    expect(lookState({ ...never, sinceMs: nowMs - minute })).toBe('seen')
    expect(lookState({ ...never, sinceMs: nowMs - blindAfterMs - 1 })).toBe('blind')
  })

  test('that lies in the future proves nothing', () => {
    expect(lookState({ ...seen, lookedMs: nowMs + blindAfterMs + 1 })).toBe('blind')
  })
})

describe('the clock', () => {
  const base = { wallMs: 1_000_000, steadyMs: 500 }

  test('that is set back does not make time go back', () => {
    const view = viewClock(base, { wallMs: 1_000_000 - 10 * minute, steadyMs: 500 + minute })
    expect(view).toEqual({ driftMs: -11 * minute, nowMs: 1_000_000 + minute })
    expect(hasMoved(view.driftMs)).toBe(true)
  })

  test('that is set forward is believed, and told', () => {
    const view = viewClock(base, { wallMs: 1_000_000 + 60 * minute, steadyMs: 500 + minute })
    expect(view).toEqual({ driftMs: 59 * minute, nowMs: 1_000_000 + 60 * minute })
    expect(hasMoved(view.driftMs)).toBe(true)
    expect(hasMoved(30_000)).toBe(false)
  })

  test('whatever happens to the wall clock, the time that ages are told by passes at least as fast as the steady one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ wallMs: fc.integer(), passesMs: fc.nat({ max: 10_000 }) }), { minLength: 2 }),
        (steps) => {
          let steadyMs = base.steadyMs
          let least = base.wallMs
          for (const { wallMs, passesMs } of steps) {
            steadyMs += passesMs
            least += passesMs
            expect(viewClock(base, { wallMs, steadyMs }).nowMs).toBeGreaterThanOrEqual(least)
          }
        },
      ),
    )
  })
})

test('what lies ahead of the clock was not within any time; clocks may differ by a little', () => {
  const nowMs = 100 * minute
  expect(isWithin(nowMs - minute, 2 * minute, nowMs)).toBe(true)
  expect(isWithin(nowMs - 2 * minute, 2 * minute, nowMs)).toBe(false)
  expect(isWithin(nowMs + minute, 2 * minute, nowMs)).toBe(true)
  expect(isWithin(nowMs + 10 * minute, 2 * minute, nowMs)).toBe(false)
  expect(isWithin(Number.NEGATIVE_INFINITY, 2 * minute, nowMs)).toBe(false)
})
