import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isOwnBackupDue, ownBackupKeeps, ownBackupPace, ownBackupState, type OwnBackupFacts } from './own-backup.ts'
import { isEmptyPolicy } from './retention.ts'

const { quietMs, latestMs, dailyMs, againMs, tooOldMs } = ownBackupPace
const nowMs = 1_800_000_000_000
const facts = (over: Partial<OwnBackupFacts>): OwnBackupFacts => ({
  nowMs,
  madeMs: nowMs - 1000,
  triedMs: nowMs - 1000,
  hasFailed: false,
  firstChangeMs: null,
  lastChangeMs: null,
  ...over,
})

it('waits for quiet after a change, but not for ever, and comes daily without one', () => {
  expect(isOwnBackupDue(facts({}))).toBe(false)
  expect(isOwnBackupDue(facts({ madeMs: nowMs - dailyMs }))).toBe(true)
  expect(isOwnBackupDue(facts({ firstChangeMs: nowMs - quietMs, lastChangeMs: nowMs - quietMs + 1 }))).toBe(false)
  expect(isOwnBackupDue(facts({ firstChangeMs: nowMs - quietMs, lastChangeMs: nowMs - quietMs }))).toBe(true)
  expect(isOwnBackupDue(facts({ firstChangeMs: nowMs - latestMs, lastChangeMs: nowMs }))).toBe(true)
})

it('is made at first when what was set up has settled, or at once where nothing happens', () => {
  expect(isOwnBackupDue(facts({ madeMs: null, triedMs: null }))).toBe(true)
  expect(isOwnBackupDue(facts({ madeMs: null, firstChangeMs: nowMs - 1, lastChangeMs: nowMs }))).toBe(false)
})

it('is tried again after a failure, and not in a loop', () => {
  const failed = { hasFailed: true, firstChangeMs: nowMs - latestMs, lastChangeMs: nowMs - latestMs }
  expect(isOwnBackupDue(facts({ ...failed, triedMs: nowMs - againMs + 1 }))).toBe(false)
  expect(isOwnBackupDue(facts({ ...failed, triedMs: nowMs - againMs }))).toBe(true)
})

it('waits for no clock that was set back: neither its next try nor that somebody is told', () => {
  const ahead = nowMs + 90 * dailyMs
  expect(isOwnBackupDue(facts({ hasFailed: true, triedMs: ahead, madeMs: nowMs - 2 * dailyMs }))).toBe(true)
  expect(ownBackupState({ nowMs, madeMs: ahead, hasFailed: true })).toBe('old')
  expect(ownBackupState({ nowMs, madeMs: nowMs + 1000, hasFailed: false })).toBe('ok')
})

it('comes within a day of whatever clock, unless it has just failed', () => {
  const ms = fc.integer({ min: nowMs - 3 * dailyMs, max: nowMs + 3 * dailyMs })
  fc.assert(
    fc.property(ms, fc.option(ms, { nil: null }), fc.option(ms, { nil: null }), (made, first, last) => {
      const due = isOwnBackupDue(facts({ madeMs: made, triedMs: made, firstChangeMs: first, lastChangeMs: last }))
      if (made > nowMs || nowMs - made >= dailyMs) expect(due).toBe(true)
    }),
  )
})

it('is old before anybody could believe that it is of today', () => {
  expect(ownBackupState({ nowMs, madeMs: null, hasFailed: false })).toBe('none')
  expect(ownBackupState({ nowMs, madeMs: nowMs - tooOldMs - 1, hasFailed: false })).toBe('old')
  expect(ownBackupState({ nowMs, madeMs: nowMs - tooOldMs, hasFailed: false })).toBe('ok')
  expect(ownBackupState({ nowMs, madeMs: nowMs, hasFailed: true })).toBe('failing')
  expect(tooOldMs).toBeGreaterThan(dailyMs)
  expect(isEmptyPolicy(ownBackupKeeps)).toBe(false)
})
