import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB } from '../../base/index.ts'
import type { DiskKey } from '../../drivers/index.ts'
import { createRepository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { Bandwidth, createSiteActivities } from '../index.ts'
import type { SiteActivities } from '../index.ts'
import { holed } from '../testing/disks.ts'
import { FakeHypervisor } from '../testing/fake-driver.ts'
import { sampleEndpoint, sampleVm } from '../testing/samples.ts'
import { testSite } from '../testing/site.ts'
import type { TestSite } from '../testing/site.ts'
import type { RestoreDiskInput } from './types.ts'

const size = 12 * MiB
const disk = 'virtio0' as DiskKey
const content = holed(size, 7, [2, 3, 11])

let folder: string
let repository: RepositoryRef
let stem: string
const hypervisor = new FakeHypervisor({ [disk]: content })

const aSite = (): TestSite => testSite({ hypervisor, folder, secret: async () => 'x', durableEveryBytes: 2 * MiB })
async function run<I, R>(
  activity: (input: I) => Promise<R>,
  input: I,
  info: object = {},
  watch: (beat: MoveDetails) => void = () => undefined,
): Promise<R> {
  const env = new MockActivityEnvironment({ heartbeatTimeoutMs: 400, ...info }, { logger: new DefaultLogger('ERROR') })
  env.on('heartbeat', watch)
  const result: unknown = await env.run(activity, input)
  return result as R
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-restore-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: 'x', argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: 'test', location, credentialRef: 'file:/secret' }
  await using world = aSite()
  stem = await backUp(createSiteActivities(world.site))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function backUp(steps: SiteActivities): Promise<string> {
  const point = hypervisor.point('full')
  const round = { endpoint: sampleEndpoint, vm: sampleVm, pointId: point.id }
  const session = '5'.repeat(32)
  const range = { part: 1, disk, firstPage: 0, nPages: 1 }
  const { series } = await run(steps.preflight, {
    ...round,
    repository,
    mode: 'full' as const,
    want: 'crash' as const,
    onQuiesceFailure: 'degrade' as const,
    freezeLimitMs: 5000,
    damaged: [],
  })
  await run(steps.openSession, { repository, session, series, parentStem: null, point, parts: [range] })
  const copy = await run(steps.copyDisk, {
    ...round,
    repository,
    session,
    point,
    range,
    attemptBase: 0,
    mode: 'full' as const,
    compressionLevel: 1,
    journalSourceBytes: null,
    stallTimeoutMs: 60_000,
  })
  const committed = await run(steps.commitBackup, {
    ...round,
    repository,
    session,
    point,
    results: [{ part: 1, attempt: copy.attempt }],
    disks: [{ id: disk, mode: 'full' as const, why: 'no-parent' }],
    attemptBase: 0,
    ordinal: 0,
    atRest: null,
    origin: 'manual' as const,
    name: null,
    description: null,
    startedMs: 1,
    run: 'r',
    tags: [],
    hypervisor: { platform: 'qemu', version: '1', host: 'h' },
  })
  return committed.stem
}

const input = (over: Partial<RestoreDiskInput> = {}): RestoreDiskInput => ({
  endpoint: sampleEndpoint,
  operation: '9'.repeat(32),
  repository,
  stem,
  target: hypervisor.target(),
  disk,
  resume: null,
  stallTimeoutMs: 60_000,
  ...over,
})
/** As on another host. */
const forgetMarks = (): void => rmSync(join(folder, 'cache', 'marks'), { recursive: true, force: true })
const forget = (): void => {
  forgetMarks()
  hypervisor.durable.clear()
  hypervisor.faults = {}
}

it('writes exactly what was backed up; holes are left alone', async () => {
  forget()
  await using world = aSite()
  const result = await run(createSiteActivities(world.site).restoreDisk, input())
  expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content)).toBe(0)
  expect(result).toMatchObject({ size, bytesResumed: 0, writtenBytes: 9 * MiB, bytesWrittenAgain: 0 })
})

it('goes on elsewhere where the target had everything durably as it was told, after a death at any write, and ends with the same bytes', async () => {
  for (const diesAt of [0, 4, 7, 10]) {
    forget()
    let last: MoveDetails | undefined
    {
      await using world = aSite()
      hypervisor.faults = {
        onWrite: async (at) => {
          if (at >= diesAt * MiB) throw new Error('the worker is gone')
        },
      }
      await expect(
        run(createSiteActivities(world.site).restoreDisk, input(), {}, (beat) => (last = beat)),
      ).rejects.toThrow()
    }
    hypervisor.faults = {}
    forgetMarks()
    await using world = aSite()
    const result = await run(createSiteActivities(world.site).restoreDisk, input(), {
      attempt: 2,
      heartbeatDetails: last,
    })
    expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content), `died at ${diesAt} MiB`).toBe(0)
    expect(result.bytesResumed).toBe(last?.durableOffset ?? 0)
    expect(result.bytesWrittenAgain).toBeNull()
  }
})

/** An attempt that dies at its write at `mib`, without a word: what it would have told is not given to the next one. */
async function dies(mib: number, info: object = {}): Promise<void> {
  await using world = aSite()
  hypervisor.faults = {
    onWrite: async (at) => {
      if (at >= mib * MiB) throw new Error('the worker is gone')
    },
  }
  await expect(run(createSiteActivities(world.site).restoreDisk, input(), info)).rejects.toThrow('gone')
  hypervisor.faults = {}
}

it('goes on at what it marked on this host where the last words of a killed worker were lost, and says what it wrote again', async () => {
  forget()
  await dies(10)
  await using world = aSite()
  const result = await run(createSiteActivities(world.site).restoreDisk, input(), { attempt: 2 })
  expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content)).toBe(0)
  expect(result.bytesResumed).toBeGreaterThanOrEqual(7 * MiB)
  // Durable after every 2 MiB of data; the rest was under way.
  expect(result.bytesWrittenAgain).toBe(Math.max(0, 11 * MiB - result.bytesResumed))
  expect(result.writtenBytes).toBeLessThanOrEqual(4 * MiB)
})

it('believes no mark of a run that was reset, nor of an operation that has removed what it made', async () => {
  for (const how of ['reset', 'removed']) {
    forget()
    await dies(10, { workflowExecution: { workflowId: 'restore/1', runId: 'before' } })
    hypervisor.durable.clear()
    await using world = aSite()
    const steps = createSiteActivities(world.site)
    const runId = how === 'reset' ? 'after' : 'before'
    if (how === 'removed') await run(steps.destroyTarget, { ...input(), target: null })
    const info = { attempt: 2, workflowExecution: { workflowId: 'restore/1', runId } }
    const result = await run(steps.restoreDisk, input(), info)
    expect(result, how).toMatchObject({ bytesResumed: 0, writtenBytes: 9 * MiB, bytesWrittenAgain: null })
    expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content)).toBe(0)
  }
})

it('begins while backups hold every slot of the mover', async () => {
  forget()
  await using world = aSite()
  const { slots } = world.site.options
  using _one = await slots.take(new AbortController().signal)
  using _other = await slots.take(new AbortController().signal)
  const result = await run(createSiteActivities(world.site).restoreDisk, input())
  expect(result).toMatchObject({ size, writtenBytes: 9 * MiB })
})

it('believes no claim about another volume, another point or an impossible offset', async () => {
  const claim = { disk, volume: 'volume-virtio0', stem, offset: 8 * MiB }
  for (const resume of [
    { ...claim, volume: 'volume-of-before' },
    { ...claim, stem: 'snap/other' },
    { ...claim, offset: 8 * MiB + 5 },
    { ...claim, offset: size * 2 },
  ]) {
    forget()
    await using world = aSite()
    const result = await run(createSiteActivities(world.site).restoreDisk, input({ resume }))
    expect(result.bytesResumed).toBe(0)
    expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content)).toBe(0)
  }
})

it('plans, makes and sweeps by the operation key, and leaves what is not of this operation', async () => {
  await using world = aSite()
  const steps = createSiteActivities(world.site)
  const where = {
    endpoint: sampleEndpoint,
    operation: '9'.repeat(32),
    repository,
    stem,
    place: { place: { kind: 'new', name: 'copy' }, identity: 'new', isolated: true },
  } as const
  expect(await run(steps.planRestore, where)).toMatchObject({
    vmName: sampleVm.name,
    firmware: 'bios',
    disks: [{ key: disk, size }],
  })
  expect((await run(steps.createTarget, where)).disks).toHaveLength(1)
  hypervisor.calls.length = 0
  await run(steps.destroyTarget, { ...where, target: null })
  expect(hypervisor.calls).toEqual(['remove ours'])
})

it('takes only the disks that are asked for, none for the configuration alone, and refuses one that is not there', async () => {
  await using world = aSite()
  const steps = createSiteActivities(world.site)
  const of = (disks: readonly string[]) => ({
    ...{ endpoint: sampleEndpoint, operation: '9'.repeat(32), repository, stem },
    place: { place: { kind: 'new', name: 'copy' }, identity: 'new', isolated: false, disks } as const,
  })
  expect((await run(steps.planRestore, of([disk]))).disks).toMatchObject([{ key: disk, size }])
  hypervisor.specs.length = 0
  expect((await run(steps.planRestore, of([]))).disks).toEqual([])
  expect(hypervisor.specs.map((spec) => [spec.disks, spec.vm.disks])).toEqual([[[], []]])
  await expect(run(steps.planRestore, of(['scsi9']))).rejects.toMatchObject({ type: 'InvalidRequest' })
})

it('a check reads chunks of the point back: what cannot be read blocks, however well the target looks', async () => {
  await using world = aSite()
  const { inspectRestore } = createSiteActivities(world.site)
  const wish = {
    ...{ v: 1 as const, repository, stem, identity: 'new' as const, powerOn: false },
    target: { kind: 'new' as const, endpoint: sampleEndpoint, site: 'test', name: 'copy' },
  }
  const good = await run(inspectRestore, wish)
  expect(good).toMatchObject({ findings: [], dataBytes: 9 * MiB, logicalBytes: size, error: null })
  expect(good.passed.map(({ title }) => title)).toEqual([
    ...['The point can be restored', 'Readable', 'Space', 'Name and identity', 'Machine'],
  ])
  expect(good.passed[1]?.detail).toMatch(/^16 chunks/)

  // One byte of each pack of another copy of the repository: every chunk that is drawn lies in one of them.
  const damaged = join(folder, 'damaged')
  cpSync(join(folder, 'repository'), damaged, { recursive: true })
  for (const name of globSync('**/*', { cwd: join(damaged, 'pack') })) {
    const path = join(damaged, 'pack', name)
    if (!statSync(path).isFile()) continue
    const bytes = readFileSync(path)
    // Headers and tables at both ends are left, so that the pack is opened.
    for (let at = 64; at < bytes.length - 2048; at += 512) bytes[at] = ~(bytes[at] ?? 0)
    writeFileSync(path, bytes)
  }
  const other = { ...repository, id: 'damaged', location: { kind: 'posix' as const, path: damaged } }
  const bad = await run(inspectRestore, { ...wish, repository: other })
  expect(bad.findings).toMatchObject([{ severity: 'blocking', code: 'ChunkLost' }])
  expect(bad.passed.map(({ title }) => title)).not.toContain('Readable')
})

it('a test of the repository says who can open it and what it locks, and nothing secret', async () => {
  await using world = aSite()
  const { security, error } = await run(createSiteActivities(world.site).inspectRepository, {
    v: 1 as const,
    repository,
  })
  expect(error).toBeNull()
  expect(security).toMatchObject({ kekGen: 1, isComplete: true, damaged: 0, lock: null })
  expect(security?.slots.map(({ type, isCurrent, sound }) => [type, isCurrent, sound]).sort()).toEqual([
    ['passphrase', true, true],
    ['recovery', true, true],
  ])
  expect(JSON.stringify(security)).not.toMatch(/wrapped|nonce|salt/)
})

it('asks the guest, judges the answer, keeps the picture', async () => {
  await using world = aSite()
  const steps = createSiteActivities(world.site)
  const guest = { endpoint: sampleEndpoint, operation: '9'.repeat(32), vm: sampleVm }
  expect(await run(steps.waitForGuest, { ...guest, timeoutMs: 30_000 })).toMatchObject({ state: 'up' })
  const check = {
    title: 'rows',
    path: '/bin/count',
    args: [],
    timeoutMs: 1000,
    expectExit: 0,
    count: { expected: 1004, tolerance: 0.005 },
  }
  expect(await run(steps.runGuestCheck, { ...guest, check })).toMatchObject({ passed: true, count: 1000 })
  expect(
    await run(steps.runGuestCheck, { ...guest, check: { ...check, count: { expected: 1010, tolerance: 0.005 } } }),
  ).toMatchObject({ passed: false })
  const { sha256 } = await run(steps.takeScreenshot, guest)
  expect(world.evidence.has(sha256 ?? '')).toBe(true)
})

/** Restores under what the server says of each link, on a clock that only waiting for bandwidth moves. */
async function paced(rateOf: (key: string) => number | null): Promise<number> {
  forget()
  let nowMs = 0
  const wait = async (ms: number): Promise<void> => {
    nowMs += ms
    await new Promise((resolve) => setImmediate(resolve))
  }
  const until = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  using bandwidth = new Bandwidth({
    ask: async (moving) => moving.map(({ key }) => ({ key, bytesPerSecond: rateOf(key), limits: [], timeZone: 'UTC' })),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    now: () => nowMs,
    wait,
    pause: (_ms, signal) => until(signal),
  })
  await using world = testSite({ hypervisor, folder, secret: async () => 'x', bandwidth })
  await run(createSiteActivities(world.site).restoreDisk, input())
  expect(Buffer.compare(hypervisor.durable.get(disk) ?? new Uint8Array(), content)).toBe(0)
  return nowMs / 1000
}

it('fetches no faster than its link allows, whichever end is limited, and what limits backups slows it not', async () => {
  for (const link of [`${sampleEndpoint.id}/main`, `${sampleEndpoint.id}/*`, '*/main', '*/*']) {
    const seconds = await paced((key) => (key === `link/${link}/restore` ? MiB : null))
    // 9 MiB of data; what is fetched last, up to 4 MiB, is paid by whoever comes next.
    expect(seconds, link).toBeGreaterThan(4.9)
    expect(seconds, link).toBeLessThan(9)
  }
  expect(await paced((key) => (key.endsWith('/backup') || key === 'link/other/main/restore' ? 1 : null))).toBe(0)
})
