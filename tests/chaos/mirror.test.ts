/**
 * A mirror of a real repository into a real S3 store, and into Azurite, by a whole Holdfast, whose worker and whose store
 * are killed in the middle of it. The oracle: every point is there under keys of its own, byte by byte, and nothing is stored twice.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Installation, readRunbook, waitForEnd, type NewRepository } from '../../cli/demo/index.ts'
import { AzuriteLab, S3Lab } from '../../lab/stores/index.ts'
import { createRepository, openRepository, parseLocation } from '../../repository/index.ts'
import type { OpenedRepository } from '../../repository/repository.ts'
import { backUp, expectIdentical, ModelDisk, seededBytes } from '../../repository/testing/index.ts'
import { rebuild } from '../../server/rebuild/index.ts'

const count = 12
const size = 12 * MiB
const passphrase = 'of the other site'
const { signal } = new AbortController()
let home: string
let at: Installation
let s3: S3Lab
let azure: AzuriteLab
let made: NewRepository
interface Place {
  readonly url: string
  readonly id: string
  readonly packs: () => Promise<number>
}
const places: Place[] = []
const disks: { readonly stem: string; readonly disk: ModelDisk }[] = []

beforeAll(async () => {
  s3 = await S3Lab.start('seaweedfs')
  azure = await AzuriteLab.start()
  home = mkdtempSync(join(tmpdir(), 'hf-'))
  at = await Installation.start({ home })
  made = await at.addRepository('main', join(home, 'repository'))
  for (const name of ['offsite', 'elsewhere']) places.push(await addS3(name))
  places.push(await addAzure('cloud'))
  await at.stop()
  const location = { kind: 'posix', path: made.path } as const
  const secret = { kind: 'passphrase', passphrase: made.passphrase } as const
  {
    await using repository = await openRepository({ location, secret, cacheDir: join(home, 'writer'), threads: 1 })
    for (let n = 0; n < count; n += 1) {
      const disk = new ModelDisk(size)
      disk.write(0, seededBytes(n + 1, size))
      const createdMs = Date.now() - n * 3_600_000
      const { stem } = await backUp(repository as OpenedRepository, disk, { createdMs, vm: `vm-${n}` })
      disks.push({ stem, disk })
    }
  }
  // The catalog learns of them as it would after a disaster.
  const env = { ...process.env, HOLDFAST_HOME: home }
  const known = { installation: undefined, dryRun: false, reconcile: true, now: Date.now, onProgress: () => undefined }
  await rebuild({ env, locations: [location], secret, signal, ...known })
  at = await Installation.start({ home })
})
afterAll(async () => {
  await at?.stop()
  await s3?.[Symbol.asyncDispose]()
  await azure?.[Symbol.asyncDispose]()
  if (home) rmSync(home, { recursive: true, force: true })
})

async function addS3(name: string): Promise<Place> {
  const { bucket, url } = await s3.bucket({ prefix: 'copies/' })
  const packs = async (): Promise<number> => {
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'copies/pack/' }))
    return Contents.length
  }
  return { url, id: await addStore(name, url), packs }
}

async function addAzure(name: string): Promise<Place> {
  const { container, url } = await azure.container('copies/')
  const packs = async (): Promise<number> =>
    (await Array.fromAsync(azure.client.getContainerClient(container).listBlobsFlat({ prefix: 'copies/pack/' }))).length
  return { url, id: await addStore(name, url), packs }
}

async function addStore(name: string, url: string): Promise<string> {
  const location = parseLocation(url)
  await createRepository({ location, passphrase })
  const secretFile = join(home, 'secrets', `repository-${name}`)
  writeFileSync(secretFile, `${passphrase}\n`, { mode: 0o600 })
  const body = { name, site: 'local', location, credentialRef: `file:${secretFile}` }
  const { id } = await ask(at.api.POST('/repositories', { body }))
  return id
}

const start = (targetId: string): Promise<Schemas['Accepted']> =>
  ask(
    at.api.POST('/mirrors', {
      body: {
        ...{ sourceId: made.row.id, targetId, all: true, reason: 'test' },
        tuning: { moverHeartbeatMs: 3_000, reprobeMs: 1_000 },
      },
    }),
  )
/** So many that some points are there and others are not. How long that takes is no part of the test. */
async function firstPacks({ packs }: Place, run: string): Promise<void> {
  for (let looks = 0; (await packs()) < 4; looks += 1) {
    await sleep(50)
    // A run that has ended would be waited for in vain. Seldom: to ask is work for the processes that are watched.
    const book = looks % 40 === 39 ? await readRunbook(at.api, run) : undefined
    if (book && book.endedMs !== null) throw new Error(`it ended before the first packs: ${book.sentence}`)
  }
}
const stateOf = async (targetId: string): Promise<Schemas['Mirror'] | undefined> =>
  (await ask(at.api.GET('/mirrors'))).items.find((one) => one.targetId === targetId)

async function expectThere({ url, id }: Place): Promise<void> {
  expect(await stateOf(id)).toMatchObject({ done: count, behind: 0, failed: 0, lagMs: 0 })
  const cacheDir = join(home, 'reader', randomBytes(4).toString('hex'))
  const secret = { kind: 'passphrase', passphrase } as const
  await using there = await openRepository({ location: parseLocation(url), secret, cacheDir, threads: 1 })
  for (const { stem, disk } of disks) await expectIdentical(there as OpenedRepository, stem, disk)
  const { damages } = await there.verify({ level: 'quick', signal, onProgress: () => undefined })
  expect(damages).toEqual([])
}

test('a worker that is killed in the middle: another goes on with the point it was at, and all of them arrive', async () => {
  const [place] = places
  if (place === undefined) throw new Error('no store')
  const { runId, workflowId } = await start(place.id)
  expect(workflowId).toBe(`mirror/main/${place.id}`)
  await firstPacks(place, runId)
  at.kill('worker')
  expect((await stateOf(place.id))?.done).toBeLessThan(count)
  const book = await waitForEnd(at.api, runId)
  expect(book.state).toBe('completed')
  expect(book.phases.flatMap(({ steps }) => steps).some(({ attempt }) => attempt > 1)).toBe(true)
  await expectThere(place)
})

test('a store that is killed in the middle: the run waits for it, and all points arrive', async () => {
  const place = places[1]
  if (place === undefined) throw new Error('no store')
  const { runId } = await start(place.id)
  await firstPacks(place, runId)
  await s3.process.kill()
  await sleep(2_000)
  await s3.process.start()
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  await expectThere(place)
})

// Azurite loses what it acknowledged in the seconds before a kill -9 (lab/stores/azurite.ts), which no store may: it is
// ended and begun again, and all that is under way breaks off.
test('an Azure store that goes away in the middle: the run waits for it, and all points arrive', async () => {
  const place = places[2]
  if (place === undefined) throw new Error('no store')
  const { runId } = await start(place.id)
  await firstPacks(place, runId)
  await azure.process.stop()
  expect((await stateOf(place.id))?.done).toBeLessThan(count)
  await sleep(2_000)
  await azure.process.start()
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  await expectThere(place)
})
