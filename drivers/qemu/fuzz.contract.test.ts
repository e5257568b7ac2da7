import { randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { generator, oneWrite } from '../contract/groups/shared.ts'
import type { GuestWrite } from '../contract/rig.ts'
import { Series, expectSame } from '../contract/series.ts'
import { openQemu } from './driver.ts'
import { BareVm, twoDisks } from './testing/bare.ts'

/**
 * The correctness fuzz (drivers.md §6): rounds of random writes, single sectors, discards and write-zeroes before the
 * point, while it is read, and after it; two rounds fail on purpose, one VM restart lies in between. Every round the
 * reconstruction from full and deltas must equal the writer's own account of that instant.
 * `HOLDFAST_SEED` repeats a run, `HOLDFAST_FUZZ_ROUNDS` makes it longer.
 */
const rounds = Number(process.env['HOLDFAST_FUZZ_ROUNDS'] ?? 12)
const failed = new Set([3, 7])
const restarted = 9

describe.each(['filter', 'job'] as const)('correctness fuzz, variant %s', (fleecing) => {
  test('every round’s reconstruction is the disk at its instant', { timeout: 300_000 }, async () => {
    const seed = Number(process.env['HOLDFAST_SEED'] ?? randomInt(2 ** 31))
    console.log(`fuzz ${fleecing}: HOLDFAST_SEED=${seed}`)
    const random = generator(seed)
    await using vm = await BareVm.make(twoDisks, { fleecing })
    await vm.start()
    await using driver = openQemu(vm.endpoint)
    const series = new Series(vm, driver)
    const writes = (n: number): GuestWrite[] =>
      Array.from({ length: n }, () => {
        const disk = vm.disks[random(vm.disks.length)]
        if (!disk) throw new Error('no disk')
        return oneWrite(disk.key, disk.size, random)
      })
    for (let n = 1; n <= rounds; n++) {
      await vm.write(writes(4 + random(20)))
      if (n === restarted) await vm.restart('clean')
      const opened = await series.open({ audit: random(6) === 0 })
      const modes = opened.point.disks.map((d) => d.mode)
      if (n > 1 && n !== restarted) expect(modes, `seed ${seed}, round ${n}`).toEqual(['incremental', 'incremental'])
      if (n === restarted) expect(modes).toEqual(['incremental', 'full'])
      await vm.write(writes(1 + random(12)))
      // Writes go on while the point is read: reads and writes meet on the same blocks in any order.
      const [images] = await Promise.all([series.read(opened), vm.write(writes(8 + random(16)))])
      for (const [key, truth] of opened.truth) expectSame(images.get(key), truth, `seed ${seed}, round ${n}, ${key}`)
      expect(await driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
      const keys = vm.disks.map((d) => d.key)
      if (failed.has(n)) {
        expect((await driver.abortPoint(opened.ctx, vm.ref, null)).residue).toEqual([])
        continue
      }
      series.store(opened, images, keys)
      expect((await driver.commitPoint(opened.ctx, opened.point, keys)).residue).toEqual([])
    }
    expect(await vm.leftovers()).toEqual([])
  })
})
