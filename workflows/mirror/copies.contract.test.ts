/**
 * The real steps of mirrors on a real Temporal: from a directory into a real S3 store, and from there into a real Azure store,
 * each with keys and a retention of its own. What arrives, what a sweep of one of them means to the others, and a restore from
 * a copy alone.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControlActivities, createSiteActivities } from '../../activities/index.ts'
import { holed } from '../../activities/testing/disks.ts'
import { FakeHypervisor } from '../../activities/testing/fake-driver.ts'
import { sampleBackup, sampleEndpoint, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { memoryBlobs, testSite, type TestSite } from '../../activities/testing/site.ts'
import { MiB, instant, type RepositoryLocation } from '../../base/index.ts'
import { snapOf } from '../../catalog/index.ts'
import { aPoint, furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import type { DiskKey, PointId } from '../../drivers/index.ts'
import { AzuriteLab, S3Lab } from '../../lab/stores/index.ts'
import { planDefaults } from '../../policy/index.ts'
import { createRepository, openRepository, parseLocation } from '../../repository/index.ts'
import { WorkflowBench } from '../../server/testing/workflows.ts'
import { backupWorkflow, type BackupResult } from '../backup/contract.ts'
import { restoreWorkflow, type RestoreInput, type RestoreResult } from '../restore/contract.ts'
import { sweepWorkflow, type SweepInput, type SweepResult } from '../retention/contract.ts'
import type { RepositoryRef } from '../shared/contract.ts'
import { mirrorWorkflow, type MirrorInput, type MirrorResult } from './contract.ts'
import { testSeal } from '../../evidence/testing.ts'

const disk = 'virtio0' as DiskKey
const content = holed(24 * MiB, 1, [3, 4])
const pair = { sourceId: 'main', targetId: 'offsite' } as const
const argon2 = { m: 19_456, t: 2, p: 1 }
let bench: WorkflowBench
let s3: S3Lab
let azure: AzuriteLab
let world: TestSite
let store: TestCatalog
let folder: string
let source: RepositoryRef
let target: RepositoryRef
let vault: RepositoryRef
let pointId: string
let stem: string
beforeAll(async () => {
  bench = await WorkflowBench.start()
  s3 = await S3Lab.start('seaweedfs')
  azure = await AzuriteLab.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-mirror-'))
  const path = join(folder, 'repository')
  const { url } = await s3.bucket({ prefix: 'copies/' })
  source = await made('main', { kind: 'posix', path })
  target = await made('offsite', parseLocation(url))
  vault = await made('vault', parseLocation((await azure.container('copies/')).url))
  world = testSite({
    hypervisor: new FakeHypervisor({ [disk]: content }),
    folder,
    secret: async (ref) => passphraseOf(ref.slice('file:/secrets/'.length)),
  })
  store = testCatalog()
  furnish(store.catalog)
  for (const { name, site, location, credentialRef } of [target, vault])
    store.catalog.repositories.add({ name, site, location, credentialRef })
  ;({ stem } = await run<BackupResult>(backupWorkflow, sampleBackup({ repository: source, want: 'crash' })))
  pointId = snapOf(stem)
  store.catalog.points.record(aPoint(1, { id: pointId, stem, runId: null, workflowId: null }))
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  await s3[Symbol.asyncDispose]()
  await azure[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Each repository has its own; the others' do not open it. */
const passphraseOf = (id: string): string => `of ${id} alone`
async function made(id: string, location: RepositoryLocation): Promise<RepositoryRef> {
  await createRepository({ location, passphrase: passphraseOf(id), argon2 })
  return { id, name: id, site: sampleSite, location, credentialRef: `file:/secrets/${id}` }
}

async function run<T>(workflow: string, input: unknown): Promise<T> {
  const steps =
    workflow === mirrorWorkflow || workflow === sweepWorkflow
      ? createControlActivities(store.catalog, folder, memoryBlobs(world.evidence), testSeal)
      : new Scripted().activities
  const activities = { ...steps, ...createSiteActivities(world.site) } as Scripted['activities']
  return (await bench.run(workflow, input, activities, (handle) => handle.result() as Promise<T>)).value
}
const mirror = (from = source, to = target): Promise<MirrorResult> =>
  run(mirrorWorkflow, {
    ...{ v: 1, source: from, target: to, requestedBy: sampleRequester, tuning: { operatorWaitMs: 0 }, part: 0 },
  } satisfies MirrorInput)
const copy = () => store.catalog.copies.find(pointId, 'offsite')

it('a point that is wanted there is there, under keys of its own, and was read back', async () => {
  expect(await mirror()).toMatchObject({ mirrored: 0, there: 0 })
  store.catalog.mirrors.want(pair, pointId, false)
  const done = await mirror()
  expect(done).toMatchObject({ mirrored: 1, there: 0 })
  expect(done.bytesVerified).toBeGreaterThanOrEqual(22 * MiB)
  expect(copy()).toMatchObject({ state: 'done', stem, attempts: 1, lockUntilMs: 0, verifyLevel: 'spot-checked' })
  expect(copy()?.storedBytes).toBeGreaterThan(0)
  expect(store.catalog.mirrors.states()).toMatchObject([{ done: 1, behind: 0, failed: 0, oldestMs: null }])
})

it('asked for once more by a catalog that does not know it, it is read back and not stored again', async () => {
  store.catalog.points.recordGone(pointId, testNow, 'offsite')
  store.catalog.mirrors.want(pair, pointId, true)
  expect(await mirror()).toMatchObject({ mirrored: 0, there: 1, bytesStored: 0 })
  expect(copy()).toMatchObject({ state: 'done', stem, verifyLevel: 'spot-checked' })
})

/** Through the ordinary restore, as a new VM: what was written. */
async function restored(repository: RepositoryRef, stem: string): Promise<Uint8Array | undefined> {
  world.hypervisor.durable.clear()
  const input: RestoreInput = {
    ...{ v: 1, requestId: 'r1', repository, stem, identity: 'new', powerOn: null },
    target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: 'copy' },
    requestedBy: sampleRequester,
    tuning: {},
  }
  expect(await run<RestoreResult>(restoreWorkflow, input)).toMatchObject({ outcome: 'completed' })
  return world.hypervisor.written.get(disk)
}
/** While the first repository is not there. */
async function withoutSource<T>(work: () => Promise<T>): Promise<T> {
  const { path } = source.location as { path: string }
  renameSync(path, `${path}.away`)
  try {
    return await work()
  } finally {
    renameSync(`${path}.away`, path)
  }
}
const isSame = (written: Uint8Array | undefined, wanted: Uint8Array): boolean =>
  written !== undefined && Buffer.compare(written, wanted) === 0

it('comes back byte by byte through the ordinary restore while its first repository is away', async () => {
  expect(isSame(await withoutSource(() => restored(target, stem)), content)).toBe(true)
})

describe('each repository keeps what is said for it:', () => {
  /** Oldest first: the disk as it was, and the point of it. */
  const versions: { readonly id: string; readonly stem: string; readonly content: Uint8Array }[] = []
  const keep = (last: { readonly [id: string]: number }): void => {
    const targets = Object.entries(last).map(([repository, n]) => ({
      ...{ repository, copy: repository === 'main' ? ('backup' as const) : ('mirror' as const), keep: { last: n } },
    }))
    const revision = store.catalog.plans.find('nightly')?.revision ?? 0
    const schedule = { kind: 'every', everyMs: 3_600_000 } as const
    store.catalog.plans.put({ ...planDefaults, name: 'nightly', schedule, targets, paused: true }, revision)
  }
  const sweep = (repository: RepositoryRef): Promise<SweepResult> =>
    run(sweepWorkflow, {
      ...{ v: 1, repository, mode: 'sweep', approval: 'grace', graceMs: 0, approveWithinMs: 0, maxShare: 1 },
      ...{ collect: 'always', waits: 'none', requestedBy: sampleRequester, tuning: {} },
    } satisfies SweepInput)
  /** What the repository itself lists, opened with its own passphrase and nothing of the catalog: numbers of versions. */
  async function holds({ id, location }: RepositoryRef): Promise<number[]> {
    const secret = { kind: 'passphrase', passphrase: passphraseOf(id) } as const
    await using there = await openRepository({ location, secret, cacheDir: join(folder, 'reader', id), threads: 1 })
    const points = await there.retentionPoints(AbortSignal.timeout(60_000))
    const found = points.map(({ stem: one }) => versions.findIndex(({ id: own }) => own === snapOf(one)))
    return found.filter((n) => n >= 0).toSorted((a, b) => a - b)
  }
  async function everyRepositoryHolds(): Promise<number[][]> {
    return [await holds(source), await holds(target), await holds(vault)]
  }
  async function copyOn(from: RepositoryRef, to: RepositoryRef): Promise<MirrorResult> {
    for (const { id } of versions) store.catalog.mirrors.want({ sourceId: from.id, targetId: to.id }, id, false)
    return mirror(from, to)
  }

  beforeAll(async () => {
    keep({ main: 3, offsite: 2, vault: 1 })
    for (const n of [1, 2, 3]) {
      const later = Uint8Array.from(content).fill(n, n * MiB, (n + 1) * MiB)
      const id = `c${n}`.repeat(16)
      world.hypervisor.disks.set(disk, later)
      world.hypervisor.opensAs = { id: id as PointId, createdAt: instant(Date.UTC(2026, 10, 21 + n)) }
      const backup = sampleBackup({ repository: source, want: 'crash', origin: 'scheduled' })
      const { stem: made } = await run<BackupResult>(backupWorkflow, backup)
      const of = {
        id,
        stem: made,
        createdMs: Date.UTC(2026, 10, 21 + n),
        origin: 'scheduled',
        plan: 'nightly',
      } as const
      store.catalog.points.record(aPoint(n + 2, { ...of, runId: null, workflowId: null }))
      versions.push({ id, stem: made, content: later })
    }
  })

  it('a chain of mirrors arrives under three keys, none of which opens another one', async () => {
    expect(await copyOn(source, target)).toMatchObject({ mirrored: 3 })
    expect(await copyOn(target, vault)).toMatchObject({ mirrored: 3, there: 0 })
    expect(await everyRepositoryHolds()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ])
    const secret = { kind: 'passphrase', passphrase: passphraseOf('offsite') } as const
    const wrong = openRepository({ location: vault.location, secret, cacheDir: join(folder, 'wrong'), threads: 1 })
    await expect(wrong).rejects.toMatchObject({ code: 'WrongSecret' })
  })

  it('a sweep of one takes what its own rule lets go, and nothing of the others', async () => {
    expect(await sweep(source)).toMatchObject({ ended: 'completed', removed: 0 })
    expect(await sweep(target)).toMatchObject({ ended: 'completed', removed: 1, collection: { outcome: 'collected' } })
    expect(await everyRepositoryHolds()).toEqual([
      [0, 1, 2],
      [1, 2],
      [0, 1, 2],
    ])
    expect(await sweep(vault)).toMatchObject({ ended: 'completed', removed: 2, collection: { outcome: 'collected' } })
    expect(await everyRepositoryHolds()).toEqual([[0, 1, 2], [1, 2], [2]])
  })

  it('what the retention of a copy removed does not come back by the next run', async () => {
    expect(await copyOn(source, target)).toMatchObject({ mirrored: 0, there: 0 })
    expect(await copyOn(target, vault)).toMatchObject({ mirrored: 0, there: 0 })
    expect(await everyRepositoryHolds()).toEqual([[0, 1, 2], [1, 2], [2]])
  })

  it('a copy outlives the point that it was made of, and comes back when only its own store is there', async () => {
    keep({ main: 1, offsite: 2, vault: 1 })
    expect(await sweep(source)).toMatchObject({ removed: 2 })
    expect(await everyRepositoryHolds()).toEqual([[2], [1, 2], [2]])
    const copyAt = (n: number, id: string): string => store.catalog.copies.find(versions[n]?.id ?? '', id)?.stem ?? ''
    await withoutSource(async () => {
      const [, older, newest] = versions.map((one) => one.content)
      expect(isSame(await restored(target, copyAt(1, 'offsite')), older ?? content)).toBe(true)
      await s3.process.kill()
      expect(isSame(await restored(vault, copyAt(2, 'vault')), newest ?? content)).toBe(true)
      await s3.process.start()
    })
  })
})

it('a point that its source does not have fails alone, with the reason, and waits for its next turn', async () => {
  const gone = aPoint(2, { stem: `${stem.slice(0, -32)}${'7'.repeat(32)}` })
  store.catalog.points.record(gone)
  store.catalog.mirrors.want(pair, gone.id, false)
  await expect(mirror()).rejects.toThrow()
  expect(store.catalog.copies.find(gone.id, 'offsite')).toMatchObject({ state: 'failed', attempts: 1 })
  expect(store.catalog.copies.find(gone.id, 'offsite')?.problem).toContain('there is no point')
  expect(store.catalog.copies.find(gone.id, 'offsite')?.retryMs).not.toBeNull()
})
