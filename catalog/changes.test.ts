import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ChangeFigures } from '../policy/index.ts'
import type { MeasuredChange } from './changes.ts'
import { aPoint, furnish, pointIdOf, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
beforeEach(() => {
  here = testCatalog()
  furnish(here.catalog)
})
afterEach(() => here[Symbol.dispose]())

const MiB = 2 ** 20
const GiB = 2 ** 30
function figures(over: Partial<ChangeFigures> = {}): ChangeFigures {
  return {
    comparedBytes: 3 * GiB,
    heldBytes: 2 * GiB,
    softBytes: GiB,
    rewrittenBytes: 100 * MiB,
    rewrittenStoredBefore: 30 * MiB,
    rewrittenStored: 30 * MiB,
    rewrittenHardBytes: MiB,
    turnedBytes: MiB,
    addedBytes: 0,
    addedStored: 0,
    addedHardBytes: 0,
    removedBytes: 0,
    removedSoftBytes: 0,
    ...over,
  }
}
const encrypted = figures({ rewrittenBytes: 300 * MiB, rewrittenStored: 300 * MiB, turnedBytes: 290 * MiB })

/** The n-th point, a day after the one before, and what changed before it. */
function point(n: number, change: ChangeFigures | null, problem: string | null = null): void {
  here.catalog.points.record(aPoint(n, { createdMs: testNow + n * 86_400_000 }))
  const compared: MeasuredChange['compared'] =
    change === null ? null : { beforeId: pointIdOf(n - 1), beforeMs: testNow, figures: change }
  here.catalog.changes.record({ pointId: pointIdOf(n), compared, problem })
}
const noteOf = (n: number) => here.catalog.points.get(pointIdOf(n)).change

test('points say whether they were compared, and what came of it', () => {
  point(1, null)
  point(2, figures())
  point(3, null, 'the repository is away')
  point(4, encrypted)
  here.catalog.points.record(aPoint(5))
  const plain = { score: 0, isSuspicious: false, review: null }
  expect(noteOf(1)).toEqual({ ...plain, isCompared: false, isFirst: true })
  expect(noteOf(2)).toMatchObject({ isSuspicious: false, isCompared: true, isFirst: false })
  expect(noteOf(3)).toEqual({ ...plain, isCompared: false, isFirst: false })
  expect(noteOf(4)).toMatchObject({ isSuspicious: true, review: null })
  expect(noteOf(5)).toBeNull()
  const suspicious = here.catalog.points.list({ limit: 10 }, { suspicious: true })
  expect(suspicious.items.map(({ id }) => id)).toEqual([pointIdOf(4)])
})

test('a flagged point waits for a person, beside the last one that nothing speaks against', () => {
  point(1, null)
  point(2, figures())
  point(3, encrypted)
  point(4, encrypted)
  const { items, total } = here.catalog.changes.unreviewed(10)
  expect(total).toBe(2)
  expect(items.map(({ row, vmName, lastClean }) => [row.pointId, vmName, lastClean?.id])).toEqual([
    [pointIdOf(4), 'web-01', pointIdOf(2)],
    [pointIdOf(3), 'web-01', pointIdOf(2)],
  ])
  expect(here.catalog.changes.suspiciousByVm()).toEqual([{ vmId: 'web-01', points: 2 }])

  here.catalog.changes.review(pointIdOf(4), { verdict: 'attack', by: 'ann', reason: 'case 4711' })
  here.catalog.changes.review(pointIdOf(3), { verdict: 'expected', by: 'ann', reason: 'moved to an encrypted folder' })
  expect(here.catalog.changes.unreviewed(10).total).toBe(0)
  expect(noteOf(4)).toMatchObject({ review: 'attack' })
  // An attack stays in the list of what is flagged; what was meant does not.
  expect(here.catalog.points.list({ limit: 10 }, { suspicious: true }).items.map(({ id }) => id)).toEqual([
    pointIdOf(4),
  ])
  const row = here.catalog.changes.find(pointIdOf(4))
  expect(row && here.catalog.changes.lastClean(row)?.id).toBe(pointIdOf(3))
})

test('what was meant is usual from then on, an attack never is', () => {
  for (const n of [1, 2, 3, 4]) point(n, figures())
  point(5, encrypted)
  here.catalog.changes.review(pointIdOf(5), { verdict: 'attack', by: 'ann', reason: 'case 4711' })
  point(6, encrypted)
  expect(noteOf(6)).toMatchObject({ isSuspicious: true })
  here.catalog.changes.review(pointIdOf(6), { verdict: 'expected', by: 'ann', reason: 'restored to a vault' })
  point(7, encrypted)
  expect(noteOf(7)).toMatchObject({ isSuspicious: false })
})

test('a point is judged by what came before it, and a review is not overwritten by a step that comes twice', () => {
  for (const n of [1, 2, 3, 4]) point(n, figures())
  point(5, encrypted)
  here.catalog.changes.review(pointIdOf(5), { verdict: 'expected', by: 'ann', reason: 'known' })
  const again = here.catalog.changes.record({ pointId: pointIdOf(5), compared: null, problem: 'late' })
  expect(again).toMatchObject({ isSuspicious: true, review: { by: 'ann' } })
  expect(() => here.catalog.changes.review(pointIdOf(2), { verdict: 'attack', by: 'ann', reason: 'x' })).toThrowError(
    /not flagged/,
  )
})

test('what is usual outlives its points, and flagged points that are gone wait for nobody', () => {
  for (const n of [1, 2, 3, 4]) point(n, figures())
  point(5, encrypted)
  const removal = { ms: testNow, by: 'ann', why: 'retention' }
  for (const n of [1, 2, 3, 4, 5]) here.catalog.retained.recordRemoved('main', [aPoint(n).stem], removal)
  expect(here.catalog.changes.unreviewed(10).total).toBe(0)
  point(6, figures())
  expect(here.catalog.changes.find(pointIdOf(6))).toMatchObject({ usualBytes: 7 * MiB })
  expect(here.catalog.changes.find(pointIdOf(2))).toBeDefined()
})
