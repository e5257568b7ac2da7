import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MiB, instant } from '../../base/index.ts'
import type { DiskKey, PointId } from '../../drivers/index.ts'
import { createRepository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import { createSiteActivities } from '../index.ts'
import { Bandwidth } from '../shared/bandwidth.ts'
import type { Share } from '../shared/bandwidth.ts'
import { pattern } from '../testing/disks.ts'
import { FakeHypervisor } from '../testing/fake-driver.ts'
import { sampleEndpoint, sampleVm } from '../testing/samples.ts'
import { testSite } from '../testing/site.ts'
import type { CopyDiskResult } from './types.ts'

const size = 48 * MiB
const disk = 'virtio0' as DiskKey
const key = 'plan/nightly'
let folder: string
let repository: RepositoryRef
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bandwidth-'))
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  await createRepository({ location, passphrase: 'of the test', argon2: { m: 19_456, t: 2, p: 1 } })
  repository = { id: 'main', name: 'main', site: 'test', location, credentialRef: 'file:/secret' }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A clock that only waiting for bandwidth moves; the server is asked every two seconds of it. */
class Clock {
  ms = Date.UTC(2026, 10, 21)
  readonly #sleepers: { readonly atMs: number; readonly wake: () => void }[] = []

  readonly wait = async (ms: number): Promise<void> => {
    this.ms += ms
    for (const { atMs, wake } of this.#sleepers) if (atMs <= this.ms) wake()
    // Whoever was woken goes first.
    await new Promise((resolve) => setImmediate(resolve))
  }
  readonly pause = async (ms: number, signal: AbortSignal): Promise<void> => {
    const atMs = this.ms + ms
    await new Promise<void>((resolve) => {
      this.#sleepers.push({ atMs, wake: resolve })
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

let round = 0
/** Copies a disk of random bytes under the limits that the server says at each moment. */
async function copied(share: (ms: number) => number | null, isAway = false, asKey = key) {
  round += 1
  const seed = 100 + round
  const hypervisor = new FakeHypervisor({ [disk]: pattern(size, seed) })
  const clock = new Clock()
  const begunMs = clock.ms
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const ask = async (): Promise<readonly Share[]> => {
    if (isAway) throw new Error('the server is away')
    return [{ key: asKey, bytesPerSecond: share(clock.ms - begunMs), limits: [], timeZone: 'UTC' }]
  }
  using bandwidth = new Bandwidth({ ask, log, now: () => clock.ms, wait: clock.wait, pause: clock.pause })
  await using world = testSite({ hypervisor, folder, secret: async () => 'of the test', bandwidth })
  const steps = createSiteActivities(world.site)
  const run = async <I, R>(activity: (input: I) => Promise<R>, input: I): Promise<R> =>
    (await new MockActivityEnvironment({ heartbeatTimeoutMs: 10_000 }).run(activity, input)) as R
  const pointId = seed.toString(16).padStart(32, 'd') as PointId
  const session = seed.toString(16).padStart(32, '7')
  const of = { endpoint: { ...sampleEndpoint, credentialRef: 'file:/endpoint' }, vm: sampleVm, pointId }
  const point = { ...hypervisor.point('full'), id: pointId, createdAt: instant(clock.ms + seed) }
  const range = { part: 1, disk, firstPage: 0, nPages: 1 }
  const parts = [range]
  await run(steps.openSession, {
    repository,
    session,
    series: seed.toString(16).padStart(32, 'a'),
    parentStem: null,
    point,
    parts,
  })
  const limits = [{ key, limits: [{ bytesPerSecond: 3 * MiB, start: '00:00', end: '00:00' }], timeZone: 'UTC' }]
  const result: CopyDiskResult = await run(steps.copyDisk, {
    ...of,
    repository,
    session,
    point,
    range,
    attemptBase: 0,
    mode: 'full',
    compressionLevel: 1,
    journalSourceBytes: 16 * MiB,
    stallTimeoutMs: 60_000,
    limits,
  })
  return { bytes: result.newBytes, seconds: (clock.ms - begunMs) / 1000 }
}

it.each([1, 4, 32])('a copy that may store %i MiB a second does so, within a tenth', async (rate) => {
  const { bytes, seconds } = await copied(() => rate * MiB)
  expect(bytes).toBeGreaterThan(0.9 * size)
  expect(bytes / MiB / seconds).toBeGreaterThan(rate * 0.9)
  expect(bytes / MiB / seconds).toBeLessThan(rate * 1.1)
})

it('a limit that changes counts within seconds, in the copy that is under way', async () => {
  const slowMs = 10_000
  const { bytes, seconds } = await copied((ms) => (ms < slowMs ? 1 : 16) * MiB)
  // Ten seconds slow, the rest fast, and at most one question late.
  const least = 10 + (bytes / MiB - 10) / 16
  expect(seconds).toBeGreaterThan(least * 0.9)
  expect(seconds).toBeLessThan(least * 1.1 + 3)
})

it('without a server the limit counts as it was when the copy began, and without a limit nothing waits', async () => {
  const { bytes, seconds } = await copied(() => null, true)
  expect(bytes / MiB / seconds).toBeGreaterThan(2.7)
  expect(bytes / MiB / seconds).toBeLessThan(3.3)
  expect((await copied(() => null)).seconds).toBe(0)
})

it.each(['lab/main', 'lab/*', '*/main', '*/*'])('of a plan and the link %s the smaller limit counts', async (link) => {
  const asKey = `link/${link}/backup`
  // The plan’s is 3 MiB a second, as it was when the copy began.
  for (const [rate, least, most] of [
    [2, 1.8, 2.2],
    [8, 2.7, 3.3],
  ] as const) {
    const { bytes, seconds } = await copied(() => rate * MiB, false, asKey)
    expect(bytes / MiB / seconds).toBeGreaterThan(least)
    expect(bytes / MiB / seconds).toBeLessThan(most)
  }
})
