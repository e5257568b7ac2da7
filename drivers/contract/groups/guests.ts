import { expect } from 'vitest'
import { MiB } from '../../../base/index.ts'
import { Series } from '../series.ts'
import type { Bench } from '../suite.ts'
import { first, someWrites } from './shared.ts'

/** What needs no guest system. Freezing is tested on a real one, beside the driver. */
export function guestsGroup({ check }: Bench): void {
  check(
    '31',
    'scratch full: the guest runs on or is resumed within 10 s, and the round is broken',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      const { key } = first(vm)
      await vm.write([{ disk: key, kind: 'data', at: 0, length: 8 * MiB, value: 1 }])
      await series.round()
      await vm.write([{ disk: key, kind: 'data', at: 0, length: 8 * MiB, value: 2 }])
      const { point, ctx } = await series.open()
      await vm.fillScratch()
      await vm.write([{ disk: key, kind: 'data', at: 0, length: 8 * MiB, value: 3 }])
      const deadline = Date.now() + 10_000
      while (!(await vm.isRunning())) expect(Date.now()).toBeLessThan(deadline)
      expect(await driver.checkPoint(ctx, point)).toMatchObject({ status: 'broken' })
      expect((await driver.abortPoint(ctx, vm.ref, point)).residue).toEqual([])
      expect(await vm.isRunning()).toBe(true)
    },
  )

  check(
    '32a',
    'the VM is switched off while a point is read: a named error, and the next round is right',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await vm.write(someWrites(vm, 1))
      await series.round()
      await vm.write(someWrites(vm, 2))
      const opened = await series.open()
      await vm.stop()
      await expect(series.read(opened)).rejects.toMatchObject({ code: 'PointBroken' })
      expect(await driver.checkPoint(opened.ctx, opened.point)).toMatchObject({ status: 'broken' })
      expect((await driver.abortPoint(opened.ctx, vm.ref, null)).residue).toEqual([])
      await vm.start()
      await vm.write(someWrites(vm, 3))
      await series.round()
      expect(await vm.leftovers()).toEqual([])
    },
  )

  check('32b', 'the VM crashes while a point is read: the same', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    await vm.write(someWrites(vm, 2))
    const opened = await series.open()
    await vm.restart('crash')
    await expect(series.read(opened)).rejects.toMatchObject({ code: 'PointBroken' })
    expect((await driver.abortPoint(opened.ctx, vm.ref, null)).residue).toEqual([])
    await series.round()
    expect(await vm.leftovers()).toEqual([])
  })

  check(
    '32c',
    'a VM that is off: its point is taken without letting it run, and it is off afterwards',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await vm.write(someWrites(vm, 1))
      await series.round()
      await vm.write(someWrites(vm, 2))
      await vm.stop()
      const { point } = await series.round()
      expect(point.disks[0]?.mode).toBe('incremental')
      await expect(vm.isRunning()).rejects.toThrow()
      expect(await vm.leftovers()).toEqual([])
      await vm.start()
      await vm.write(someWrites(vm, 3))
      const next = await series.round()
      expect(next.point.disks[0]?.mode).toBe('incremental')
    },
  )
}
