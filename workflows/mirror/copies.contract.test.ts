/**
 * The real steps of a mirror on a real Temporal, from a directory into a real S3 store that has keys of its own and another
 * retention: what arrives, what a sweep of one of them means to the other, and a restore from the copy alone.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createControlActivities, createSiteActivities } from '../../activities/index.ts'
import { holed } from '../../activities/testing/disks.ts'
import { FakeHypervisor } from '../../activities/testing/fake-driver.ts'
import { sampleBackup, sampleEndpoint, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { memoryBlobs, testSite, type TestSite } from '../../activities/testing/site.ts'
import { MiB, type RepositoryLocation } from '../../base/index.ts'
import { snapOf } from '../../catalog/index.ts'
import { aPoint, furnish, testCatalog, testNow, type TestCatalog } from '../../catalog/testing.ts'
import type { DiskKey } from '../../drivers/index.ts'
import { S3Lab } from '../../lab/stores/index.ts'
import { createRepository, parseLocation } from '../../repository/index.ts'
import { WorkflowBench } from '../../server/testing/workflows.ts'
import { backupWorkflow, type BackupResult } from '../backup/contract.ts'
import { restoreWorkflow, type RestoreInput, type RestoreResult } from '../restore/contract.ts'
import type { RepositoryRef } from '../shared/contract.ts'
import { mirrorWorkflow, type MirrorInput, type MirrorResult } from './contract.ts'
import { testSeal } from '../../evidence/testing.ts'

const disk = 'virtio0' as DiskKey
const content = holed(24 * MiB, 1, [3, 4])
const pair = { sourceId: 'main', targetId: 'offsite' } as const
const argon2 = { m: 19_456, t: 2, p: 1 }
let bench: WorkflowBench
let s3: S3Lab
let world: TestSite
let store: TestCatalog
let folder: string
let source: RepositoryRef
let target: RepositoryRef
let pointId: string
let stem: string
beforeAll(async () => {
  bench = await WorkflowBench.start()
  s3 = await S3Lab.start('seaweedfs')
  folder = mkdtempSync(join(tmpdir(), 'holdfast-mirror-'))
  const path = join(folder, 'repository')
  const { url } = await s3.bucket({ prefix: 'copies/' })
  source = await made('main', { kind: 'posix', path }, 'here')
  target = await made('offsite', parseLocation(url), 'there')
  world = testSite({
    hypervisor: new FakeHypervisor({ [disk]: content }),
    folder,
    secret: async (ref) => (ref === target.credentialRef ? 'there' : 'here'),
  })
  store = testCatalog()
  furnish(store.catalog)
  const { name, site, location, credentialRef } = target
  store.catalog.repositories.add({ name, site, location, credentialRef })
  ;({ stem } = await run<BackupResult>(backupWorkflow, sampleBackup({ repository: source, want: 'crash' })))
  pointId = snapOf(stem)
  store.catalog.points.record(aPoint(1, { id: pointId, stem, runId: null, workflowId: null }))
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  await s3[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function made(id: string, location: RepositoryLocation, passphrase: string): Promise<RepositoryRef> {
  await createRepository({ location, passphrase, argon2 })
  return { id, name: id, site: sampleSite, location, credentialRef: `file:/secrets/${id}` }
}

async function run<T>(workflow: string, input: unknown): Promise<T> {
  const steps =
    workflow === mirrorWorkflow
      ? createControlActivities(store.catalog, folder, memoryBlobs(world.evidence), testSeal)
      : new Scripted().activities
  const activities = { ...steps, ...createSiteActivities(world.site) } as Scripted['activities']
  return (await bench.run(workflow, input, activities, (handle) => handle.result() as Promise<T>)).value
}
const mirror = (): Promise<MirrorResult> =>
  run(mirrorWorkflow, {
    ...{ v: 1, source, target, requestedBy: sampleRequester, tuning: { operatorWaitMs: 0 }, part: 0 },
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

it('comes back byte by byte through the ordinary restore while its first repository is away', async () => {
  const { path } = source.location as { path: string }
  renameSync(path, `${path}.away`)
  const input: RestoreInput = {
    ...{ v: 1, requestId: 'r1', repository: target, stem, identity: 'new', powerOn: null },
    target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: 'copy' },
    requestedBy: sampleRequester,
    tuning: {},
  }
  try {
    expect(await run<RestoreResult>(restoreWorkflow, input)).toMatchObject({ outcome: 'completed' })
  } finally {
    renameSync(`${path}.away`, path)
  }
  const written = world.hypervisor.written.get(disk)
  expect(written && Buffer.compare(written, content)).toBe(0)
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
