import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint, someFigures, testNow } from '../catalog/testing.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => {
  here = bench()
})
afterEach(() => here[Symbol.dispose]())

const holdfast = async (...argv: readonly string[]): Promise<number> => {
  const it = await ran(here, ['verify', ...argv])
  ;({ out, err } = it)
  return it.code
}
const begin = (): void =>
  here.catalog.verifyRuns.started({
    runId: 'v1',
    workflowId: 'verify/main',
    repositoryId: 'main',
    level: 'full',
    quarantine: false,
    budgetBytes: null,
    startedMs: testNow,
  })
const figures = someFigures({ notes: ['2 points that are tombstoned were left out'] })

test('starts what was asked for', async () => {
  expect([await holdfast('main', '--level', 'data', '--quarantine', '--budget', '1GiB'), err]).toEqual([0, ''])
  expect(here.engine.started[0]?.input).toMatchObject({ level: 'data', quarantine: true, budgetBytes: 2 ** 30 })
  expect(out).toContain('Started verify/main')
})

test('says that nothing was ever verified, and starts nothing', async () => {
  expect(await holdfast('main', '--last')).toBe(0)
  expect(out).toContain('main was never verified')
  expect(here.engine.started).toEqual([])
})

test('ends with 0 only if all that was looked at is sound', async () => {
  begin()
  here.catalog.verifyRuns.completed('v1', figures, [])
  expect(await holdfast('main', '--last')).toBe(0)
  expect(out).toContain('Sound.')
  expect(out).toContain('note: 2 points that are tombstoned were left out')
})

test('names what is damaged, and the disk and bytes that need it', async () => {
  begin()
  const affects = [{ stem: aPoint(1).stem, vm: 'web-01', disk: 'virtio0', ranges: [{ start: 0, end: 4096 }] }]
  const finding = { object: 'pack/p', pack: 'p', found: 'L4', message: 'slot 4 does not open', proved: true, affects }
  here.catalog.verifyRuns.completed('v1', { ...figures, damages: 1, damagedPoints: 1 }, [finding])
  expect(await holdfast('main', '--last')).toBe(1)
  expect(out).toContain('1 damaged, 1 point loses something.')
  expect(out).toContain('pack/p (L4): slot 4 does not open')
  expect(out).toContain(`web-01 ${aPoint(1).stem} virtio0: bytes 0–4096`)
})

test('a verify that could not read says so, and never damaged', async () => {
  begin()
  const error = { code: 'StoreUnavailable', message: 'the mount is gone', hint: 'Mount it.', docs: 'errors.md' }
  here.catalog.verifyRuns.ended('v1', { state: 'failed', error, endedMs: testNow })
  expect(await holdfast('main', '--last')).toBe(1)
  expect(out).toContain('Not read.')
  expect(out).toContain('the mount is gone')
  expect(out).not.toContain('damaged')
})
