import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { DefaultLogger } from '@temporalio/worker'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { MiB, instant } from '../../base/index.ts'
import type { DiskKey, HypervisorDriver, PointId } from '../../drivers/index.ts'
import { longestOpenMs } from '../../policy/index.ts'
import { createRepository, openRepository, type Repository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import { parseMoveDetails } from '../../workflows/shared/heartbeat.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { createSiteActivities } from '../index.ts'
import { holed } from '../testing/disks.ts'
import { FakeHypervisor } from '../testing/fake-driver.ts'
import { sampleEndpoint, sampleVm } from '../testing/samples.ts'
import { testSite } from '../testing/site.ts'
import type { TestSite } from '../testing/site.ts'
import type { CopyDiskInput, CopyDiskResult, PreflightInput } from './types.ts'

/** Planted as passphrase and endpoint secret: must never be seen in a result, a heartbeat or a failure. */
const canary = 'canary-7f3a9c51d2e8'
const size = 72 * MiB
const disk = 'virtio0' as DiskKey

let folder: string
let repository: RepositoryRef
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-activities-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: canary, argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: 'test', location, credentialRef: 'file:/secret' }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let hypervisor: FakeHypervisor
let counter = 0
let session: string
let pointId: PointId
beforeEach(() => {
  counter += 1
  session = counter.toString(16).padStart(32, '5')
  pointId = counter.toString(16).padStart(32, 'b') as PointId
  hypervisor = new FakeHypervisor({ [disk]: holed(size, counter, [3, 4]) })
})

const endpoint = { ...sampleEndpoint, credentialRef: 'file:/endpoint' }
const aSite = (over: { cacheDir?: string } = {}): TestSite =>
  testSite({ hypervisor, folder, secret: async () => canary, ...over })
const round = () => ({ endpoint, vm: sampleVm, pointId })
const preflightInput = (): PreflightInput => ({
  ...round(),
  repository,
  mode: 'auto',
  want: 'crash',
  onQuiesceFailure: 'degrade',
  freezeLimitMs: 5000,
  damaged: [],
})

/** Collects everything that leaves an activity. */
const said: string[] = []
async function runIn<I, R>(
  activity: (input: I) => Promise<R>,
  input: I,
  info: object = {},
  drive?: (env: MockActivityEnvironment) => void,
): Promise<R> {
  const env = new MockActivityEnvironment(
    { heartbeatTimeoutMs: 400, activityId: 'test', ...info },
    { logger: new DefaultLogger('ERROR') },
  )
  env.on('heartbeat', (details: unknown) => said.push(JSON.stringify(details)))
  drive?.(env)
  try {
    const result = (await env.run(activity, input)) as R
    said.push(JSON.stringify(result) ?? '')
    return result
  } catch (error) {
    const { message, details, stack } = error as ApplicationFailure
    said.push(JSON.stringify([message, details, stack]))
    throw error
  }
}

const copyInput = (over: Partial<CopyDiskInput> = {}): CopyDiskInput => ({
  ...round(),
  repository,
  session,
  point: { ...hypervisor.point('full'), id: pointId, createdAt: instant(1_800_000_000_000 + counter * 1000) },
  range: { part: 1, disk, firstPage: 0, nPages: 1 },
  attemptBase: 0,
  mode: 'full',
  compressionLevel: 1,
  journalSourceBytes: 4 * MiB,
  stallTimeoutMs: 60_000,
  ...over,
})

async function openSession(world: TestSite): Promise<void> {
  const steps = createSiteActivities(world.site)
  const { series } = await runIn(steps.preflight, preflightInput())
  await runIn(steps.openSession, {
    repository,
    session,
    series,
    parentStem: null,
    point: copyInput().point,
    parts: [copyInput().range],
  })
}

async function commit(world: TestSite, copy: CopyDiskResult): Promise<string> {
  const steps = createSiteActivities(world.site)
  const { stem } = await runIn(steps.commitBackup, {
    ...round(),
    repository,
    session,
    point: copyInput().point,
    results: [{ part: copy.part, attempt: copy.attempt }],
    disks: [{ id: disk, mode: 'full' as const, why: 'no-parent' }],
    attemptBase: 0,
    ordinal: 0,
    atRest: null,
    origin: 'manual' as const,
    name: null,
    description: null,
    startedMs: Date.now(),
    run: 'test',
    tags: [],
    hypervisor: { platform: 'qemu', version: '1', host: 'h' },
  })
  return stem
}

/** What is asked of a repository: members by name, and of `listPoints` which series. */
function watching(repository: Repository, asked: string[]): Repository {
  return new Proxy(repository, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') {
        asked.push(String(name))
        return value
      }
      return (...given: readonly unknown[]) => {
        const [first] = given as readonly [{ readonly series?: string } | undefined]
        asked.push(name === 'listPoints' ? `listPoints ${first?.series ?? 'of all'}` : String(name))
        return Reflect.apply(value, target, given) as unknown
      }
    },
  })
}

async function storedBytes(stem: string): Promise<Uint8Array> {
  await using opened = await openRepository({
    location: repository.location,
    secret: { kind: 'passphrase', passphrase: canary },
    cacheDir: join(folder, 'reader'),
    threads: 1,
  })
  await using point = await opened.openPoint(stem)
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += MiB) await point.disk(disk).read(at, bytes.subarray(at, at + MiB))
  return bytes
}

describe('a backup through the real repository', () => {
  it('stores exactly what the point holds, and tells progress while it does', async () => {
    await using world = aSite()
    await openSession(world)
    const steps = createSiteActivities(world.site)
    const copy = await runIn(steps.copyDisk, copyInput())
    const stem = await commit(world, copy)
    expect(Buffer.compare(await storedBytes(stem), hypervisor.disks.get(disk) ?? new Uint8Array())).toBe(0)
    expect(copy).toMatchObject({ part: 1, attempt: 1, bytesResumed: 0, bytesReadAgain: 0 })
    expect(hypervisor.readersOpen).toBe(0)
    // The points of other VMs are many, and damaged ones among them are none of its business: only its series is asked for.
    const asked: string[] = []
    const open = world.site.repository.bind(world.site)
    const spy = vi.spyOn(world.site, 'repository')
    spy.mockImplementation((of, use) => open(of, (there) => use(watching(there, asked))))
    const again = await runIn(steps.preflight, preflightInput())
    spy.mockRestore()
    expect(again).toMatchObject({ parent: { stem } })
    expect(new Set(asked)).toEqual(
      new Set(['series', 'id', `listPoints ${again.series}`, 'owners', 'openPoint', 'claimSeries']),
    )
    const checked = await runIn(steps.spotCheck, { repository, stem, chunks: 8 })
    expect(checked.chunks).toBeGreaterThan(0)
  })

  it('says in all that it writes that it lives for longer than its point may stand still', async () => {
    await using world = aSite()
    await openSession(world)
    await runIn(createSiteActivities(world.site).copyDisk, copyInput())
    const sessions = join(folder, 'repository', 'sess')
    const written = readdirSync(sessions).filter((name) => name.startsWith(session))
    expect(written.length).toBeGreaterThan(2)
    for (const name of written) {
      const { leaseSec } = JSON.parse(readFileSync(join(sessions, name), 'utf8')) as { leaseSec: number }
      expect(1000 * leaseSec).toBeGreaterThan(longestOpenMs)
    }
  })

  it('makes known where a point stands open before it opens one, to the workers that come after it', async () => {
    {
      await using world = aSite()
      const request = {} as Parameters<HypervisorDriver['openPoint']>[2]
      await runIn(createSiteActivities(world.site).openPoint, { ...round(), request })
    }
    await using world = aSite()
    await world.site.standing.look()
    expect(hypervisor.calls).toContain('watch')
  })

  it('goes on at the last durable byte after an attempt that died at any read', async () => {
    for (const diesAt of [0, 5, 29, 61]) {
      session = `${counter}${diesAt}`.padStart(32, '6')
      pointId = `${counter}${diesAt}`.padStart(32, 'c') as PointId
      {
        await using world = aSite()
        await openSession(world)
        let reads = 0
        hypervisor.faults = {
          onRead: async () => {
            reads += 1
            if (reads > diesAt * 4) throw new Error('the worker is gone')
          },
        }
        await expect(runIn(createSiteActivities(world.site).copyDisk, copyInput())).rejects.toThrow()
      }
      hypervisor.faults = {}
      await using world = aSite()
      const copy = await runIn(createSiteActivities(world.site).copyDisk, copyInput(), { attempt: 2 })
      // At most the journal's distance and what was in flight (rulings 8).
      expect(copy.bytesReadAgain, `died at ${diesAt}`).toBeLessThanOrEqual(28 * MiB)
      if (diesAt > 28) expect(copy.bytesResumed, `died at ${diesAt}`).toBeGreaterThan(0)
      const stem = await commit(world, copy)
      expect(
        Buffer.compare(await storedBytes(stem), hypervisor.disks.get(disk) ?? new Uint8Array()),
        `died at ${diesAt}`,
      ).toBe(0)
    }
  })

  it('goes on where an attempt on another host died, and says that it cannot know what was read again', async () => {
    {
      await using world = aSite()
      await openSession(world)
      let reads = 0
      hypervisor.faults = {
        onRead: async () => {
          reads += 1
          if (reads > 240) throw new Error('the worker is gone')
        },
      }
      await expect(runIn(createSiteActivities(world.site).copyDisk, copyInput())).rejects.toThrow()
    }
    hypervisor.faults = {}
    await using elsewhere = aSite({ cacheDir: join(folder, 'another-host') })
    const copy = await runIn(createSiteActivities(elsewhere.site).copyDisk, copyInput(), { attempt: 2 })
    expect(copy.bytesResumed).toBeGreaterThan(0)
    expect(copy.bytesReadAgain).toBeNull()
  })

  it('finds the committed point again, and nothing where there is none', async () => {
    await using world = aSite()
    await openSession(world)
    const steps = createSiteActivities(world.site)
    const { series } = await runIn(steps.preflight, preflightInput())
    expect(await runIn(steps.findCommitted, { repository, series, pointId })).toBeNull()
    const stem = await commit(world, await runIn(steps.copyDisk, copyInput()))
    expect(await runIn(steps.findCommitted, { repository, series, pointId })).toMatchObject({ stem })
  })
})

describe('a copy that is stopped', () => {
  /** Reads well up to there, then hangs until it is told to stop. */
  const hangsAt = (limit: number) => ({
    onRead: (at: number, { signal }: { readonly signal: AbortSignal }) =>
      at < limit
        ? Promise.resolve()
        : new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  })

  it('by a cancel ends as cancelled and says where it stood', async () => {
    await using world = aSite()
    await openSession(world)
    hypervisor.faults = hangsAt(6 * MiB)
    const stopped = runIn(createSiteActivities(world.site).copyDisk, copyInput(), {}, (env) => {
      env.on(
        'heartbeat',
        (beat: MoveDetails) => beat.stage === 'moving' && beat.quietMs > 200 && env.cancel('CANCELLED'),
      )
    })
    const error = await stopped.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CancelledFailure)
    expect(parseMoveDetails((error as CancelledFailure).details[0])).toMatchObject({ disk: 'virtio0', end: size })
    expect(hypervisor.readersOpen).toBe(0)
  })

  it('by the end of its worker fails so that another one continues', async () => {
    await using world = aSite()
    await openSession(world)
    hypervisor.faults = hangsAt(6 * MiB)
    const stopped = runIn(createSiteActivities(world.site).copyDisk, copyInput(), {}, (env) => {
      env.on(
        'heartbeat',
        (beat: MoveDetails) => beat.stage === 'moving' && beat.quietMs > 200 && env.cancel('WORKER_SHUTDOWN'),
      )
    })
    const error = (await stopped.catch((thrown: unknown) => thrown)) as ApplicationFailure
    expect(error).toBeInstanceOf(ApplicationFailure)
    expect(error).toMatchObject({ type: 'WorkerShutdown', nonRetryable: false })
  })

  it('by a source that hangs ends itself with a name, and beats until then', async () => {
    await using world = aSite()
    await openSession(world)
    hypervisor.faults = hangsAt(2 * MiB)
    let beats = 0
    const stopped = runIn(createSiteActivities(world.site).copyDisk, copyInput({ stallTimeoutMs: 700 }), {}, (env) =>
      env.on('heartbeat', () => (beats += 1)),
    )
    await expect(stopped).rejects.toMatchObject({ type: 'Stalled', nonRetryable: false })
    expect(beats).toBeGreaterThan(3)
  })

  it('waits for a free slot without being called stalled', async () => {
    await using world = aSite()
    await openSession(world)
    const held = [
      await world.site.options.slots.take(new AbortController().signal),
      await world.site.options.slots.take(new AbortController().signal),
    ]
    const stages: string[] = []
    const copy = runIn(createSiteActivities(world.site).copyDisk, copyInput({ stallTimeoutMs: 1000 }), {}, (env) =>
      env.on('heartbeat', (beat: MoveDetails) => {
        stages.push(beat.stage)
        if (stages.filter((stage) => stage === 'waiting-for-slot').length === 15)
          for (const slot of held) slot[Symbol.dispose]()
      }),
    )
    await expect(copy).resolves.toMatchObject({ part: 1 })
    expect(stages.filter((stage) => stage === 'waiting-for-slot').length).toBeGreaterThanOrEqual(15)
  })

  it('waits for memory that slow copies hold without being called stalled, and goes when it is cancelled', async () => {
    const room = Promise.withResolvers<undefined>()
    await using world = testSite({
      hypervisor,
      folder,
      secret: async () => canary,
      openRepository: async (options) => {
        const opened = await openRepository(options)
        const copyPart = opened.copyPart.bind(opened)
        opened.copyPart = async (copy) => {
          copy.onWaiting?.(true)
          const left = new Promise<never>((_, reject) =>
            copy.signal.addEventListener('abort', () => reject(copy.signal.reason as Error), { once: true }),
          )
          await Promise.race([room.promise, left])
          copy.onWaiting?.(false)
          return await copyPart(copy)
        }
        return opened
      },
    })
    await openSession(world)
    const { copyDisk } = createSiteActivities(world.site)
    const stages: string[] = []
    const stopped = runIn(copyDisk, copyInput({ stallTimeoutMs: 1000 }), {}, (env) =>
      env.on('heartbeat', (beat: MoveDetails) => {
        stages.push(beat.stage)
        if (stages.length === 15) env.cancel('CANCELLED')
      }),
    )
    await expect(stopped).rejects.toThrow('CANCELLED')
    expect(stages.filter((stage) => stage === 'waiting-for-slot').length).toBeGreaterThanOrEqual(14)
    const waits = runIn(copyDisk, copyInput({ stallTimeoutMs: 1000 }), { attempt: 2 }, (env) =>
      env.on('heartbeat', () => {
        stages.push('again')
        if (stages.length === 30) room.resolve(undefined)
      }),
    )
    await expect(waits).resolves.toMatchObject({ part: 1 })
  })
})

describe('before the guest is touched', () => {
  it('a VM of another installation is refused by its name', async () => {
    await using world = aSite()
    hypervisor.faults = { owner: 'the other site' }
    await expect(runIn(createSiteActivities(world.site).preflight, preflightInput())).rejects.toMatchObject({
      type: 'ForeignOwner',
      nonRetryable: true,
    })
  })

  it('of two installations the second is refused by the mark in the repository, and leaves none on the VM, until it takes the VM over', async () => {
    const vm = { ...sampleVm, scope: 'a host of two' }
    const claims = (): number => hypervisor.calls.filter((call) => call === 'claim').length
    await using north = aSite()
    await using south = testSite({
      hypervisor,
      secret: async () => canary,
      installation: 'f'.repeat(32),
      installationName: 'south',
    })
    const look = (at: TestSite, takeOverFrom?: string) =>
      runIn(createSiteActivities(at.site).preflight, {
        ...preflightInput(),
        vm,
        ...(takeOverFrom !== undefined && { takeOverFrom }),
      })
    await look(north)
    await look(north)
    expect(claims()).toBe(2)
    // Its notes on the VM are gone: the hypervisor in memory keeps none.
    const refused = {
      type: 'ForeignOwner',
      nonRetryable: true,
      message: expect.stringContaining('protected in main by the installation test') as string,
    }
    await expect(look(south)).rejects.toMatchObject(refused)
    await expect(look(south, 'east')).rejects.toMatchObject(refused)
    expect(claims()).toBe(2)
    await look(south, 'test')
    await look(south)
    await expect(look(north)).rejects.toMatchObject({
      type: 'ForeignOwner',
      message: expect.stringContaining('south') as string,
    })
  })

  it('a VM that is to be shut down where that cannot be done is refused, and only then', async () => {
    await using world = aSite()
    const { preflight } = createSiteActivities(world.site)
    hypervisor.faults = { noCleanStop: true }
    await expect(runIn(preflight, { ...preflightInput(), stopBefore: true })).rejects.toMatchObject({
      type: 'Unsupported',
      message: expect.stringContaining('shut down') as string,
    })
    await expect(runIn(preflight, preflightInput())).resolves.toBeDefined()
    hypervisor.faults = {}
    await expect(runIn(preflight, { ...preflightInput(), stopBefore: true })).resolves.toBeDefined()
  })

  it('what blocks is told with what to do', async () => {
    await using world = aSite()
    hypervisor.faults = { blocking: 'scratch needs 12 GiB, 3 GiB are free' }
    const error = (await runIn(createSiteActivities(world.site).preflight, preflightInput()).catch(
      (thrown: unknown) => thrown,
    )) as ApplicationFailure
    expect(error.type).toBe('CapacityExhausted')
    expect(error.details?.[0]).toMatchObject({ retry: 'operator', hint: 'make room' })
  })

  it('a change that cannot be known asks for a full of that disk', async () => {
    await using world = aSite()
    await openSession(world)
    hypervisor.faults = { mustFull: 'reference-missing' }
    const error = (await runIn(createSiteActivities(world.site).copyDisk, copyInput()).catch(
      (thrown: unknown) => thrown,
    )) as ApplicationFailure
    expect(error.details?.[0]).toMatchObject({
      code: 'ChangeRefInvalid',
      retry: 'full',
      data: { disk, why: 'reference-missing' },
    })
  })
})

describe('a preflight after a point', () => {
  it('counts the points, and builds on none that is damaged', async () => {
    await using world = aSite()
    await openSession(world)
    const steps = createSiteActivities(world.site)
    await commit(world, await runIn(steps.copyDisk, copyInput()))
    const next = await runIn(steps.preflight, preflightInput())
    expect(next).toMatchObject({ ordinal: 1, parent: { pointId } })
    const afterDamage = await runIn(steps.preflight, { ...preflightInput(), damaged: [pointId] })
    expect(afterDamage).toMatchObject({ parent: null, disks: [{ since: null, full: 'parent-damaged' }] })
  })
})

describe('a preflight by policy', () => {
  it('leaves out the disks that the policy leaves out, and says why', async () => {
    const scratch = 'scratch [NOBAK]'
    hypervisor = new FakeHypervisor({ [disk]: holed(size, counter, []), [scratch]: new Uint8Array(MiB) })
    await using world = aSite()
    const looked = await runIn(createSiteActivities(world.site).preflight, preflightInput())
    expect(looked.disks.map((planned) => planned.disk.key)).toEqual([disk])
    expect(looked.skipped).toEqual([{ disk: scratch, label: scratch, why: 'nobak-label' }])
    const selection = { roles: 'all', include: [{ key: 'scratch*' }], exclude: [], honourNobak: false } as const
    const turned = await runIn(createSiteActivities(world.site).preflight, { ...preflightInput(), selection })
    expect(turned.disks.map((planned) => planned.disk.key)).toEqual([scratch])
    expect(turned.skipped).toEqual([{ disk, label: disk, why: 'excluded-by-plan' }])
  })
})

describe('the audit of the tracker', () => {
  it('catches one changed byte that the tracker did not tell, and accepts what it told', async () => {
    await using world = aSite()
    await openSession(world)
    const steps = createSiteActivities(world.site)
    const stem = await commit(world, await runIn(steps.copyDisk, copyInput()))
    const content = hypervisor.disks.get(disk) ?? new Uint8Array()
    const audit = () =>
      runIn(steps.auditTracker, {
        ...round(),
        repository,
        point: { ...hypervisor.point('incremental'), id: pointId },
        parentStem: stem,
        ordinal: 1,
        atRest: null,
        disks: [disk],
      })
    expect((await audit()).mismatched).toEqual([])
    content[7 * MiB + 123] = (content[7 * MiB + 123] ?? 0) ^ 1
    expect((await audit()).mismatched).toEqual([{ disk, offset: 7 * MiB }])
    hypervisor.changed.set(disk, [{ offset: 7 * MiB + 100, length: 512 }])
    expect((await audit()).mismatched).toEqual([])
  })
})

it('no secret ever leaves an activity', () => {
  expect(said.length).toBeGreaterThan(30)
  for (const text of said) expect(text).not.toContain(canary)
})
