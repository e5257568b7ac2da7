import { afterEach, beforeEach, expect, it } from 'vitest'
import type { HoldEntry } from '../../repository/index.ts'
import { aPoint, aRun, furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import { memoryBlobs } from '../testing/site.ts'
import { packBlob, surveyParts } from './blob.ts'
import { batchSize, createRetentionRecordActivities } from './record.ts'
import type { RetentionRecordActivities, Survey } from './types.ts'

const day = 86_400_000
const series = 'a'.repeat(32)
let world: TestCatalog
let catalog: TestCatalog['catalog']
let content: Map<string, Uint8Array>
let steps: RetentionRecordActivities
beforeEach(() => {
  world = testCatalog()
  catalog = world.catalog
  furnish(catalog)
  const location = { kind: 's3', url: 's3://offsite/holdfast' } as const
  catalog.repositories.add({ name: 'offsite', site: 'local', location, credentialRef: 'file:/secrets/offsite' })
  content = new Map()
  steps = createRetentionRecordActivities(catalog, memoryBlobs(content))
})
afterEach(() => world[Symbol.dispose]())

const act = { type: 'legal', actor: 'ann', reason: 'case' } as const
type Surveyed = Parameters<typeof surveyParts>[1][number]
const stemOf = (n: number): string => `snap/${series}/${'0'.repeat(16)}-${n.toString(16).padStart(32, '0')}`
/** A copy that was made again has a name of its own. */
const againOf = (n: number): string => `snap/${series}/${'0'.repeat(16)}-e${n.toString(16).padStart(31, '0')}`
const idOf = (n: number): string => stemOf(n).slice(-32)
/** `n` days old. */
const surveyed = (n: number, stem = stemOf(n)): Surveyed => ({
  ...{ stem, series, snap: '', vm: 'web-01', origin: 'scheduled', timeMs: testNow - n * day, retentionClass: '' },
  ...{ lockedUntilMs: null, guard: n === 0 ? 'newest' : null },
})
const days = Array.from({ length: 60 }, (_, n) => surveyed(n))

async function survey(points: readonly Surveyed[], holds: readonly HoldEntry[] = [], atMs = testNow): Promise<Survey> {
  const blobs: string[] = []
  for (const part of surveyParts('main', points, [], holds))
    blobs.push(await memoryBlobs(content).put(packBlob(part), 'text/plain'))
  return { blobs, points: points.length, series: 1, held: holds.length, atMs }
}
const plan = async (repositoryId: string, points: readonly Surveyed[], holds: readonly HoldEntry[] = []) =>
  steps.planSweep({
    ...{
      workflowId: `retention/${repositoryId}`,
      runId: `run-${repositoryId}`,
      repositoryId,
      maxShare: 1,
      dryRun: false,
    },
    survey: await survey(points, holds),
  })
const record = (points: readonly Surveyed[]): void => {
  for (const { stem, timeMs } of points)
    catalog.points.record(aPoint(0, { id: stem.slice(-32), stem, createdMs: timeMs, validatedMs: timeMs }))
}
const found = (n: number, stem: string, repositoryId = 'offsite'): void =>
  catalog.copies.found({
    pointId: idOf(n),
    repositoryId,
    stem,
    sourceId: 'main',
    validatedMs: testNow,
    lockUntilMs: null,
  })
const hold = (n: number, stem = stemOf(n), repositoryId = 'main'): Promise<void> =>
  steps.recordHold({
    ...{
      repositoryId,
      stem,
      hold: `hold/${stem.slice(-32)}-${n}`,
      type: 'legal',
      actor: 'ann',
      reason: 'case',
      atMs: testNow,
    },
  })
const keepOne = (): void => void catalog.vms.change('web-01', { override: { keep: { last: 1 } } })
const keptBy = (repositoryId: string, stem: string): readonly string[] | undefined =>
  catalog.sweeps.points(`run-${repositoryId}`, { limit: 200 }).items.find((one) => one.stem === stem)?.keptBy
const batch = (done: Parameters<RetentionRecordActivities['nextSweepBatch']>[0]['done'] = null) =>
  steps.nextSweepBatch({ runId: 'run-main', repositoryId: 'main', done, by: 'sweep:ann', atMs: testNow })

it('a point that is held in one repository is kept in every other, also where its copy came later under another name', async () => {
  keepOne()
  record(days)
  found(50, stemOf(50))
  await hold(50)
  await hold(40)
  // After the hold: found by a look into the repository, and made again after a removal.
  found(40, againOf(40))
  const there = [surveyed(0), surveyed(40, againOf(40)), surveyed(45), surveyed(50)]
  for (const n of [0, 45]) found(n, stemOf(n))
  await plan('offsite', there)
  expect(keptBy('offsite', againOf(40))).toEqual(['held in main'])
  expect(keptBy('offsite', stemOf(50))).toEqual(['held in main'])
  expect(catalog.sweeps.going('run-offsite')).toEqual([stemOf(45)])
  const judge = async (stem: string) => steps.judgePoint({ repositoryId: 'offsite', stem, survey: await survey(there) })
  await expect(judge(againOf(40))).rejects.toThrow('kept by held in main')
  await judge(stemOf(45))
})

it('the hold of a copy that was made again stays the hold of its point after a survey', async () => {
  record(days)
  catalog.retained.recordRemoved('main', [stemOf(40)], { ms: testNow, by: 'ann', why: 'wrong' })
  record([days[40] ?? surveyed(40)])
  found(40, againOf(40), 'main')
  const again = surveyed(40, againOf(40))
  const entry: HoldEntry = { name: `hold/${againOf(40).slice(-32)}-1`, snap: againOf(40).slice(-32), ...act, ms: 1 }
  await plan('main', [surveyed(0), again], [entry])
  expect(catalog.retained.holdsOf(idOf(40)).map(({ name }) => name)).toEqual([entry.name])
})

it('a run that reads one copy, and a hold that nobody can read, hold that copy alone', async () => {
  keepOne()
  record(days)
  for (const n of [0, 30, 31, 32]) found(n, stemOf(n))
  const rows = [
    { pointId: idOf(30), type: 'pin', actor: `instant:${'b'.repeat(32)}` },
    { pointId: idOf(31), type: 'unknown', actor: '' },
    { pointId: idOf(32), type: 'pin', actor: 'recovery:r1' },
  ] as const
  for (const row of rows)
    catalog.retained.addHold({ ...row, name: `hold/${row.pointId}-1`, repositoryId: 'main', reason: '', ms: 1 })
  await plan('offsite', [surveyed(0), surveyed(30), surveyed(31), surveyed(32)])
  expect(catalog.sweeps.going('run-offsite').toSorted()).toEqual([stemOf(30), stemOf(31), stemOf(32)])
  expect(catalog.retained.lackingHolds(9)).toEqual([])
})

it('copies that lack the hold of their point are told, until they have it', async () => {
  record(days.slice(0, 3))
  await hold(1)
  expect(catalog.retained.lackingHolds(9)).toEqual([])
  found(1, againOf(1))
  const lacking = { pointId: idOf(1), vmName: 'web-01', repositoryId: 'offsite', repositoryName: 'offsite' }
  expect(catalog.retained.lackingHolds(9)).toEqual([{ ...lacking, stem: againOf(1), ...act }])
  expect(catalog.retained.lackingHolds(9, idOf(2))).toEqual([])
  // What is gone, or was never validated there, needs none.
  catalog.points.recordGone(idOf(1), testNow, 'offsite')
  expect(catalog.retained.lackingHolds(9)).toEqual([])
  found(1, againOf(1))
  await hold(1, againOf(1), 'offsite')
  expect(catalog.retained.lackingHolds(9)).toEqual([])
})

it('between two batches what is held, pinned elsewhere or being restored by then stays, and the rest goes on', async () => {
  record(days)
  await plan('main', days)
  const first = await batch()
  expect(first).toMatchObject({ points: { length: batchSize }, spared: 0 })
  const rest = catalog.sweeps.going('run-main').filter((stem) => !first.points.some((one) => one.stem === stem))
  const [held = '', elsewhere = '', restored = ''] = rest
  const idAt = (stem: string): number => Number.parseInt(stem.slice(-32), 16)
  await hold(idAt(held))
  found(idAt(elsewhere), stemOf(idAt(elsewhere)))
  await hold(idAt(elsewhere), stemOf(idAt(elsewhere)), 'offsite')
  catalog.runs.started(aRun(7, { kind: 'restore', workflowId: 'restore/7', pointId: restored.slice(-32) }))
  const second = await batch({ points: first.points, refused: [] })
  expect(second.spared).toBe(3)
  expect(second.points.map(({ stem }) => stem).toSorted()).toEqual(rest.slice(3).toSorted())
  const why = new Map(
    catalog.sweeps.points('run-main', { limit: 200 }, { state: 'spared' }).items.map((one) => [one.stem, one.why]),
  )
  expect(why).toEqual(
    new Map([
      [held, 'kept since the plan: held'],
      [elsewhere, 'kept since the plan: held in offsite'],
      [restored, 'kept since the plan: being restored'],
    ]),
  )
  // The same answer again: nothing is spared twice.
  expect(await batch({ points: first.points, refused: [] })).toEqual({ ...second, spared: 0 })
})

it('between two batches the newest sound point stays when those after it are lost, and a longer policy counts at once', async () => {
  keepOne()
  record(days)
  await plan('main', days)
  const first = await batch()
  const next = Math.max(...first.points.map(({ stem }) => Number.parseInt(stem.slice(-32), 16))) + 1
  expect(next).toBe(batchSize + 1)
  // Everything newer is gone or broken; the sweep itself has taken the first batch.
  catalog.points.recordGone(idOf(0), testNow, 'main')
  const second = await batch({ points: first.points, refused: [] })
  expect(second.spared).toBe(1)
  expect(catalog.sweeps.points('run-main', { limit: 200 }, { state: 'spared' }).items).toMatchObject([
    { stem: stemOf(next), why: 'kept since the plan: newest, last' },
  ])
  catalog.vms.change('web-01', { override: { keep: { last: 100 } } })
  expect(await batch()).toEqual({ points: [], spared: 60 - 1 - batchSize - 1 })
})
