import { expect, test } from 'vitest'
import {
  isCycleDue,
  pairRefusal,
  replicationLagMs,
  replicationRefusal,
  standingStill,
  type ReplicationFacts,
  type ReplicationState,
} from './replication.ts'

const minute = 60_000
const facts: ReplicationFacts = {
  nowMs: 100 * minute,
  state: 'following',
  isPaused: false,
  rpoMs: 5 * minute,
  headMs: 99 * minute,
  triedMs: 99 * minute,
  endedMs: 99.2 * minute,
  failures: 0,
  backupMs: null,
  siblings: [],
}
const at = (change: Partial<ReplicationFacts>): boolean => isCycleDue({ ...facts, ...change })

test('a cycle begins half way through the promise, never while the pair does not follow or is paused', () => {
  expect(at({})).toBe(false)
  expect(at({ nowMs: 101.5 * minute - 1 })).toBe(false)
  expect(at({ nowMs: 101.5 * minute })).toBe(true)
  for (const state of ['failing-over', 'failed-over', 'failing-back'] as const)
    expect(at({ nowMs: 200 * minute, state })).toBe(false)
  expect(at({ nowMs: 200 * minute, isPaused: true })).toBe(false)
})

test('the seed begins at once, and a cycle that takes longer than half the promise is followed by the next after a pause', () => {
  expect(at({ state: 'seeding', headMs: null, triedMs: null, endedMs: null })).toBe(true)
  const lagging = { headMs: 96 * minute, triedMs: 96 * minute, endedMs: 100 * minute }
  expect(at({ ...lagging, nowMs: 100 * minute + 19_999 })).toBe(false)
  expect(at({ ...lagging, nowMs: 100 * minute + 20_000 })).toBe(true)
})

test('a backup that waits since before the last cycle ended goes first, but not for ever', () => {
  const lagging = { headMs: 90 * minute, triedMs: 90 * minute, endedMs: 100 * minute, nowMs: 105 * minute }
  expect(at({ ...lagging, backupMs: 99 * minute })).toBe(false)
  expect(at({ ...lagging, backupMs: 101 * minute })).toBe(true)
  expect(at({ ...lagging, backupMs: 99 * minute, nowMs: 110 * minute })).toBe(true)
})

test('a pair whose run ended without saying who runs may be asked for everything but a test, and does nothing by itself', () => {
  for (const state of ['failing-over', 'failing-back'] as const) {
    for (const act of ['cycle', 'failover', 'failback', 'accept', 'remove'] as const)
      expect(replicationRefusal(state, act)).toBeNull()
    expect(replicationRefusal(state, 'test')).toMatch(/without saying/)
    expect(at({ state, nowMs: 200 * minute })).toBe(false)
  }
})

test('one that failed is tried again after a pause that doubles up to ten minutes', () => {
  const failed = { headMs: 0, endedMs: 100 * minute }
  expect(at({ ...failed, failures: 1, nowMs: 100 * minute + 19_999 })).toBe(false)
  expect(at({ ...failed, failures: 1, nowMs: 100 * minute + 20_000 })).toBe(true)
  expect(at({ ...failed, failures: 3, nowMs: 100 * minute + 79_999 })).toBe(false)
  expect(at({ ...failed, failures: 3, nowMs: 100 * minute + 80_000 })).toBe(true)
  expect(at({ ...failed, failures: 99, nowMs: 110 * minute })).toBe(true)
})

test('what makes no sense is refused, in words', () => {
  expect(replicationRefusal('seeding', 'failover')).toMatch(/no state/)
  expect(replicationRefusal('failed-over', 'failover')).toMatch(/has taken over/)
  expect(replicationRefusal('failed-over', 'cycle')).toMatch(/has taken over/)
  expect(replicationRefusal('following', 'failback')).toMatch(/follows/)
  expect(replicationRefusal('failed-over', 'failback')).toBeNull()
  expect(replicationRefusal('following', 'failover')).toBeNull()
})

test('lag is the age of what the standby holds, and nothing once it has taken over', () => {
  const lag = { nowMs: 10 * minute, state: 'following', headMs: 7 * minute, createdMs: 0, siblings: [] } as const
  expect(replicationLagMs(lag)).toBe(3 * minute)
  expect(replicationLagMs({ ...lag, state: 'seeding', headMs: null })).toBe(10 * minute)
  expect(replicationLagMs({ ...lag, state: 'failed-over' })).toBeNull()
})

test('of two standbys of a VM one takes over: the other stands still, and is neither started nor given anything', () => {
  const pair = (state: ReplicationState) => ({ name: 'web-01-standby', endpointName: 'paris', state })
  for (const state of ['failing-over', 'failed-over', 'failing-back'] as const) {
    const siblings = [pair(state)]
    for (const act of ['cycle', 'failover'] as const)
      expect(pairRefusal({ state: 'following', siblings }, act)).toMatch(/web-01-standby on paris/)
    expect(pairRefusal({ state: 'failed-over', siblings }, 'failback')).toMatch(/web-01-standby on paris/)
    for (const act of ['test', 'remove'] as const) expect(pairRefusal({ state: 'following', siblings }, act)).toBeNull()
    expect(at({ siblings, nowMs: 200 * minute })).toBe(false)
    expect(replicationLagMs({ nowMs: 10 * minute, state: 'following', headMs: 0, createdMs: 0, siblings })).toBeNull()
  }
  for (const state of ['seeding', 'following'] as const) {
    expect(standingStill([pair(state)])).toBeNull()
    expect(pairRefusal({ state: 'following', siblings: [pair(state)] }, 'failover')).toBeNull()
    expect(at({ siblings: [pair(state)], nowMs: 200 * minute })).toBe(true)
  }
})

test('a standby that stays for good leaves none behind that could be started beside it', () => {
  const siblings = [{ name: 'web-01-standby', endpointName: 'paris', state: 'following' }] as const
  expect(pairRefusal({ state: 'failed-over', siblings }, 'accept')).toMatch(/remove that standby first/)
  expect(pairRefusal({ state: 'failed-over', siblings: [] }, 'accept')).toBeNull()
})

test('a state, a try or an end that is dated ahead of the clock neither holds up a cycle nor passes for fresh', () => {
  const ahead = 400 * minute
  const set = { headMs: ahead, triedMs: ahead, endedMs: ahead }
  expect(at(set)).toBe(true)
  expect(at({ ...set, failures: 3 })).toBe(true)
  expect(at({ ...set, endedMs: null })).toBe(true)
  expect(at({ ...set, backupMs: 50 * minute })).toBe(true)
  // The clock of another machine may be ahead by a little.
  expect(at({ headMs: 101 * minute, endedMs: 99 * minute })).toBe(false)
  const lag = { nowMs: 100 * minute, state: 'following', createdMs: 0, siblings: [] } as const
  expect(replicationLagMs({ ...lag, headMs: 110 * minute })).toBe(10 * minute)
  expect(replicationLagMs({ ...lag, headMs: 101 * minute })).toBe(0)
})
