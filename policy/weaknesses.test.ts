import { expect, test } from 'vitest'
import { weaknesses, type Weakness, type WeaknessFacts } from './index.ts'

const day = 86_400_000
const nowMs = 1_000 * day
const strong: WeaknessFacts = {
  nowMs,
  excluded: false,
  drillEveryMs: 90 * day,
  lastPassedMs: nowMs - 10 * day,
  lastVerdict: 'passed',
  firstPointMs: nowMs - 200 * day,
  newestConsistency: 'filesystem',
  isNewestAtRest: false,
  repositories: 2,
  shortages: [],
  areCopiesLate: false,
  isSuspicious: false,
  quiesce: 'required',
  wantsApplication: false,
  keep: [{ daily: 14, weekly: 4, timeZone: 'UTC' }],
  rpoMs: day,
}

test('what is backed up, kept and tested as promised has none', () => {
  expect(weaknesses(strong)).toEqual([])
})

test.each<[Weakness, Partial<WeaknessFacts>]>([
  ['suspicious-change', { isSuspicious: true }],
  ['never-tested', { lastPassedMs: null, lastVerdict: null }],
  ['never-tested', { lastPassedMs: null, lastVerdict: 'inconclusive' }],
  ['test-outdated', { lastPassedMs: nowMs - 91 * day }],
  ['test-failed', { lastVerdict: 'failed' }],
  ['one-repository', { repositories: 1 }],
  ['copies-late', { areCopiesLate: true }],
  ['not-off-site', { shortages: ['not-off-site'] }],
  ['kept-too-short', { keep: [{ daily: 6, timeZone: 'UTC' }] }],
  ['kept-too-short', { keep: [{ last: 3, manual: 100, timeZone: 'UTC' }] }],
  ['crash-consistent', { newestConsistency: 'crash' }],
  ['crash-consistent', { newestConsistency: 'crash', wantsApplication: true }],
  ['not-application-consistent', { wantsApplication: true }],
  ['no-plan', { keep: [] }],
])('%s is told', (code, over) => {
  expect(weaknesses({ ...strong, ...over })).toEqual([code])
})

test.each<[string, Partial<WeaknessFacts>]>([
  ['a month without a test after the first point', { lastPassedMs: null, firstPointMs: nowMs - 30 * day }],
  ['no test where none is promised', { lastPassedMs: null, drillEveryMs: null }],
  ['a short plan beside one that keeps longer', { keep: [{ last: 3, timeZone: 'UTC' }, ...strong.keep] }],
  ['a few points of an RPO of days', { keep: [{ last: 3, timeZone: 'UTC' }], rpoMs: 7 * day }],
  ['crash consistency where nothing else was wanted', { newestConsistency: 'crash', quiesce: 'none' }],
  ['application consistency where the guest is asked nothing', { wantsApplication: true, quiesce: 'none' }],
  ['a VM that did not run', { newestConsistency: 'crash', wantsApplication: true, isNewestAtRest: true }],
  ['application consistency that was reached', { wantsApplication: true, newestConsistency: 'application' }],
  ['anything of a VM that is left out on purpose', { excluded: true, keep: [], lastVerdict: 'failed' }],
])('%s is none', (_, over) => {
  expect(weaknesses({ ...strong, ...over })).toEqual([])
})

test('of a VM without points only that nobody makes them is told', () => {
  const bare = { firstPointMs: null, repositories: 0, newestConsistency: null, lastPassedMs: null, lastVerdict: null }
  expect(weaknesses({ ...strong, ...bare })).toEqual([])
  expect(weaknesses({ ...strong, ...bare, keep: [] })).toEqual(['no-plan'])
})
