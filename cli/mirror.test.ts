import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint, pointIdOf } from '../catalog/testing.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => {
  here = bench()
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  here.catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  here.catalog.points.record(aPoint(1))
})
afterEach(() => here[Symbol.dispose]())

const holdfast = async (...argv: readonly string[]): Promise<number> => {
  const it = await ran(here, argv)
  ;({ out, err } = it)
  return it.code
}
const copy = () => here.catalog.copies.find(pointIdOf(1), 'offsite')

test('says how far each mirror is behind, and that there is none', async () => {
  expect(await holdfast('mirror')).toBe(0)
  expect(out).toContain('Nothing is copied')
  here.catalog.mirrors.want({ sourceId: 'main', targetId: 'offsite' }, pointIdOf(1), false)
  here.clock.ms += 3_600_000
  expect([await holdfast('mirror'), err]).toEqual([0, ''])
  expect(out).toMatch(/main +offsite +0 +1 +0 +1 h/)
})

test('starts what was asked for: all that is missing, or one point even if it was removed there', async () => {
  expect([await holdfast('mirror', 'main', 'offsite', '--vm', 'web-01', '--all'), err]).toEqual([0, ''])
  expect(out).toContain('Started mirror/main/offsite')
  expect(copy()).toMatchObject({ state: 'pending', byHand: false })
  expect(await holdfast('mirror', 'main', 'offsite', '--vm', 'web-01', '--point', 'latest')).toBe(0)
  expect(here.engine.started).toHaveLength(1)
  expect(await holdfast('mirror', 'main')).not.toBe(0)
  expect(await holdfast('mirror', 'main', 'offsite', '--point', 'latest')).not.toBe(0)
})

test('a point says where it lies, and a restore reads the copy that is named', async () => {
  const { stem } = aPoint(1)
  here.catalog.copies.found({
    ...{ pointId: pointIdOf(1), repositoryId: 'offsite', stem, sourceId: 'main', validatedMs: here.clock.ms },
    lockUntilMs: 0,
  })
  expect(await holdfast('points', 'web-01', '--point', 'latest')).toBe(0)
  expect(out).toMatch(/offsite +main +there/)
  const where = ['--repository', 'offsite', '--name', 'back', '--yes']
  expect([await holdfast('restore', 'web-01', ...where), err]).toEqual([0, ''])
  expect(here.engine.started[0]?.input).toMatchObject({ repository: { id: 'offsite' }, stem })
})

test('says that copies come by post, until when, and that they have arrived', async () => {
  here.catalog.mirrors.want({ sourceId: 'main', targetId: 'offsite' }, pointIdOf(1), false)
  const day = new Date(here.clock.ms + 3 * 86_400_000).toISOString().slice(0, 10)
  expect(await holdfast('mirror', 'main', 'offsite', '--shipped-until', day, '--note', 'disk 7')).toBe(0)
  expect(out).toContain('holdfast mirror main offsite --arrived')
  expect(here.engine.started).toEqual([])
  await holdfast('mirror')
  expect(out).toMatch(/main +offsite +0 +1 +0 +.*until .*\(disk 7\)/)
  for (const wrong of [
    ['--shipped-until', 'soon'],
    ['--shipped-until', day, '--all'],
    ['--note', 'x'],
  ])
    expect(await holdfast('mirror', 'main', 'offsite', ...wrong), wrong.join(' ')).toBe(2)
  expect(await holdfast('mirror', 'main', 'offsite', '--arrived')).toBe(0)
  expect(out).toContain('Started mirror/main/offsite')
  expect(here.catalog.shipments.list()).toEqual([])
  expect(await holdfast('mirror', 'main', 'offsite', '--arrived')).toBe(4)
})
