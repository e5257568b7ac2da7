import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GiB, MiB } from '../base/index.ts'
import { AzuriteLab, S3Lab } from '../lab/stores/index.ts'
import { createRepositoryWith } from './create.ts'
import { mirror } from './mirror/index.ts'
import { probeLocation } from './probing.ts'
import { openRepositoryWith } from './repository.ts'
import { connectTo, listAll, parseLocation, SMALL_PROBE } from './store/index.ts'
import { backUp, expectIdentical, ModelBackup, ModelDisk, seededBytes } from './testing/index.ts'

const passphrase = 'correct horse'
const secret = { kind: 'passphrase', passphrase } as const
const argon2 = { m: 19_456, t: 2, p: 1 }
const { signal } = new AbortController()

let folder: string
let s3: S3Lab
let azure: AzuriteLab
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-object-store-'))
  s3 = await S3Lab.start('seaweedfs')
  azure = await AzuriteLab.start()
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await azure[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function disk(seed: number): ModelDisk {
  const model = new ModelDisk(GiB + 7 * MiB + 512)
  model.write(3 * MiB, seededBytes(seed, 48 * MiB))
  model.write(GiB - 4096, seededBytes(seed + 1, 2 * MiB))
  return model
}

const places: Record<string, () => Promise<string>> = {
  S3: async () => (await s3.bucket({ prefix: 'vms/' })).url,
  'Azure Blob': async () => (await azure.container('vms/')).url,
}

describe.each(Object.keys(places))('a repository on %s', (kind) => {
  it('takes a full and an incremental backup, verifies them, and restores both byte by byte', async () => {
    const location = parseLocation((await places[kind]?.()) ?? '')
    const { id } = await createRepositoryWith({ location, passphrase, argon2 }, { probeSize: SMALL_PROBE })
    const model = disk(1)
    const cacheDir = join(folder, id)
    await using repository = await openRepositoryWith({ location, secret, cacheDir })
    const full = await backUp(repository, model)
    const next = new ModelDisk(model.size)
    for (const at of model.written()) next.write(at, model.bytes(at, Math.min(MiB, model.size - at)))
    next.write(5 * MiB, seededBytes(9, MiB))
    const increment = await backUp(repository, next, {
      parent: full.stem,
      source: { extents: [{ offset: 5 * MiB, length: MiB, kind: 'data' }] },
    })
    await expectIdentical(repository, full.stem, model)
    await expectIdentical(repository, increment.stem, next)
    const report = await repository.verify({ level: 'full', signal, onProgress: () => undefined })
    expect(report).toMatchObject({ points: 2, damages: [] })
    expect(await repository.usage()).toMatchObject({ points: 2, capacityBytes: null, freeBytes: null })
    await expect(createRepositoryWith({ location, passphrase, argon2 })).rejects.toMatchObject({
      code: 'RepositoryExists',
    })
  })
})

it('points on S3 are copied to Azure Blob under other keys, and restore from there alone', async () => {
  const [from, to] = [parseLocation((await s3.bucket()).url), parseLocation((await azure.container('copies/')).url)]
  const other = { kind: 'passphrase', passphrase: 'of the other site' } as const
  const { id } = await createRepositoryWith({ location: from, passphrase, argon2 }, { probeSize: SMALL_PROBE })
  const made = await createRepositoryWith(
    { location: to, passphrase: other.passphrase, argon2 },
    { probeSize: SMALL_PROBE },
  )
  expect(made.id).not.toBe(id)
  const [first, second] = [21, 22].map((seed) => {
    const model = new ModelDisk(48 * MiB + 512)
    model.write(3 * MiB, seededBytes(seed, 12 * MiB))
    return model
  }) as [ModelDisk, ModelDisk]
  const stems: string[] = []
  {
    await using source = await openRepositoryWith({ location: from, secret, cacheDir: join(folder, 'from') })
    await using target = await openRepositoryWith({ location: to, secret: other, cacheDir: join(folder, 'to') })
    for (const model of [first, second]) stems.push((await backUp(source, model)).stem)
    const side = { engine: target.engine, points: target.points, writer: target }
    const { points } = await mirror(source, side, { signal, onProgress: () => undefined })
    expect(points.map(({ outcome }) => outcome)).toEqual(['mirrored', 'mirrored'])
  }
  // Nobody who knows only the keys of the source opens it, and nothing of the source is asked.
  const cacheDir = join(folder, 'alone')
  await expect(openRepositoryWith({ location: to, secret, cacheDir })).rejects.toMatchObject({ code: 'WrongSecret' })
  await using alone = await openRepositoryWith({ location: to, secret: other, cacheDir })
  for (const [at, model] of [first, second].entries()) await expectIdentical(alone, stems[at] ?? '', model)
  const { damages } = await alone.verify({ level: 'full', signal, onProgress: () => undefined })
  expect(damages).toEqual([])
})

describe('a repository on S3', () => {
  it('resumes a backup in a new process after both were killed, and reads nothing twice that was journalled', async () => {
    const location = parseLocation((await s3.bucket()).url)
    await createRepositoryWith({ location, passphrase, argon2 }, { probeSize: SMALL_PROBE })
    const model = disk(5)
    const options = { journalSourceBytes: 8 * MiB }
    const stop = new AbortController()
    const opening = { location, secret, cacheDir: join(folder, 'resume') }
    const first = await openRepositoryWith(opening)
    const backup = new ModelBackup(first, model, {
      ...options,
      source: { onRead: () => sleep(20) },
      signal: stop.signal,
    })
    await backup.open(first)
    const copying = backup.copy(first, 1)
    const failed = expect(copying).rejects.toMatchObject({ name: 'HoldfastError' })
    // Three objects of the session: it is open, and two stretches are journalled.
    const journalled = async () => (await listAll(connectTo(location)(), 'sess/')).length
    await expect.poll(journalled, { timeout: 60_000 }).toBeGreaterThan(2)
    await s3.process.kill()
    stop.abort()
    await failed
    await first[Symbol.asyncDispose]()
    await s3.process.start()

    await using second = await openRepositoryWith({ ...opening, cacheDir: join(folder, 'resume-2') })
    const { session, snap, createdMs } = backup.spec
    const again = new ModelBackup(second, model, { ...options, session, snap, createdMs })
    await again.open(second)
    const [part] = await again.copy(second, 2)
    expect(part?.bytesResumed).toBeGreaterThan(0)
    expect(again.source.bytesRead).toBeLessThan(50 * MiB)
    const { stem } = await again.commit(second, 2, 2)
    await expectIdentical(second, stem, model)
  })

  it('records the result of a probe in the repository, and goes by it', async () => {
    const location = parseLocation((await s3.bucket()).url)
    await createRepositoryWith({ location, passphrase, argon2 }, { probeSize: SMALL_PROBE })
    const report = await probeLocation(location, SMALL_PROBE)
    expect(report.passed).toBe(true)
    const store = connectTo(location)()
    expect(await listAll(store, 'probe/')).toHaveLength(2)
    await using repository = await openRepositoryWith({ location, secret, cacheDir: join(folder, 'probe') })
    expect(repository.engine.store.capabilities).toMatchObject({ kind: 's3', putIfAbsent: 'native', settle: 0 })
  })
})
