import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint, furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
beforeEach(() => {
  here = testCatalog()
  furnish(here.catalog, ['web-01', 'db-01'])
})
afterEach(() => here[Symbol.dispose]())

const day = 86_400_000
const plan = { name: 'nightly', quiesce: null, consistency: 'filesystem' } as const
const made = (n: number, over: Parameters<typeof aPoint>[1] = {}) =>
  here.catalog.points.record(aPoint(n, { plan: 'nightly', origin: 'scheduled', createdMs: testNow - n, ...over }))
/** A point whose disks were all read so. */
const read = (mode: 'full' | 'incremental', why: string) => ({
  disks: aPoint(1).disks.map((disk) => ({ ...disk, mode, why })),
})

test('of a week are told the points of the plan, what was read in full, and what was less consistent', () => {
  const { planLately, vms } = here.catalog
  const nothing = { points: 0, fulls: 0, unexpected: [], degraded: 0 }
  expect(planLately.since(plan, testNow - 7 * day)).toEqual(nothing)
  const usual = { ...read('incremental', 'changes'), consistency: 'filesystem' } as const
  const full = read('full', 'first')
  made(1, usual)
  made(2, { ...usual, ...full })
  made(3, { ...usual, consistency: 'crash' })
  made(4, { ...usual, consistency: 'crash', vmId: 'db-01' })
  made(5, { ...usual, consistency: 'application' })
  made(6, { ...usual, ...full, origin: 'manual' })
  made(7, { ...usual, ...full, plan: 'other' })
  made(8, { ...usual, ...full, createdMs: testNow - 8 * day })
  const since = (over: object = {}) => planLately.since({ ...plan, ...over }, testNow - 7 * day)
  expect(since()).toMatchObject({ points: 5, fulls: 1, degraded: 2 })
  expect(since({ consistency: 'application' })).toMatchObject({ degraded: 4 })
  vms.change('db-01', { override: { quiesce: 'none' } })
  expect(since()).toMatchObject({ degraded: 1 })
  expect(since({ quiesce: 'none' })).toMatchObject({ degraded: 0 })
  vms.change('db-01', { override: {}, category: 'ephemeral' })
  expect(since()).toMatchObject({ degraded: 1 })
  expect(since({ quiesce: 'required' })).toMatchObject({ degraded: 2 })
})

test('unexpected full reads are told by their reason, the most frequent first', () => {
  made(1, read('full', 'tracking-off'))
  made(2, read('full', 'size-changed'))
  made(3, read('full', 'size-changed'))
  made(4, read('full', 'first'))
  expect(here.catalog.planLately.since(plan, testNow - day)).toMatchObject({
    ...{ points: 4, fulls: 4 },
    unexpected: [
      { why: 'size-changed', points: 2 },
      { why: 'tracking-off', points: 1 },
    ],
  })
})
