import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createControlActivities, createSiteActivities } from '../../activities/index.ts'
import { sampleSite } from '../../activities/testing/samples.ts'
import { memoryBlobs, testSite, type TestSite } from '../../activities/testing/site.ts'
import { HoldfastError } from '../../base/index.ts'
import { openCatalog } from '../../catalog/index.ts'
import { aPoint, furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
import { catalogVm, createRepository, openRepository, readCatalog, type Repository } from '../../repository/index.ts'
import { WorkflowBench } from '../../server/testing/workflows.ts'
import type { RepositoryRef } from '../shared/contract.ts'
import { measureWorkflow, ownBackupWorkflow, type MeasureResult, type OwnBackupResult } from './contract.ts'
import { testSeal } from '../../evidence/testing.ts'

const passphrase = 'correct horse'
let bench: WorkflowBench
let folder: string
let repository: RepositoryRef
let world: TestCatalog
let site: TestSite
/** What the way to the site does with the bytes of a copy, by attempt. */
let way: (bytes: AsyncIterable<Uint8Array>, attempt: number) => AsyncIterable<Uint8Array>
let fetched = 0

beforeAll(async () => {
  bench = await WorkflowBench.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-own-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: sampleSite, location, credentialRef: 'file:/secret' }
  world = testCatalog(join(folder, 'catalog.db'))
  furnish(world.catalog)
  site = testSite({
    folder,
    secret: async (ref) => (ref === 'file:/wrong' ? 'not it' : passphrase),
    catalogCopy: (snap) => {
      fetched += 1
      return way(createReadStream(join(copies(), `${snap}.db`)), fetched)
    },
  })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  world[Symbol.dispose]()
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  fetched = 0
  way = (bytes) => bytes
})

const copies = (): string => join(folder, 'copies')

async function backUp(): Promise<OwnBackupResult> {
  const activities = {
    ...createControlActivities(world.catalog, copies(), memoryBlobs(), testSeal),
    ...createSiteActivities(site.site),
  }
  const input = { v: 1, repository }
  const { value, history } = await bench.run(
    ownBackupWorkflow,
    input,
    activities,
    (handle) => handle.result() as Promise<OwnBackupResult>,
  )
  // Its history names where the passphrase is, never what it is.
  const texts = textsOf(history)
  expect(texts.some((text) => text.includes('file:/secret'))).toBe(true)
  for (const form of [passphrase, Buffer.from(passphrase).toString('hex'), Buffer.from(passphrase).toString('base64')])
    expect(texts.filter((text) => text.includes(form))).toEqual([])
  return value
}

/** Every text of a history, payloads decoded. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value, Buffer.from(value, 'base64').toString('latin1')]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

async function opened<T>(work: (repository: Repository) => Promise<T>): Promise<T> {
  const secret = { kind: 'passphrase', passphrase } as const
  await using own = await openRepository({
    location: repository.location,
    secret,
    cacheDir: join(folder, 'reader'),
    threads: 1,
  })
  return await work(own)
}

/** The catalog as the repository holds it, opened. */
async function held<T>(stem: string, work: (path: string) => T): Promise<T> {
  const path = join(folder, 'held.db')
  await opened(async (own) => {
    await using point = await own.openPoint(stem)
    const { createWriteStream } = await import('node:fs')
    const { pipeline } = await import('node:stream/promises')
    await pipeline(readCatalog(point), createWriteStream(path))
  })
  try {
    return work(path)
  } finally {
    rmSync(path)
  }
}

const versions = (): Promise<string[]> =>
  opened(async (own) => {
    const series = own.series(catalogVm(site.site.options.installation))
    const stems: string[] = []
    for await (const { stem, state } of own.listPoints({ series })) if (state === 'recovery-point') stems.push(stem)
    return stems
  })

test('the catalog lies in the repository, opens as a catalog, and is no point of a VM', async () => {
  world.catalog.points.record(aPoint(1))
  const result = await backUp()
  expect(result).toMatchObject({ versions: 1 })
  expect(
    await held(result.stem, (path) => {
      using copy = openCatalog({ path })
      return copy.points.list({ limit: 9 }).total
    }),
  ).toBe(1)
  expect(world.catalog.own.backup('main')).toMatchObject({
    stem: result.stem,
    versions: 1,
    error: null,
    bytes: result.bytes,
  })
  expect(await opened((own) => own.usage())).toMatchObject({ points: 0, series: 0 })
  expect(readdirSync(copies())).toEqual([])
})

test('a copy that arrives damaged or cut never becomes a version; the next attempt makes it whole', async () => {
  const before = await versions()
  way = async function* (bytes, attempt) {
    let first = true
    for await (const piece of bytes) {
      const broken = Uint8Array.from(piece)
      if (attempt === 1 && first) broken[200] = (broken[200] ?? 0) ^ 1
      if (attempt === 2) throw new HoldfastError('ServerUnreachable', 'cut')
      first = false
      yield broken
    }
  }
  const { stem } = await backUp()
  expect(fetched).toBe(3)
  expect((await versions()).filter((one) => !before.includes(one))).toEqual([stem])
  expect(
    await held(stem, (path) => {
      using copy = openCatalog({ path })
      return copy.integrity()
    }),
  ).toBe('ok')
})

test('what fails for good is written down, the older copy stays, and no file is left', async () => {
  const before = world.catalog.own.backup('main')
  // eslint-disable-next-line require-yield
  way = async function* () {
    throw new HoldfastError('Unauthorized', 'the token of the worker is not valid')
  }
  await expect(backUp()).rejects.toThrow()
  const after = world.catalog.own.backup('main')
  expect(after).toMatchObject({ stem: before.stem, madeMs: before.madeMs, error: { code: 'Unauthorized' } })
  expect(existsSync(copies()) ? readdirSync(copies()) : []).toEqual([])
})

test('versions are removed by rule, a batch at a time, never the newest', async () => {
  const made: string[] = []
  // All of one day: rules keep the last eight and the newest of the day.
  for (let n = 0; n < 14; n += 1) {
    world.clock.ms += 60_000
    made.push((await backUp()).stem)
  }
  const left = await versions()
  expect(left).toContain(made.at(-1))
  expect(left.length).toBeLessThan(14)
  expect(left.length).toBeGreaterThanOrEqual(8)
  expect(world.catalog.own.backup('main').versions).toBe(left.length)
})

test('a repository is measured by a run of its own; why it could not be is written down, and the older figures stay', async () => {
  const measure = async (of: RepositoryRef): Promise<MeasureResult> => {
    const activities = {
      ...createControlActivities(world.catalog, copies(), memoryBlobs(), testSeal),
      ...createSiteActivities(site.site),
    }
    const run = (handle: { result(): Promise<unknown> }) => handle.result() as Promise<MeasureResult>
    return (await bench.run(measureWorkflow, { v: 1, repository: of }, activities, run)).value
  }
  const { usage, measuredMs } = await measure(repository)
  expect(usage.packs).toBeGreaterThan(0)
  const main = () => world.catalog.repositories.get('main')
  expect(main()).toMatchObject({ usage: { ...usage, measuredMs }, measureError: null })
  expect(world.catalog.repositories.growth('main', 9)).toHaveLength(1)
  await expect(measure({ ...repository, credentialRef: 'file:/wrong' })).rejects.toThrow()
  expect(main()).toMatchObject({ usage: { measuredMs }, measureError: { code: 'WrongSecret' } })
})
