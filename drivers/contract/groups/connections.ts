import { expect } from 'vitest'
import { HoldfastError } from '../../../base/index.ts'
import { places } from '../../../tests/support/sampling.ts'
import type { EffectSeam } from '../rig.ts'
import { Series, contextFor, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import { someWrites } from './shared.ts'

export function connectionsGroup({ check, rig }: Bench): void {
  check(
    '33',
    'cancelled at every effect: it settles in time, nothing of the round is left and the guest runs',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      for (const k of places(rig.stride)) {
        const controller = new AbortController()
        const seam = new CancelAt(k, () => controller.abort(new HoldfastError('Cancelled', 'the test cancelled')))
        await using cancelled = await rig.open(vm.endpoint, seam)
        const id = newPoint()
        const ctx = contextFor(vm.ref, id, controller.signal)
        const started = performance.now()
        const result = await Promise.allSettled([cancelled.openPoint(ctx, vm.ref, series.request(id))])
        if (!seam.reached) {
          await driver.abortPoint(contextFor(vm.ref, id), vm.ref, null)
          break
        }
        // From the freeze to the thaw a cancel is not looked at, so that a late one may meet a point that is open.
        if (result[0].status === 'rejected') {
          expect(result[0].reason).toMatchObject({ code: 'Cancelled' })
          expect(performance.now() - started).toBeLessThan(10_000)
          expect(await vm.leftovers()).toEqual([])
        }
        expect(await vm.isRunning()).toBe(true)
        expect((await driver.abortPoint(contextFor(vm.ref, id), vm.ref, null)).residue).toEqual([])
        expect(await vm.leftovers()).toEqual([])
      }
      await vm.write(someWrites(vm, 1))
      await series.round()
    },
  )

  check('33b', 'a read that is cancelled rejects at once and leaves the reader usable', async (vm, driver) => {
    const { point, ctx } = await new Series(vm, driver).open()
    for (const { disk } of point.disks) {
      await using reader = await driver.openReader(ctx, point, disk.key)
      const into = new Uint8Array(64 * 1024)
      await expect(
        reader.read(0 as typeof disk.size, into, AbortSignal.abort(new HoldfastError('Cancelled', 'no'))),
      ).rejects.toMatchObject({ code: 'Cancelled' })
      await reader.read(0 as typeof disk.size, into)
    }
    await driver.abortPoint(ctx, vm.ref, null)
  })

  check(
    '35',
    'what only one may use is in use: Busy with a time to come back, nothing left, and it works afterwards',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      const before = [...(await vm.references())].sort()
      const stop = await rig.occupy?.(vm)
      const id = newPoint()
      const ctx = contextFor(vm.ref, id)
      const { findings } = await driver.preflight(ctx, vm.ref, series.request(id))
      expect(findings).toContainEqual(expect.objectContaining({ severity: 'blocking' }))
      await expect(driver.openPoint(ctx, vm.ref, series.request(id))).rejects.toMatchObject({
        code: 'Busy',
        retry: 'after',
        retryAfter: expect.any(Number) as number,
      })
      expect([...(await vm.references())].sort()).toEqual(before)
      await stop?.()
      await vm.write(someWrites(vm, 1))
      const { point } = await series.round()
      expect(point.disks.map((d) => d.mode)).toEqual(vm.disks.map(() => 'incremental'))
      expect(await vm.leftovers()).toEqual([])
    },
  )

  check('39', 'disposing a reader or the driver twice is fine', async (vm, driver) => {
    const { point, ctx } = await new Series(vm, driver).open()
    const key = point.disks[0]?.disk.key
    if (key === undefined) throw new Error('no disk')
    const reader = await driver.openReader(ctx, point, key)
    await reader[Symbol.asyncDispose]()
    await reader[Symbol.asyncDispose]()
    await driver.abortPoint(ctx, vm.ref, null)
    await driver[Symbol.asyncDispose]()
    await driver[Symbol.asyncDispose]()
  })
}

/** Calls `cancel` right before the k-th effect. */
class CancelAt implements EffectSeam {
  #left: number
  readonly #cancel: () => void
  reached = false

  constructor(k: number, cancel: () => void) {
    this.#left = k
    this.#cancel = cancel
  }
  run<T>(_what: string, effect: () => Promise<T>): Promise<T> {
    if (this.#left-- === 0) {
      this.reached = true
      this.#cancel()
    }
    return effect()
  }
  atDeath(): () => void {
    return () => undefined
  }
}
