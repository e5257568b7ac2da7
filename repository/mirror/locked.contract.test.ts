import { afterAll, beforeAll, expect, test } from 'vitest'
import { DAY_MS } from '../lock/index.ts'
import {
  backUp,
  expectIdentical,
  noSignal,
  RepositoryLab,
  robbed,
  type MemoryBucket,
  type ModelDisk,
} from '../testing/index.ts'
import { history, run } from './testing.ts'

const DAYS = 20
const GENERATION = 6

let source: RepositoryLab
let mirror: RepositoryLab
beforeAll(async () => {
  source = await RepositoryLab.create()
  await using opened = await source.open()
  mirror = await RepositoryLab.create(opened.engine.ring.identityKey(), { days: DAYS, generationDays: GENERATION })
})
afterAll(async () => {
  for (const lab of [source, mirror]) await lab[Symbol.asyncDispose]()
})

/** As on the day before the lock ends, after somebody has deleted all that the store lets go. */
async function expectKept(bucket: MemoryBucket, stem: string, model: ModelDisk, untilSec: number): Promise<void> {
  await using reader = await mirror.over(await robbed(bucket, untilSec * 1000 - DAY_MS)).open()
  await expectIdentical(reader, stem, model)
}

test('a mirror locks its points by its own rule, from when they are published there, however old they are here', async () => {
  const { stems, disks } = await history(source, 1)
  await using from = await source.open()
  await using to = await mirror.open()
  const report = await run(from, to)
  expect(report.points.map(({ stem, outcome }) => [stem, outcome])).toEqual(stems.map((stem) => [stem, 'mirrored']))
  for (const [index, { target, createdMs, lockUntilSec = 0 }] of report.points.entries()) {
    // The points of this history are of 2023: by their own time the lock would be over.
    expect(createdMs + DAYS * DAY_MS).toBeLessThan(Date.now())
    expect(Math.abs(lockUntilSec * 1000 - Date.now() - DAYS * DAY_MS)).toBeLessThan(600_000)
    const [model] = disks.slice(index)
    if (model !== undefined) await expectKept(mirror.bucket, target, model, lockUntilSec)
    await using here = await from.openPoint(stems[index] ?? '')
    expect(here.info.retention.lockUntilSec).toBe(0)
  }
  // Pruned here by the rule of here, and not there.
  const wish = { remove: [{ stem: stems[0] ?? '' }], reason: 'operator', actor: 'test', signal: noSignal } as const
  expect(await from.prune({ ...wish, dryRun: true })).toMatchObject({ refused: [], tombstoned: [stems[0]] })
  const there = await to.prune({ ...wish, dryRun: true })
  expect(there.refused).toMatchObject([{ stem: stems[0], why: expect.stringMatching(/^locked until /) as string }])
})

test('what a later point there inherits is extended with it', async () => {
  const here = source.over(source.bucket.clone())
  const there = mirror.over(mirror.bucket.clone())
  await using from = await here.open()
  const { stems, disks } = await history(here, 30)
  const [model] = disks.slice(-1)
  if (model === undefined) throw new Error('no history')
  {
    await using to = await there.open()
    await run(from, to)
  }
  const before = new Map(there.bucket.names('pack/').map((name) => [name, there.bucket.lockedUntil(name)]))
  there.bucket.aheadMs += GENERATION * DAY_MS
  const { stem } = await backUp(from, model, { parent: stems.at(-1) ?? null, source: { extents: [] } })
  await using to = await there.open({ clock: () => there.bucket.now() })
  const { points } = await run(from, to, { points: [stem] })
  expect(points).toMatchObject([{ outcome: 'mirrored', bytesStored: 0 }])
  const extended = [...before].filter(([name, until]) => there.bucket.lockedUntil(name) > until)
  expect(extended.length).toBeGreaterThan(0)
  const [{ target = '', lockUntilSec = 0 } = {}] = points
  await expectKept(there.bucket, target, model, lockUntilSec)
})
