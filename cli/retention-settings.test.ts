import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const settings = async (...argv: readonly string[]): Promise<number> => {
  const it = await ran(here, ['retention', 'settings', ...argv])
  ;({ out, err } = it)
  return it.code
}
const day = 86_400_000

test('what is set for all holds for a repository that says nothing, member by member', async () => {
  expect([await settings('--grace', '2d', '--max-share', '25'), err]).toEqual([0, ''])
  expect([await settings('main', '--approval', 'required'), err]).toEqual([0, ''])
  expect(here.catalog.sweepSettings.of('main')).toEqual({
    ...{ graceMs: 2 * day, approval: 'required', approveWithinMs: 7 * day, maxShare: 0.25 },
  })
  await settings('main')
  expect(out).toMatch(/grace time +2d +as for all/)
  expect(out).toMatch(/approval +each by a person +set here/)
  expect(await settings('main', '--approval', 'default')).toBe(0)
  expect(out).toContain('Nobody has approved a sweep of main yet')
  await settings('--grace', 'default')
  expect(out).toMatch(/grace time +1d +by default/)
  expect(here.catalog.sweepSettings.own(null)).toMatchObject({ graceMs: null, maxShare: 0.25 })
})

test('what is out of its bounds changes nothing and says what they are', async () => {
  expect(await settings('main', '--grace', '31d')).toBe(2)
  expect(err).toContain('a grace time is 0s to 30d')
  expect(await settings('main', '--max-share', '0')).toBe(2)
  expect(await settings('moon', '--grace', '1d')).toBe(4)
  expect(here.catalog.sweepSettings.list()).toHaveLength(1)
})

test('a sweep by hand says only what it is told to', async () => {
  await settings('main', '--grace', '3d')
  expect((await ran(here, ['retention', 'run', 'main', '--max-share', '10'])).code).toBe(0)
  expect(here.engine.started.at(-1)?.input).toMatchObject({ graceMs: 3 * day, maxShare: 0.1, approval: 'grace' })
})
