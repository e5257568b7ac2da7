import { expect } from 'vitest'
import { howToRepeat, places } from '../../../tests/support/sampling.ts'
import { CutAfter, ProcessDied } from '../cut.ts'
import type { ContractRig, ContractVm } from '../rig.ts'
import { Series, contextFor, newPoint } from '../series.ts'
import type { Bench } from '../suite.ts'
import { reasons } from './must-full.ts'
import { first, second, someWrites } from './shared.ts'

export function idempotenceGroup({ check, rig }: Bench): void {
  check(
    '20',
    'openPoint twice: one point carries the opKey, and it has the bytes of the second call',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      await vm.write(someWrites(vm, 1))
      const id = newPoint()
      await series.open({}, id)
      await vm.write(someWrites(vm, 2))
      const again = await series.open({}, id)
      const images = await series.read(again)
      for (const [key, truth] of again.truth) expect(Buffer.compare(images.get(key) ?? new Uint8Array(), truth)).toBe(0)
      const exports = (await vm.leftovers()).filter((name) => /\.e\d+$/.test(name))
      expect(exports).toHaveLength(vm.disks.length)
      series.store(
        again,
        images,
        vm.disks.map((d) => d.key),
      )
      await driver.commitPoint(
        again.ctx,
        again.point,
        vm.disks.map((d) => d.key),
      )
      expect(await vm.leftovers()).toEqual([])
      expect(reasons((await series.round()).point)).toEqual([null, null])
    },
  )

  check(
    '21',
    'openPoint killed after each effect, then tried again: one point, the right bytes',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      await everyCut(rig, vm, 'open', async (cut, dying, k) => {
        await vm.write(someWrites(vm, 100 + k, 2))
        const id = newPoint()
        await dies(cut, () => new SeriesView(series, dying).open({}, id))
        await vm.write(someWrites(vm, 200 + k, 2))
        // The compensation comes first; a guest that does not run is seen from outside.
        if (!(await vm.isRunning())) await driver.ensureRunning(contextFor(vm.ref, id), vm.ref)
        expect(await vm.isRunning()).toBe(true)
        const opened = await series.open({}, id)
        expect(reasons(opened.point)).toEqual([null, null])
        const images = await series.read(opened)
        for (const [key, truth] of opened.truth)
          expect(Buffer.compare(images.get(key) ?? new Uint8Array(), truth)).toBe(0)
        series.store(
          opened,
          images,
          vm.disks.map((d) => d.key),
        )
        await driver.commitPoint(
          opened.ctx,
          opened.point,
          vm.disks.map((d) => d.key),
        )
        expect(await vm.leftovers()).toEqual([])
      })
    },
  )

  check(
    '22',
    'openPoint killed after each effect, then aborted from vm and opKey alone: nothing left, the guest runs, the next round is right',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      await everyCut(rig, vm, 'open', async (cut, dying, k) => {
        const references = [...(await vm.references())].sort()
        await vm.write(someWrites(vm, 300 + k, 2))
        const id = newPoint()
        await dies(cut, () => new SeriesView(series, dying).open({}, id))
        const { residue } = await driver.abortPoint(contextFor(vm.ref, id), vm.ref, null)
        expect(residue).toEqual([])
        expect(await vm.leftovers()).toEqual([])
        expect(await vm.isRunning()).toBe(true)
        expect([...(await vm.references())].sort()).toEqual(references)
      })
      expect(reasons((await series.round()).point)).toEqual([null, null])
    },
  )

  check(
    '23',
    'commitPoint killed after each effect and repeated: nothing left, the next incremental is right',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      await everyCut(rig, vm, 'commit', async (cut, dying, k) => {
        await vm.write(someWrites(vm, 400 + k, 2))
        const opened = await series.open()
        const images = await series.read(opened)
        const keys = vm.disks.map((d) => d.key)
        series.store(opened, images, keys)
        await dies(cut, () => dying.commitPoint(opened.ctx, opened.point, keys))
        await vm.write(someWrites(vm, 500 + k, 2))
        expect((await driver.commitPoint(opened.ctx, opened.point, keys)).residue).toEqual([])
        expect(await vm.leftovers()).toEqual([])
        expect(reasons((await series.round()).point)).toEqual([null, null])
      })
    },
  )

  check(
    '24',
    'commitPoint never called: the next round, which names the point, goes on from it',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round({ end: 'forget-stored' })
      await vm.write(someWrites(vm, 1))
      expect(reasons((await series.round({ end: 'forget-stored' })).point)).toEqual([null, null])
      await vm.write(someWrites(vm, 2))
      expect(reasons((await series.round()).point)).toEqual([null, null])
      expect(await vm.leftovers()).toEqual([])
    },
  )

  check('24b', 'a round that was neither stored nor ended is undone by the next one', async (vm, driver) => {
    const series = new Series(vm, driver)
    await series.round()
    await vm.write(someWrites(vm, 1))
    await series.round({ end: 'forget', during: () => vm.write(someWrites(vm, 2)) })
    expect(reasons((await series.round()).point)).toEqual([null, null])
  })

  check(
    '25',
    'commitPoint with some of the disks: those advance, the others keep their reference',
    async (vm, driver) => {
      const series = new Series(vm, driver)
      await series.round()
      await vm.write(someWrites(vm, 1))
      const before = series.refs.get(second(vm).key)
      await series.round({ stored: [first(vm).key] })
      expect(series.refs.get(second(vm).key)).toEqual(before)
      await vm.write(someWrites(vm, 2))
      expect(reasons((await series.round()).point)).toEqual([null, null])
    },
  )

  check('26', 'either ending after the other, after itself, and after nothing', async (vm, driver) => {
    const series = new Series(vm, driver)
    const keys = vm.disks.map((d) => d.key)
    const nothing = contextFor(vm.ref, newPoint())
    expect((await driver.abortPoint(nothing, vm.ref, null)).residue).toEqual([])
    const { ctx, point } = await series.round()
    expect((await driver.commitPoint(ctx, point, keys)).residue).toEqual([])
    await vm.write(someWrites(vm, 1))
    const aborted = await series.round({ end: 'abort' })
    expect((await driver.abortPoint(aborted.ctx, vm.ref, aborted.point)).residue).toEqual([])
    expect(reasons((await series.round()).point)).toEqual([null, null])
    // An abort that comes after the commit takes the reference along: the next round is full, never wrong.
    const late = await series.round()
    expect((await driver.abortPoint(late.ctx, vm.ref, null)).residue).toEqual([])
    await vm.write(someWrites(vm, 2))
    expect(reasons((await series.round()).point)).toEqual(['reference-missing', 'reference-missing'])
  })
}

/** The same series seen through another driver instance: the one that is going to die. */
class SeriesView extends Series {
  constructor(series: Series, driver: Series['driver']) {
    super(series.vm, driver, series.tracker)
    for (const [key, ref] of series.refs) this.refs.set(key, ref)
  }
}

async function dies(cut: CutAfter, work: () => Promise<unknown>): Promise<void> {
  await expect(work()).rejects.toBeInstanceOf(ProcessDied)
  expect(cut.isDead).toBe(true)
}

/**
 * Runs `body` once for every effect after which the process can die. How many there are is found by running on until one
 * attempt needs fewer effects than it was given.
 */
async function everyCut(
  rig: ContractRig,
  vm: ContractVm,
  what: 'open' | 'commit',
  body: (cut: CutAfter, dying: Awaited<ReturnType<ContractRig['open']>>, k: number) => Promise<void>,
): Promise<void> {
  const count = await effectsOf(rig, vm, what)
  expect(count).toBeGreaterThan(10)
  for (const k of places(rig.stride)) {
    if (k >= count) return
    const cut = new CutAfter(k)
    await using dying = await rig.open(vm.endpoint, cut)
    try {
      await body(cut, dying, k)
    } catch (error) {
      throw new Error(
        `killed before effect ${k} of ${count}, after ${cut.done.slice(-3).join(', ')} (again: ${howToRepeat})`,
        {
          cause: error,
        },
      )
    }
  }
}

/** Counts the effects of one undisturbed call, on a tracker of its own. */
async function effectsOf(rig: ContractRig, vm: ContractVm, what: 'open' | 'commit'): Promise<number> {
  const counting = new CutAfter(Infinity)
  await using driver = await rig.open(vm.endpoint, counting)
  const series = new Series(vm, driver, 'counting')
  await series.round()
  const before = counting.done.length
  const opened = await series.open()
  const opening = counting.done.length - before
  await driver.commitPoint(opened.ctx, opened.point, [])
  const count = what === 'open' ? opening : counting.done.length - before - opening
  await driver.abortPoint(opened.ctx, vm.ref, null)
  return count
}
