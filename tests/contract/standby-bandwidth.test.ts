/**
 * A standby's copy under limits by hours of the day: real QEMU at both ends, the limits of the catalog divided by the server,
 * and the time that it really takes. Bounds are generous upwards only where a busy machine may be slow.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createSiteActivities } from '../../activities/index.ts'
import type { Sink } from '../../activities/replication/types.ts'
import { Bandwidth } from '../../activities/shared/bandwidth.ts'
import { testSite, type TestSite } from '../../activities/testing/site.ts'
import { BandwidthShares } from '../../api/bandwidth.ts'
import { MiB } from '../../base/index.ts'
import { furnish, testCatalog, type TestCatalog } from '../../catalog/testing.ts'
import type { DiskKey, Endpoint, EndpointId, PointId, TrackerId, VmRef } from '../../drivers/index.ts'
import { qemu } from '../../drivers/qemu/index.ts'
import { BareVm } from '../../drivers/qemu/testing/bare.ts'

const disk = 'virtio0' as DiskKey
const changed = 16 * MiB
const rate = 2 * MiB
const noon = Date.UTC(2026, 10, 23, 12)
const evening = Date.UTC(2026, 10, 23, 20)
let folder: string
let vm: BareVm
let here: TestCatalog
let world: TestSite
let clockMs: number
let begunMs: number
let source: Endpoint
let ref: VmRef
let sink: Sink
let round = 0
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-pace-'))
  mkdirSync(join(folder, 'paris'))
  vm = await BareVm.make([{ key: disk, format: 'qcow2', size: 32 * MiB }])
  await vm.start()
  here = testCatalog()
  furnish(here.catalog)
  const paris = {
    name: 'paris',
    platform: 'qemu',
    address: '/srv/paris',
    site: 'paris',
    credentialRef: '',
    options: {},
  }
  here.catalog.endpoints.add(paris as Parameters<typeof here.catalog.endpoints.add>[0])
  here.catalog.replications.add({
    ...{ id: 'f'.repeat(32), vmId: 'web-01', endpointId: 'paris', name: 'copy', rpoMs: 300_000 },
  })
  here.catalog.links.put({
    ...{ hypervisorId: 'lab', repositoryId: null, timeZone: 'UTC', restore: [] },
    backup: [{ bytesPerSecond: rate, start: '08:00', end: '18:00' }],
  })
  // By the clock of the catalog's hours, which goes on as that of the machine does.
  const now = (): number => clockMs + (performance.now() - begunMs)
  const shares = new BandwidthShares(here.catalog, now)
  const bandwidth = new Bandwidth({
    // As a worker of the standby's site asks, with its token.
    ask: async (moving) => shares.report('mover-paris', moving, 'paris'),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    now,
  })
  world = testSite({ drivers: [qemu], folder, bandwidth })
  source = { ...vm.endpoint, id: 'lab' as EndpointId }
  ref = { ...vm.ref, endpoint: source.id }
  const there = {
    ...vm.endpoint,
    id: 'paris' as EndpointId,
    address: join(folder, 'paris'),
    options: { scope: randomUUID() },
  }
  sink = { kind: 'standby', endpoint: there, operation: '7'.repeat(32), name: 'copy' }
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await vm[Symbol.asyncDispose]()
  here[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  round += 1
})

/** A cycle of the real steps, with so much changed before it; how long its copy took. */
async function cycle(atMs: number, isDown = false): Promise<{ readonly seconds: number; readonly bytes: number }> {
  ;[clockMs, begunMs] = [atMs, performance.now()]
  await vm.write(
    Array.from({ length: changed / MiB }, (_, n) => ({
      ...({ kind: 'data', disk, length: MiB } as const),
      ...{ at: n * MiB, value: (round * 16 + n) % 255 || 1 },
    })),
  )
  const steps = createSiteActivities(world.site)
  const run = async <I, R>(activity: (input: I) => Promise<R>, input: I): Promise<R> =>
    (await new MockActivityEnvironment({ heartbeatTimeoutMs: 10_000 }).run(activity, input)) as R
  const pointId = randomUUID().replaceAll('-', '') as PointId
  const of = { endpoint: source, vm: ref, pointId }
  const tracker = 'a'.repeat(32) as TrackerId
  const point = await run(steps.openSource, {
    ...of,
    ...{ tracker, want: 'crash', freezeLimitMs: 5_000, sink, full: false, since: null },
  })
  await run(steps.beginState, { source: of, point, sink })
  const fromMs = performance.now()
  const input = { source: of, point, disk, sink, stallTimeoutMs: 60_000, ...(isDown && { isDown }) }
  const { writtenBytes } = await run(steps.replicateDisk, input)
  const seconds = (performance.now() - fromMs) / 1000
  if (sink.kind !== 'standby') throw new Error('no standby')
  await run(steps.publishState, { standby: { endpoint: sink.endpoint, operation: sink.operation }, point })
  await run(steps.releasePoint, { ...of, point, stored: [disk] })
  return { seconds, bytes: writtenBytes }
}

test('in the hours of its limit a standby at another site gets what has changed at that rate, the seed and each cycle', async () => {
  for (const what of ['seed', 'cycle']) {
    const { seconds, bytes } = await cycle(noon)
    expect(bytes).toBeGreaterThanOrEqual(changed)
    console.info(`${what}: ${bytes / MiB} MiB at ${rate / MiB} MiB/s in ${seconds.toFixed(2)} s`)
    // A second's worth may have been saved up, and the last piece goes before it is paid for.
    expect(seconds).toBeGreaterThan(bytes / rate - 1.5)
    expect(seconds).toBeLessThan(bytes / rate + 15)
  }
})

test('outside of them, and while nobody runs, nothing is held up', async () => {
  const open = await cycle(evening)
  expect(open.bytes).toBeGreaterThanOrEqual(changed)
  const down = await cycle(noon, true)
  expect(down.bytes).toBeGreaterThanOrEqual(changed)
  console.info(`in the evening ${open.seconds.toFixed(2)} s, for a failover at noon ${down.seconds.toFixed(2)} s`)
  for (const { seconds, bytes } of [open, down]) expect(seconds).toBeLessThan(bytes / rate - 1.5)
})

test('hours that end in the middle of a copy free the rest of it', async () => {
  const { seconds, bytes } = await cycle(Date.UTC(2026, 10, 23, 17, 59, 58))
  console.info(`from two seconds before the end of its hours: ${seconds.toFixed(2)} s`)
  expect(seconds).toBeGreaterThan(1)
  // The workers ask every two seconds: it is free after four at most, and would have taken eight.
  expect(seconds).toBeLessThan(bytes / rate - 2)
})
