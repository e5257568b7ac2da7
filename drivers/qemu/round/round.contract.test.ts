import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MiB } from '../../../base/index.ts'
import { contextFor, newPoint, Series } from '../../contract/series.ts'
import { readDescription, writeDescription } from '../description.ts'
import { openQemu } from '../driver.ts'
import { direct, type Effects } from '../effects.ts'
import { BareVm, twoDisks } from '../testing/bare.ts'

test('VMs that share a scratch folder do not take each other’s scratch for leftovers', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'hf-scr-'))
  try {
    await using one = await BareVm.make(twoDisks, { scratch })
    await using other = await BareVm.make(twoDisks, { scratch })
    for (const vm of [one, other]) await vm.start()
    const [driver, second] = [openQemu(one.endpoint), openQemu(other.endpoint)]
    const opened = await new Series(one, driver).open()
    const listed = async (): Promise<readonly string[]> =>
      (await Array.fromAsync(driver.listOwned(opened.ctx))).filter((o) => o.id.startsWith(scratch)).map((o) => o.id)
    const files = await listed()
    expect(files).toHaveLength(2)
    await new Series(other, second).round()
    expect(await listed()).toEqual(files)
    await one.write([{ disk: 'virtio0', kind: 'data', at: 0, length: MiB, value: 7 }])
    expect(await driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
    expect((await driver.abortPoint(opened.ctx, one.ref, opened.point)).residue).toEqual([])
    expect(await readdir(scratch)).toEqual([])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
})

test('a paused guest that somebody lets run in the middle of the switch: Busy, nothing is left, and it runs', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  await vm.qmp('stop')
  const meddled: Effects = {
    ...direct,
    async run(what, effect) {
      const result = await effect()
      if (what === 'qmp: transaction' && !(await vm.isRunning())) await vm.qmp('cont')
      return result
    },
  }
  const id = newPoint()
  const driver = openQemu(vm.endpoint, meddled)
  const opening = driver.openPoint(contextFor(vm.ref, id), vm.ref, new Series(vm, driver).request(id))
  await expect(opening).rejects.toMatchObject({ code: 'Busy' })
  expect(await vm.leftovers()).toEqual([])
  expect(await vm.isRunning()).toBe(true)
})

test('a guest that somebody pauses right before the switch: Busy, and nothing is left', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  let looks = 0
  const meddled: Effects = {
    ...direct,
    async run(what, effect) {
      const result = await effect()
      // The second look decides that the guest has to be stopped.
      if (what === 'qmp: query-status' && ++looks === 2) await vm.qmp('stop')
      return result
    },
  }
  const id = newPoint()
  const driver = openQemu(vm.endpoint, meddled)
  const opening = driver.openPoint(contextFor(vm.ref, id), vm.ref, new Series(vm, driver).request(id))
  await expect(opening).rejects.toMatchObject({ code: 'Busy' })
  expect(await vm.leftovers()).toEqual([])
})

test('a description that gains or loses a disk while the point is open does not keep the round from ending', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  const driver = openQemu(vm.endpoint)
  const described = await readDescription(vm.dir)
  const series = new Series(vm, driver)
  const [first] = described.disks
  if (!first) throw new Error('no disk')
  for (const disks of [
    [...described.disks, { ...first, key: 'virtio7', file: 'virtio7.qcow2', serial: 'seven', bootOrder: null }],
    [first],
  ]) {
    const opened = await series.open()
    await writeDescription(vm.dir, { ...described, disks })
    expect((await driver.abortPoint(opened.ctx, vm.ref, opened.point)).residue).toEqual([])
    await writeDescription(vm.dir, described)
    expect(await vm.leftovers()).toEqual([])
  }
})
