import { existsSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { MiB, bytes, millis } from '../../../base/index.ts'
import { serveNbd, type BlockSource, type NbdServer } from '../../../nbd/index.ts'
import { contextFor, newPoint, Series } from '../../contract/series.ts'
import type { HypervisorDriver, OpContext } from '../../driver.ts'
import type { InstantBoot, NativeConfig, NbdExport, RestoreTarget, TargetSpec, TargetVm } from '../../facets.ts'
import { QmpClient } from '../../qmp/index.ts'
import { runProgram } from '../../transport/index.ts'
import { runPaths } from '../command-line.ts'
import { readDescription } from '../description.ts'
import { openQemu } from '../driver.ts'
import { direct, type Effects } from '../effects.ts'
import { stop } from '../launch.ts'
import { BareVm, guestWrite } from '../testing/bare.ts'

/** One disk of the point, in memory: every MiB has a value of its own, and the last third is a hole. */
function contentOf(size: number, seed: number): Uint8Array {
  const content = new Uint8Array(size)
  for (let at = 0; at < (size * 2) / 3; at += MiB) content.fill((at / MiB + seed) % 250 || 1, at, at + MiB)
  return content
}

/** Serves the point at one socket, ends without a word to anybody, and serves again. */
class Store {
  readonly path: string
  readonly contents: ReadonlyMap<string, Uint8Array>
  /** Reads wait for it. */
  stalls: Promise<void> | null = null
  #server: NbdServer | undefined

  constructor(path: string, disks: BareVm['disks']) {
    this.path = path
    this.contents = new Map(disks.map(({ key, size }, n) => [key, contentOf(size, 7 * n + 1)]))
  }
  async start(): Promise<void> {
    const source = (content: Uint8Array): BlockSource => ({
      size: bytes(content.length),
      read: async (at, into) => {
        await this.stalls
        into.set(content.subarray(at, at + into.length))
      },
    })
    this.#server = await serveNbd({
      listen: { kind: 'unix', path: this.path },
      exports: [...this.contents].map(([name, content]) => ({ name, source: source(content) })),
    })
  }
  async stop(): Promise<void> {
    await this.#server?.close(millis(0))
  }
  exports(): { readonly [disk: string]: NbdExport } {
    return Object.fromEntries(
      [...this.contents].map(([name, { length }]) => [
        name,
        { transport: 'unix', address: this.path, name, size: bytes(length), tlsRef: null },
      ]),
    )
  }
}

function dying(at: string): Effects {
  return {
    ...direct,
    run: async (what, effect) => {
      const result = await effect()
      if (what === at) throw new Error('the end')
      return result
    },
  }
}

interface World extends AsyncDisposable {
  readonly vm: BareVm
  readonly store: Store
  readonly driver: HypervisorDriver
  readonly instant: InstantBoot
  readonly target: RestoreTarget
  readonly ctx: OpContext
  readonly native: readonly NativeConfig[]
  readonly spec: TargetSpec
  readonly boot: (reconnectMs?: number) => Promise<TargetVm>
  readonly monitor: () => Promise<QmpClient>
}

async function world(): Promise<World> {
  const vm = await BareVm.make()
  await vm.start()
  const driver = openQemu(vm.endpoint)
  const opened = await new Series(vm, driver).open()
  const { portable, native: parts } = await driver.exportConfig(opened.ctx, opened.point)
  const native = (await Array.fromAsync(parts)).map(({ name, bytes: content }) => ({ name, bytes: content }))
  await driver.abortPoint(opened.ctx, vm.ref, opened.point)
  const store = new Store(join(vm.root, 'p.sock'), vm.disks)
  await store.start()
  const { instant, target } = driver
  if (!instant || !target) throw new Error('no instant restore')
  const ctx = contextFor(vm.ref, newPoint())
  const spec: TargetSpec = {
    place: { kind: 'new', name: 'now', host: null, folder: null },
    vm: { ...portable, name: 'now' },
    nativeConfigRef: 'the point',
    disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
    identity: 'new',
    networks: {},
  }
  const isolated = { kind: 'restricted', name: 'instant' } as const
  return {
    ...{ vm, store, driver, instant, target, ctx, native, spec },
    boot: (reconnectMs = 60_000) => instant.boot(ctx, spec, native, store.exports(), isolated, millis(reconnectMs)),
    monitor: async () => {
      const dir = join(vm.root, 'now')
      return QmpClient.connect(runPaths(dir, await readDescription(dir)).qmp2, { peer: 'the test' })
    },
    async [Symbol.asyncDispose]() {
      for (const owned of await Array.fromAsync(driver.listOwned(ctx)))
        if (owned.kind === 'vm') await driver.removeOwned(ctx, owned)
      await store.stop()
      await vm[Symbol.asyncDispose]()
    },
  }
}

/** Through the device, as the guest would; resolves when the read has ended. */
async function guestReads(client: QmpClient, disk: string, at: number, length: number): Promise<void> {
  const line = `qemu-io -d /machine/peripheral/${disk}/virtio-backend "read ${at} ${length}"`
  const said = await client.execute<string>('human-monitor-command', { 'command-line': line }, { limit: 60_000 })
  if (said.trim() !== '') throw new Error(`${line}: ${said}`)
}

/** The volume as it lies there, without anything behind it. */
async function volume(dir: string, file: string): Promise<Uint8Array> {
  const raw = join(dir, 'raw.img')
  await runProgram('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', join(dir, file), raw])
  const content = await readFile(raw)
  await rm(raw)
  return content
}

test('it runs on what is served, is migrated while it runs, and then needs nothing that is not its own', async () => {
  await using w = await world()
  const made = await w.boot()
  expect(await w.boot()).toEqual(made)
  const owned = await Array.fromAsync(w.driver.listOwned(w.ctx))
  expect(owned).toContainEqual(expect.objectContaining({ kind: 'vm', opKey: w.ctx.opKey }))
  await using client = await w.monitor()
  for (const key of w.store.contents.keys()) await guestReads(client, key, 5 * MiB, 65_536)
  await guestWrite(client, { disk: 'virtio0', kind: 'data', at: 2 * MiB + 4096, length: 8192, value: 0xa5 })
  const wanted = new Map([...w.store.contents].map(([key, content]) => [key, Uint8Array.from(content)]))
  wanted.get('virtio0')?.fill(0xa5, 2 * MiB + 4096, 2 * MiB + 4096 + 8192)
  expect(await w.instant.attend(w.ctx, made)).toMatchObject({ power: 'running' })

  const ref = await w.instant.migrate(w.ctx, made)
  expect(await w.instant.migrate(w.ctx, made)).toEqual(ref)
  await w.store.stop()
  await guestWrite(client, { disk: 'virtio1', kind: 'data', at: 0, length: 512, value: 0x5a })
  wanted.get('virtio1')?.fill(0x5a, 0, 512)
  expect((await w.driver.power(w.ctx, ref, 'running', millis(1000))).before).toBe('running')
  await w.target.handOver(w.ctx, made)
  await expect(w.target.destroy(w.ctx, made)).rejects.toMatchObject({ code: 'NotOurs' })
  await expect(w.instant.attend(w.ctx, made)).rejects.toMatchObject({ code: 'NotOurs' })
  expect((await Array.fromAsync(w.driver.listOwned(w.ctx))).filter(({ opKey }) => opKey === w.ctx.opKey)).toEqual([])

  await w.driver.power(w.ctx, ref, 'off', millis(10_000))
  const dir = join(w.vm.root, 'now')
  const { disks } = await readDescription(dir)
  for (const { key, file, backing } of disks) {
    expect(backing).toBeUndefined()
    expect(Buffer.compare(await volume(dir, file), wanted.get(key) ?? new Uint8Array())).toBe(0)
  }
})

test('a read waits for a server that has died, and ends when it is back', async () => {
  await using w = await world()
  const made = await w.boot()
  await using client = await w.monitor()
  await w.store.stop()
  const isOver = vi.fn<() => void>()
  const read = guestReads(client, 'virtio0', 9 * MiB, 4096).then(isOver)
  await sleep(500)
  expect(isOver).not.toHaveBeenCalled()
  await w.store.start()
  await read
  expect((await w.instant.attend(w.ctx, made)).power).toBe('running')
})

test('what was migrated is durable: QEMU may be killed the moment after', async () => {
  await using w = await world()
  const made = await w.boot()
  await w.instant.migrate(w.ctx, made)
  const dir = join(w.vm.root, 'now')
  expect(await stop(dir, { how: 'kill' })).toBe('killed')
  for (const { key, file } of (await readDescription(dir)).disks)
    expect(Buffer.compare(await volume(dir, file), w.store.contents.get(key) ?? new Uint8Array())).toBe(0)
})

test('a copy that stands still goes on when it is asked for again, also when its error was forgotten', async () => {
  await using w = await world()
  const made = await w.boot()
  await using client = await w.monitor()
  // Nothing of the guest is under way when the store stalls: the monitor would wait for it.
  await client.execute('stop')
  const stall = Promise.withResolvers<void>()
  w.store.stalls = stall.promise
  await expect(openQemu(w.vm.endpoint, dying('qmp: block-stream')).instant?.migrate(w.ctx, made)).rejects.toThrow('end')
  // As after an error and a “cont”: the job stands still, and says that it is well.
  const [job] = await client.execute<readonly { device: string }[]>('query-block-jobs')
  await client.execute('block-job-pause', { device: job?.device ?? '' })
  expect(await client.execute('query-block-jobs')).toMatchObject([{ paused: true, 'io-status': 'ok' }])
  stall.resolve()
  await w.instant.migrate(w.ctx, made)
  await client.execute('cont')
  expect((await w.instant.attend(w.ctx, made)).power).toBe('running')
})

test('a copy of a VM that is off leaves it off when it fails', async () => {
  await using w = await world()
  const made = await w.boot()
  await w.driver.power(w.ctx, made.vm, 'off', millis(10_000))
  await expect(openQemu(w.vm.endpoint, dying('qmp: block-stream')).instant?.migrate(w.ctx, made)).rejects.toThrow('end')
  expect((await w.instant.attend(w.ctx, made)).power).toBe('stopped')
})

test('a VM that is off is migrated, and is off afterwards', async () => {
  await using w = await world()
  const made = await w.boot()
  await w.driver.power(w.ctx, made.vm, 'off', millis(10_000))
  expect(await w.instant.attend(w.ctx, made)).toMatchObject({ power: 'stopped', readBytes: 0 })
  const ref = await w.instant.migrate(w.ctx, made)
  expect((await w.driver.power(w.ctx, ref, 'off', millis(1000))).before).toBe('stopped')
  const dir = join(w.vm.root, 'now')
  for (const { key, file } of (await readDescription(dir)).disks)
    expect(Buffer.compare(await volume(dir, file), w.store.contents.get(key) ?? new Uint8Array())).toBe(0)
})

test('a copy that was cut off goes on: by another process, and after QEMU itself has died', async () => {
  await using w = await world()
  const made = await w.boot()
  // The first disk's copy was begun, then the second one's; then the VM itself is gone, and both begin again.
  for (const restart of [false, true]) {
    const cut = openQemu(w.vm.endpoint, dying('qmp: block-stream')).instant?.migrate(w.ctx, made)
    await expect(cut).rejects.toThrow('the end')
    if (restart) await w.driver.power(w.ctx, made.vm, 'off', millis(10_000))
  }
  const ref = await w.instant.migrate(w.ctx, made)
  await w.store.stop()
  await w.driver.power(w.ctx, ref, 'off', millis(10_000))
  const dir = join(w.vm.root, 'now')
  for (const { key, file } of (await readDescription(dir)).disks)
    expect(Buffer.compare(await volume(dir, file), w.store.contents.get(key) ?? new Uint8Array())).toBe(0)
})

test('discarding removes the VM while it runs, also when nobody serves it any more; another size is refused', async () => {
  await using w = await world()
  const wrong = Object.fromEntries(
    Object.entries(w.store.exports()).map(([key, one]) => [key, { ...one, size: bytes(one.size + 512) }]),
  )
  await expect(w.instant.boot(w.ctx, w.spec, w.native, wrong, null, millis(60_000))).rejects.toMatchObject({
    code: 'SizeMismatch',
  })
  expect(await readdir(w.vm.root)).not.toContain('now')
  const made = await w.boot()
  await w.store.stop()
  expect((await w.target.destroy(w.ctx, made)).residue).toEqual([])
  expect(existsSync(join(w.vm.root, 'now'))).toBe(false)
  expect((await Array.fromAsync(w.driver.listOwned(w.ctx))).filter(({ opKey }) => opKey === w.ctx.opKey)).toEqual([])
})
