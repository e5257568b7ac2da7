import { createHash } from 'node:crypto'
import { mkdtemp, open, readFile, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiB, instant } from '../../base/index.ts'
import { labDown, labUp, type Lab, type LabVm } from '../../lab/index.ts'
import { Series, contextFor, installation, newPoint, type Opened } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import { opKeyFor } from '../names.ts'
import { runProgram } from '../transport/index.ts'
import type { DiskKey, VmRef } from '../values.ts'
import { openQemu } from './driver.ts'

/**
 * The default place of the scratch is the VM's own folder, in which its thin disks grow: both on one small file system,
 * and a guest that writes more than fits beside the scratch (drivers.md R19). Needs root, to mount it.
 */
describe.skipIf(process.getuid?.() !== 0)('disk and scratch on one file system that runs full', () => {
  let home: string
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'hf-full-'))
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', home])
    lab = await labUp({ home, name: 'full', vms: [{ name: 'thin', qcow2: 320 * MiB, raw: null }] })
    vm = lab.vms[0] as LabVm
    driver = openQemu(lab.endpoint)
    const [facts] = await Array.fromAsync(driver.discover(contextFor({} as VmRef, newPoint())))
    if (!facts) throw new Error('the lab has no VM')
    ref = facts.vm
    await vm.shell('head -c 41943040 /dev/urandom >/data/0/old; sync')
  })
  afterAll(async () => {
    await labDown(lab.place, { remove: true })
    await runProgram('umount', [home])
    await rm(home, { recursive: true, force: true })
  })

  const filler = (): string => join(home, 'filler')
  /** Leaves so many bytes of the file system. */
  async function leave(bytes: number): Promise<void> {
    await rm(filler(), { force: true })
    const { bavail, bsize } = await statfs(home)
    await using file = await open(filler(), 'w')
    const block = new Uint8Array(MiB).fill(1)
    for (let left = bavail * bsize - bytes; left > 0; left -= block.length)
      await file.write(block.subarray(0, Math.min(left, block.length)))
  }
  async function opened(): Promise<Opened> {
    const disks = vm.description.disks.map((d) => ({
      key: d.key as DiskKey,
      size: d.size,
      tracked: 'persistent' as const,
    }))
    const target = { ref, disks, content: () => new Uint8Array() } as unknown as ConstructorParameters<typeof Series>[0]
    return await new Series(target, driver).open()
  }
  async function sentinels(point: Opened['point']): Promise<readonly number[]> {
    const opKey = opKeyFor(installation, ref, point.id)
    const found: number[] = []
    for (const pid of (await readdir('/proc')).filter((p) => /^\d+$/.test(p)).map(Number)) {
      const [command] = await Promise.allSettled([readFile(`/proc/${pid}/cmdline`, 'utf8')])
      if (command.status === 'fulfilled' && command.value.includes('sentinel') && command.value.includes(opKey))
        found.push(pid)
    }
    return found
  }
  async function killSentinel(point: Opened['point']): Promise<void> {
    for (const pid of await sentinels(point)) process.kill(pid, 'SIGKILL')
  }
  const status = async (): Promise<string> => {
    await using monitor = await vm.monitor()
    return (await monitor.execute<{ status: string }>('query-status')).status
  }
  async function standsStill(): Promise<void> {
    const deadline = performance.now() + 60_000
    while ((await status()) !== 'io-error') {
      expect(performance.now()).toBeLessThan(deadline)
      await sleep(20)
    }
  }
  const overwriting = 'dd if=/dev/zero of=/data/0/old bs=1048576 count=40 conv=notrunc,fsync 2>/dev/null'
  /** Writes to places that the disk does not have yet. */
  const growing = (file: string): string =>
    `dd if=/dev/zero of=/data/0/${file} bs=1048576 count=40 conv=fsync 2>/dev/null && md5sum </data/0/${file}`
  const inGuest = (...commands: string[]): Promise<string> => vm.shell(commands.join(' && '), 120_000)
  /** Overwrites what the point must keep, and writes as much again beside it. */
  const grow = (file: string): Promise<string> => inGuest(overwriting, growing(file))
  const zeros = createHash('md5')
    .update(new Uint8Array(40 * MiB))
    .digest('hex')
  const isWhole = (said: string): void => expect(said.trim().split(' ')[0]).toBe(zeros)

  test('preflight refuses to begin without room, because it would stop the guest', async () => {
    await leave(8 * MiB)
    const disks = [{ disk: 'virtio0' as DiskKey, since: null, full: null }]
    const request = { ...new Series({ disks: [] } as never, driver).request(newPoint()), disks }
    const { findings } = await driver.preflight(contextFor(ref, newPoint()), ref, request)
    expect(findings).toContainEqual(expect.objectContaining({ code: 'scratch-space', severity: 'blocking' }))
    await expect(opened()).rejects.toMatchObject({ code: 'CapacityExhausted' })
    expect((await readdir(vm.dir)).filter((f) => f.startsWith('hf-'))).toEqual([])
  })

  test('the point is given up and the guest goes on, without any worker', async () => {
    await leave(70 * MiB)
    const { point, ctx } = await opened()
    const written = grow('first')
    isWhole(await written)
    expect(await status()).toBe('running')
    expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
    expect((await readdir(vm.dir)).filter((f) => f.endsWith('.qcow2') && f.startsWith('hf-'))).toEqual([])
    expect((await driver.abortPoint(ctx, ref, null)).residue).toEqual([])
    expect((await readdir(vm.dir)).filter((f) => f.startsWith('hf-'))).toEqual([])
  })

  test('its sentinel killed: the guest stands still until ensureRunning, and loses nothing', async () => {
    await leave(70 * MiB)
    const { point, ctx } = await opened()
    await killSentinel(point)
    const written = grow('second')
    await standsStill()
    expect(await driver.ensureRunning(ctx, ref)).toEqual({ wasFrozen: false, wasPaused: true })
    isWhole(await written)
    expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
    expect((await driver.abortPoint(ctx, ref, null)).residue).toEqual([])
  })

  test('its sentinel killed: the next look of a worker posts one again, and the guest goes on while nobody works', async () => {
    await leave(70 * MiB)
    const { point, ctx } = await opened()
    const later = { ...ctx, now: () => instant(Date.now() + 3_600_000) }
    expect(await driver.watchPoints(later)).toEqual({ open: 1, posted: 0 })
    await killSentinel(point)
    const written = grow('third')
    await standsStill()
    // It may still be on its way to a sentinel of its own.
    expect(await driver.watchPoints(ctx)).toEqual({ open: 1, posted: 0 })
    expect(await driver.watchPoints(later)).toEqual({ open: 1, posted: 1 })
    isWhole(await written)
    expect(await status()).toBe('running')
    expect(await driver.watchPoints(later)).toEqual({ open: 1, posted: 0 })
    expect(await sentinels(point)).toHaveLength(1)
    expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
    expect((await driver.abortPoint(ctx, ref, null)).residue).toEqual([])
    await expect.poll(() => sentinels(point), { timeout: 10_000 }).toEqual([])
    expect(await driver.watchPoints(later)).toEqual({ open: 0, posted: 0 })
  })

  test('no room even without the scratch: an alarm, and it goes on once there is', async () => {
    await leave(40 * MiB)
    const { point, ctx } = await opened()
    await killSentinel(point)
    await rm(filler())
    await leave(MiB)
    // Nothing is overwritten: what stops the guest must be the disk, at once again, however slowly the guest runs.
    const written = inGuest(growing('fourth'))
    await standsStill()
    await expect(driver.ensureRunning(ctx, ref)).rejects.toMatchObject({ code: 'GuestStuck' })
    await rm(filler())
    expect(await driver.ensureRunning(ctx, ref)).toEqual({ wasFrozen: false, wasPaused: true })
    isWhole(await written)
    expect((await driver.abortPoint(ctx, ref, null)).residue).toEqual([])
    expect((await readdir(vm.dir)).filter((f) => f.startsWith('hf-'))).toEqual([])
  })
})
