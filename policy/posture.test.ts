import fc from 'fast-check'
import { expect, test } from 'vitest'
import { posture, renewalGrace, startSpread, timingOf, type PostureFacts } from './index.ts'

const hour = 3_600_000
const fine: PostureFacts = {
  nowMs: 100 * hour,
  rpoMs: 4 * hour,
  excluded: false,
  newestPointMs: 98 * hour,
  backupRunning: false,
  inPlanRun: false,
  usualDurationMs: null,
  lastAttemptFailed: false,
}

test('inside the RPO a VM is protected, whatever happened to its last run', () => {
  expect(posture({ ...fine, lastAttemptFailed: true })).toEqual({ state: 'protected', ageMs: 2 * hour })
})

test('the three ways of being at risk: tried and failed, on its way, never got its turn', () => {
  const old = { ...fine, newestPointMs: 90 * hour }
  expect(posture({ ...old, lastAttemptFailed: true }).state).toBe('failed')
  expect(posture({ ...old, lastAttemptFailed: true, backupRunning: true }).state).toBe('late')
  expect(posture(old).state).toBe('overdue')
})

test('a run on time keeps its VM protected for as long as it usually takes, a quarter of the RPO at most', () => {
  const justOver = { ...fine, newestPointMs: 96 * hour - hour / 2 }
  expect(posture(justOver).state).toBe('overdue')
  expect(posture({ ...justOver, backupRunning: true }).state).toBe('late')
  expect(posture({ ...justOver, backupRunning: true, usualDurationMs: hour }).state).toBe('protected')
  expect(renewalGrace(4 * hour, 10 * hour)).toBe(hour)
})

test('a start that is spread, and a turn in a run of a plan that has not come yet, are on time', () => {
  const over = (ms: number) => ({ ...fine, newestPointMs: fine.nowMs - fine.rpoMs - ms })
  for (const everyMs of [300_000, hour, 4 * hour, 24 * hour, 168 * hour])
    expect(startSpread(everyMs)).toBe(timingOf({ kind: 'every', everyMs })?.jitterMs)
  const spread = startSpread(fine.rpoMs)
  expect(posture(over(spread)).state).toBe('protected')
  expect(posture(over(spread + 1)).state).toBe('overdue')
  expect(posture({ ...over(hour), inPlanRun: true }).state).toBe('protected')
  expect(posture({ ...over(hour + 1), inPlanRun: true }).state).toBe('overdue')
  expect(posture({ ...over(hour + 1), inPlanRun: true, backupRunning: true }).state).toBe('late')
  // What its own backup takes comes after the spread, and never beyond the quarter.
  const slow = { ...over(hour), backupRunning: true, usualDurationMs: hour }
  expect(posture(slow).state).toBe('protected')
  expect(posture({ ...slow, newestPointMs: slow.newestPointMs - 1 }).state).toBe('late')
  // One that failed and is tried again has not recovered by that.
  expect(posture({ ...over(spread + 1), inPlanRun: true, lastAttemptFailed: true }).state).toBe('failed')
  const again = { ...over(spread + 1), inPlanRun: true, backupRunning: true, lastAttemptFailed: true }
  expect(posture({ ...again, usualDurationMs: hour }).state).toBe('late')
})

test('a point that is dated ahead is no proof: one that follows a wrong clock would be young for months', () => {
  const ahead = { ...fine, newestPointMs: 101 * hour }
  expect(posture(ahead)).toEqual({ state: 'overdue', ageMs: -hour })
  expect(posture({ ...ahead, lastAttemptFailed: true }).state).toBe('failed')
  expect(posture({ ...ahead, backupRunning: true }).state).toBe('late')
  expect(posture({ ...fine, newestPointMs: fine.nowMs + 60_000 }).state).toBe('protected')
})

test('without a point a VM is unprotected, also while its first backup runs; excluded is excluded', () => {
  expect(posture({ ...fine, newestPointMs: null, backupRunning: true })).toEqual({ state: 'unprotected', ageMs: null })
  expect(posture({ ...fine, newestPointMs: null, excluded: true }).state).toBe('excluded')
})

test('a newer point never makes the posture worse', () => {
  const rank = { protected: 0, late: 1, overdue: 2, failed: 2, unprotected: 3, excluded: 0 }
  fc.assert(
    fc.property(
      fc.record({
        nowMs: fc.constant(100 * hour),
        rpoMs: fc.integer({ min: hour, max: 50 * hour }),
        excluded: fc.boolean(),
        newestPointMs: fc.option(fc.integer({ min: 0, max: 100 * hour }), { nil: null }),
        backupRunning: fc.boolean(),
        inPlanRun: fc.boolean(),
        usualDurationMs: fc.option(fc.integer({ min: 0, max: 5 * hour }), { nil: null }),
        lastAttemptFailed: fc.boolean(),
      }),
      fc.integer({ min: 0, max: 10 * hour }),
      (facts, newer) => {
        const better = { ...facts, newestPointMs: Math.min(facts.nowMs, (facts.newestPointMs ?? 0) + newer) }
        expect(rank[posture(better).state]).toBeLessThanOrEqual(rank[posture(facts).state])
      },
    ),
  )
})
