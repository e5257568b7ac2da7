import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB } from '../base/index.ts'
import type { DiskKey } from '../drivers/index.ts'
import { createRepository } from '../repository/index.ts'
import { createSiteActivities } from '../activities/index.ts'
import { holed } from '../activities/testing/disks.ts'
import { FakeHypervisor } from '../activities/testing/fake-driver.ts'
import {
  sampleBackup,
  sampleEndpoint,
  sampleRequester,
  sampleSite,
  sampleTarget,
} from '../activities/testing/samples.ts'
import { Scripted } from '../activities/testing/scripted.ts'
import { testSite } from '../activities/testing/site.ts'
import type { TestSite } from '../activities/testing/site.ts'
import type { WantedCopy } from '../activities/mirror/types.ts'
import { WorkflowBench } from '../server/testing/workflows.ts'
import { backupWorkflow } from './backup/contract.ts'
import type { BackupResult } from './backup/contract.ts'
import { drillWorkflow } from './drill/contract.ts'
import { mirrorWorkflow } from './mirror/contract.ts'
import { planWorkflow } from './plan/contract.ts'
import { keepPointWorkflow, sweepWorkflow } from './retention/contract.ts'
import { restoreWorkflow } from './restore/contract.ts'
import type { RepositoryRef } from './shared/contract.ts'
import { verifyWorkflow } from './verify/contract.ts'

/** Passphrase and endpoint secret. What a history holds of them in any of these forms is a leak. */
const canary = 'canary-3b9d0f6a71ce'
const forms = [canary, Buffer.from(canary).toString('hex'), Buffer.from(canary).toString('base64').replace(/=+$/, '')]
const endpoint = { ...sampleEndpoint, credentialRef: 'file:/endpoint' }

let bench: WorkflowBench
let world: TestSite
let hypervisor: FakeHypervisor
let folder: string
let repository: RepositoryRef
let other: RepositoryRef
beforeAll(async () => {
  bench = await WorkflowBench.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: canary, argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: sampleSite, location, credentialRef: 'file:/secret' }
  const place = { kind: 'posix', path: join(folder, 'other') } as const
  await createRepository({ location: place, passphrase: canary, argon2: { m: 19_456, t: 2, p: 1 } })
  other = { ...repository, id: 'other', name: 'other', location: place }
  hypervisor = new FakeHypervisor({ ['virtio0' as DiskKey]: holed(24 * MiB, 1, [3, 4]) })
  world = testSite({ hypervisor, folder, secret: async () => canary })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Every text of a history, payloads decoded. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value, Buffer.from(value, 'base64').toString('latin1')]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

it('no workflow keeps a secret in its history, whatever the steps did with it', async () => {
  const plan = {
    openPlanRun: async () => ({ vms: 1, concurrency: 1 }),
    nextPlanVm: async ({ turn }: { readonly turn: number }) => {
      const input = sampleBackup({ vm: { ...sampleTarget, endpoint }, repository, want: 'crash', plan: 'nightly' })
      const next = { position: 0, workflowId: 'backup/of-a-plan', vmName: 'erp-db-01', attempt: 1, input }
      return { next: turn === 0 ? next : null, againMs: null }
    },
  }
  const wanted: WantedCopy[] = []
  const nextCopies = async () => ({ copies: wanted.splice(0) })
  const activities = { ...new Scripted({ ...plan, nextCopies }).activities, ...createSiteActivities(world.site) }
  const run = async <T>(workflow: string, input: unknown): Promise<T> => {
    const { value, history } = await bench.run(workflow, input, activities, (handle) => handle.result() as Promise<T>)
    const texts = textsOf(history)
    expect(texts.some((text) => text.includes('file:/secret'))).toBe(true)
    for (const form of forms) expect(texts.filter((text) => text.includes(form))).toEqual([])
    return value
  }
  const vm = { ...sampleTarget, endpoint }
  const { stem } = await run<BackupResult>(backupWorkflow, sampleBackup({ vm, repository, want: 'crash' }))
  const common = { v: 1, repository, stem, requestedBy: sampleRequester, tuning: {} }
  await run(restoreWorkflow, {
    ...common,
    requestId: 'r',
    identity: 'new',
    powerOn: true,
    target: { kind: 'new', endpoint, site: sampleSite, name: 'copy' },
  })
  await run(drillWorkflow, {
    ...common,
    vmId: vm.id,
    vmName: vm.ref.name,
    endpoint,
    site: sampleSite,
    checks: [],
    bootTimeoutMs: 5_000,
  })
  await run(sweepWorkflow, {
    v: 1,
    repository,
    mode: 'sweep',
    approval: 'grace',
    graceMs: 0,
    approveWithinMs: 5_000,
    maxShare: 1,
    collect: 'always',
    waits: 'usual',
    requestedBy: sampleRequester,
    tuning: {},
  })
  const every = { level: 'full', quarantine: true, budgetBytes: null } as const
  await run(verifyWorkflow, { v: 1, repository, ...every, requestedBy: sampleRequester, tuning: {} })
  const copy = { pointId: stem.slice(-32), stem, vmName: vm.ref.name, createdMs: 1, logicalBytes: 1, byHand: false }
  wanted.push(copy)
  const pair = { source: repository, target: other, requestedBy: sampleRequester, tuning: {}, part: 0 }
  expect(await run(mirrorWorkflow, { v: 1, ...pair })).toMatchObject({ mirrored: 1 })
  const hold = { kind: 'hold', type: 'pin' }
  await run(keepPointWorkflow, { v: 1, repository, stem, act: hold, requestedBy: sampleRequester })
  await run(planWorkflow, {
    v: 1,
    plan: 'nightly',
    trigger: 'hand',
    again: null,
    part: 0,
    requestedBy: sampleRequester,
  })
  expect(hypervisor.secretSeen).toBe(canary)
})
