/** The real steps of a verify, site and control plane, on a real Temporal: bytes that changed, and a store that is away. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createControlActivities, createSiteActivities } from '../../activities/index.ts'
import { holed } from '../../activities/testing/disks.ts'
import { FakeHypervisor } from '../../activities/testing/fake-driver.ts'
import { sampleBackup, sampleRequester, sampleSite } from '../../activities/testing/samples.ts'
import { Scripted } from '../../activities/testing/scripted.ts'
import { memoryBlobs, testSite, type TestSite } from '../../activities/testing/site.ts'
import { MiB } from '../../base/index.ts'
import { snapOf } from '../../catalog/index.ts'
import { aPoint, furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
import type { DiskKey } from '../../drivers/index.ts'
import { createRepository } from '../../repository/index.ts'
import { WorkflowBench } from '../../server/testing/workflows.ts'
import { backupWorkflow } from '../backup/contract.ts'
import type { BackupResult } from '../backup/contract.ts'
import type { RepositoryRef } from '../shared/contract.ts'
import { verifyWorkflow } from './contract.ts'
import type { VerifyInput, VerifyResult } from './contract.ts'
import { testSeal } from '../../evidence/testing.ts'

let bench: WorkflowBench
let world: TestSite
let store: TestCatalog
let folder: string
let repository: RepositoryRef
let pointId: string
beforeAll(async () => {
  bench = await WorkflowBench.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-verify-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: 'verify', argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: sampleSite, location, credentialRef: 'file:/secret' }
  const hypervisor = new FakeHypervisor({ ['virtio0' as DiskKey]: holed(24 * MiB, 1, [3, 4]) })
  world = testSite({ hypervisor, folder, secret: async () => 'verify' })
  store = testCatalog()
  furnish(store.catalog)
  const { stem } = await run<BackupResult>(backupWorkflow, sampleBackup({ repository, want: 'crash' }))
  // The hypervisor in memory gives every point the same id, whatever it is asked for.
  pointId = snapOf(stem)
  store.catalog.points.record(aPoint(1, { id: pointId, stem, runId: null, workflowId: null }))
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function run<T>(workflow: string, input: unknown): Promise<T> {
  const control = createControlActivities(store.catalog, folder, memoryBlobs(world.evidence), testSeal)
  const steps = { ...createSiteActivities(world.site), ...control }
  const activities =
    workflow === backupWorkflow ? { ...new Scripted().activities, ...createSiteActivities(world.site) } : steps
  return (await bench.run(workflow, input, activities, (handle) => handle.result() as Promise<T>)).value
}
const verify = (over: Partial<VerifyInput> = {}): Promise<VerifyResult> =>
  run(verifyWorkflow, {
    v: 1,
    repository,
    level: 'full',
    quarantine: false,
    budgetBytes: null,
    requestedBy: sampleRequester,
    tuning: {},
    ...over,
  })
const lastRun = () => store.catalog.verifyRuns.list({ limit: 1 }, { repositoryId: 'main' }).items[0]
const point = () => store.catalog.points.get(pointId)
const packs = (): string[] =>
  readdirSync(join(folder, 'repository', 'pack'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes)
}

it('says that what is sound is sound, and notes it at the point', async () => {
  expect(await verify()).toMatchObject({ verdict: 'sound', points: 1, damages: 0 })
  expect(point()).toMatchObject({ verifyLevel: 'full', damagedMs: null })
})

it('a store that is away makes a verify that could not read: nothing is damaged, nothing is absent', async () => {
  const { path } = repository.location as { path: string }
  const before = point()
  renameSync(path, `${path}.away`)
  try {
    await expect(verify({ tuning: { operatorWaitMs: 0 } })).rejects.toThrow()
  } finally {
    renameSync(`${path}.away`, path)
  }
  expect(lastRun()).toMatchObject({ state: 'failed', damages: 0, damagedPoints: 0 })
  expect(lastRun()?.error?.message).toBeTruthy()
  expect(point()).toEqual(before)
})

it('a flipped byte takes the point back and names its disk; with its bytes as they were the point is whole again', async () => {
  const path = packs().toSorted((a, b) => readFileSync(b).length - readFileSync(a).length)[0] ?? ''
  flip(path, 200)
  expect(await verify({ quarantine: false })).toMatchObject({
    verdict: 'damaged',
    damages: 1,
    unreadable: 0,
    damagedPoints: 1,
    quarantined: 0,
  })
  expect(point()).toMatchObject({ validatedMs: null, verifyLevel: null })
  expect(point().damagedMs).not.toBeNull()
  const runId = lastRun()?.runId ?? ''
  const [finding] = store.catalog.verifyRuns.findings(runId, { limit: 10 }).items
  expect(finding).toMatchObject({ proved: true, found: 'L4', affects: [{ stem: point().stem, disk: 'virtio0' }] })
  expect(finding?.affects[0]?.ranges.length).toBeGreaterThan(0)

  flip(path, 200)
  expect(await verify()).toMatchObject({ verdict: 'sound', mendedPoints: 1 })
  expect(point()).toMatchObject({ damagedMs: null, verifyLevel: 'full' })
  expect(point().validatedMs).not.toBeNull()
})

it('what is quarantined is counted, and the repository knows it', async () => {
  flip(packs()[0] ?? '', 200)
  expect(await verify({ quarantine: true })).toMatchObject({ verdict: 'damaged', damages: 1, quarantined: 1 })
  expect(readdirSync(join(folder, 'repository', 'bad')).length).toBe(1)
})
