import { join } from 'node:path'
import { readFile, readdir, rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiB, millis } from '../../base/index.ts'
import { endTemporaryLab, temporaryLab, type Lab, type LabVm } from '../../lab/index.ts'
import { Series, contextFor, newPoint } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import type { DiskKey, VmRef } from '../values.ts'
import { runProgram } from '../transport/index.ts'
import { openQemu } from './driver.ts'

/** A guest that is shut down for its point, and runs again while that is still read (ADR 0625). */
describe('the qemu driver and a guest that is shut down for its point', () => {
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  let series: Series
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'guest', qcow2: 96 * MiB, raw: null }] })
    vm = lab.vms[0] as LabVm
    driver = openQemu(lab.endpoint)
    const ctx = contextFor({} as VmRef, newPoint())
    for await (const facts of driver.discover(ctx)) ref = facts.vm
    const disks = vm.description.disks.map((d) => ({
      key: d.key as DiskKey,
      size: d.size,
      tracked: 'persistent' as const,
    }))
    const target = { ref, disks, content: () => new Uint8Array() }
    series = new Series(target as unknown as ConstructorParameters<typeof Series>[0], driver)
  })
  afterAll(() => endTemporaryLab(lab))

  const ctx = () => contextFor(ref, newPoint())
  const shutDown = () => driver.power(ctx(), ref, 'stopped', millis(60_000))
  const start = () => driver.power(ctx(), ref, 'running', millis(60_000))
  /** What lies on its disk while nobody has it open. */
  async function diskOf(): Promise<Uint8Array> {
    const [disk] = vm.description.disks
    const raw = join(vm.dir, 'as-it-was.img')
    await runProgram('qemu-img', ['convert', '-O', 'raw', join(vm.dir, disk?.file ?? ''), raw], { limit: 60_000 })
    try {
      return await readFile(raw)
    } finally {
      await rm(raw)
    }
  }

  test('it shuts down by itself, boots while its point is read, and the point is as it was when it was off', async () => {
    await vm.shell('echo written-last > /data/0/last')
    expect(await shutDown()).toEqual({ before: 'running', after: 'stopped' })
    expect(await shutDown()).toEqual({ before: 'stopped', after: 'stopped' })
    const before = await diskOf()
    const opened = await series.open({ want: 'filesystem' })
    expect(opened.point).toMatchObject({ consistency: 'crash', quiesce: { freezeDurationMs: null, isOff: true } })
    expect(await start()).toEqual({ before: 'stopped', after: 'running' })
    await vm.ready()
    // Nothing was lost by the shutdown, and what is new does not come into the point.
    expect((await vm.shell('cat /data/0/last')).trim()).toBe('written-last')
    await vm.shell('head -c 3000000 /dev/urandom > /data/0/new; echo overwritten > /data/0/last; sync')
    const images = await series.read(opened)
    const [image] = images.values()
    expect(Buffer.from(image ?? []).equals(before)).toBe(true)
    expect(await driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
    const keys = opened.point.disks.map(({ disk }) => disk.key)
    series.store(opened, images, keys)
    expect((await driver.commitPoint(opened.ctx, opened.point, keys)).residue).toEqual([])
    expect(await vm.running()).not.toBeNull()
    expect((await vm.shell('cat /data/0/last')).trim()).toBe('overwritten')
  })

  test('a point that is undone before it was started leaves it off, the compensations in their order, and it starts then', async () => {
    await shutDown()
    const before = await diskOf()
    const opened = await series.open({ want: 'filesystem' })
    expect(opened.point.disks.map(({ mode }) => mode)).toEqual(['incremental'])
    expect(Buffer.from([...(await series.read(opened)).values()][0] ?? []).equals(before)).toBe(true)
    expect(await driver.ensureRunning(opened.ctx, ref)).toEqual({ wasFrozen: false, wasPaused: false })
    expect((await driver.abortPoint(opened.ctx, ref, null)).residue).toEqual([])
    expect(await vm.running()).toBeNull()
    expect(await start()).toEqual({ before: 'stopped', after: 'running' })
    await vm.ready()
    expect((await readdir(vm.dir)).filter((name) => name.startsWith('hf-'))).toEqual([])
  })

  test('a guest that does not listen goes on running', async () => {
    const power = await vm.shell('readlink -f /sbin/shutdown || which shutdown')
    await vm.shell(`mv ${power.trim()} ${power.trim()}.away`)
    await expect(driver.power(ctx(), ref, 'stopped', millis(3_000))).rejects.toMatchObject({ code: 'GuestRefused' })
    expect((await vm.shell('echo here')).trim()).toBe('here')
  })
})
