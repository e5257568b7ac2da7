import { afterEach, beforeEach, expect, test } from 'vitest'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint, pointIdOf } from '../catalog/testing.ts'
import { ran } from './testing.ts'

let here: Bench
let out = ''
let err = ''
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

const holdfast = async (...argv: readonly string[]): Promise<number> => {
  const it = await ran(here, argv)
  ;({ out, err } = it)
  return it.code
}
const GiB = 2 ** 30
const MiB = 2 ** 20

/** A GiB more a day, of 300 GiB. */
function measureDaily(days: number): void {
  for (let n = 0; n < days; n += 1) {
    here.clock.ms += 86_400_000
    here.catalog.repositories.recordUsage('main', {
      ...{ measuredMs: here.clock.ms, points: 1, series: 1, packs: 1, uniqueBytes: GiB, logicalBytes: 400 * GiB },
      ...{ storedBytes: (100 + n) * GiB, capacityBytes: 300 * GiB, freeBytes: (200 - n) * GiB },
    })
  }
}

test('says when each repository is full, or that too little is known', async () => {
  expect([await holdfast('capacity'), err]).toEqual([0, ''])
  expect(out).toMatch(/main +– +– +– +not known before a week of samples/)
  measureDaily(20)
  expect(await holdfast('capacity')).toBe(0)
  expect(out).toMatch(/main +119 GiB +181 GiB +\+1\.0 GiB +20\d\d-\d\d-\d\d/)
  expect(await holdfast('capacity', 'main')).toBe(0)
  expect(out).toContain('20 samples of 19 days')
  expect(await holdfast('capacity', 'nothing')).not.toBe(0)
})

test('simulates more VMs, and asks for what it needs', async () => {
  measureDaily(20)
  expect(await holdfast('capacity', 'main', '--vms', '10', '--size', '100GiB')).toBe(0)
  expect(out).toMatch(/^No room from 20\d\d-\d\d-\d\d on, of 300 GiB\./)
  expect(await holdfast('capacity', 'main', '--vms', '10')).not.toBe(0)
  expect(err).toContain('--size')
})

test('lists are written as they are, and JSON on demand', async () => {
  here.catalog.points.record(aPoint(1, { name: 'Größe' }))
  expect([await holdfast('export', 'points', '--since', '2020-01-01'), err]).toEqual([0, ''])
  const [head, first] = out.split('\r\n')
  expect(head?.startsWith('point,vm,repository,time,')).toBe(true)
  expect(first?.startsWith(`${pointIdOf(1)},web-01,main,`)).toBe(true)
  expect(await holdfast('export', 'points', '--until', '2020-01-01', '--json')).toBe(0)
  expect(JSON.parse(out)).toEqual({ items: [] })
  expect(await holdfast('export', 'points', '--since', 'yesterday')).not.toBe(0)
})

test('a flagged point is listed, explained and reviewed', async () => {
  const figures = {
    ...{ comparedBytes: GiB, heldBytes: GiB, softBytes: GiB, rewrittenBytes: 300 * MiB, rewrittenHardBytes: 0 },
    ...{ rewrittenStoredBefore: 90 * MiB, rewrittenStored: 300 * MiB, turnedBytes: 300 * MiB },
    ...{ addedBytes: 0, addedStored: 0, addedHardBytes: 0, removedBytes: 0, removedSoftBytes: 0 },
  }
  here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - 2_000 }))
  here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms - 1_000 }))
  const compared = { beforeId: pointIdOf(1), beforeMs: here.clock.ms - 2_000, figures }
  here.catalog.changes.record({ pointId: pointIdOf(2), compared, problem: null })
  expect(await holdfast('points', 'web-01', '--suspicious')).toBe(0)
  expect(out.trim().split('\n')).toHaveLength(2)
  expect(out).toMatch(/suspicious/)
  expect(await holdfast('points', 'web-01', '--point', 'latest')).toBe(0)
  expect(out).toMatch(/300 MiB that could be compressed no longer can/)
  expect(out).toContain(pointIdOf(1))
  const why = ['--reason', 'case 4711']
  expect([await holdfast('point', 'review', 'web-01', 'latest', '--as', 'attack', ...why), err]).toEqual([0, ''])
  expect(out).toContain('attack')
  expect(await holdfast('point', 'review', 'web-01', 'latest', '--as', 'perhaps', ...why)).not.toBe(0)
})

test('the report is text, JSON or a page', async () => {
  here.catalog.points.record(aPoint(1))
  expect([await holdfast('report', '--period', 'month'), err]).toEqual([0, ''])
  expect(out).toMatch(/^1 of 1 VMs inside their RPO\. 1 point in thirty days/)
  expect(await holdfast('report', '--json')).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ period: 'week', points: 1 })
  expect(await holdfast('report', '--html')).toBe(0)
  expect(out).toContain('</html>')
})
