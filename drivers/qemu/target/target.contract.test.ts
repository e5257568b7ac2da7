import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contextFor, newPoint, Series } from '../../contract/series.ts'
import type { OpContext, HypervisorDriver } from '../../driver.ts'
import type { NativeConfig, RestoreTarget, TargetSpec } from '../../facets.ts'
import { runProgram } from '../../transport/index.ts'
import { openQemu } from '../driver.ts'
import { direct, type Effects } from '../effects.ts'
import { BareVm } from '../testing/bare.ts'

interface Restore {
  readonly target: RestoreTarget
  readonly spec: TargetSpec
  readonly native: readonly NativeConfig[]
  readonly ctx: OpContext
}

/** What a restore of this VM to the new name “web” is asked for with. */
async function restoreOf(vm: BareVm, driver: HypervisorDriver): Promise<Restore> {
  const opened = await new Series(vm, driver).open()
  const { portable, native } = await driver.exportConfig(opened.ctx, opened.point)
  const parts = await Array.fromAsync(native)
  await driver.abortPoint(opened.ctx, vm.ref, opened.point)
  if (!driver.target) throw new Error('no restore side')
  return {
    target: driver.target,
    native: parts.map(({ name, bytes }) => ({ name, bytes })),
    ctx: contextFor(vm.ref, newPoint()),
    spec: {
      place: { kind: 'new', name: 'web', host: null, folder: null },
      vm: { ...portable, name: 'web' },
      nativeConfigRef: 'the point',
      disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
      identity: 'new',
      networks: {},
    },
  }
}

test('a folder that was there is somebody’s, VM or not: the name is taken, and not a byte of it changes', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  const driver = openQemu(vm.endpoint)
  const { target, spec, native, ctx } = await restoreOf(vm, driver)
  const web = join(vm.root, 'web')
  await mkdir(web)
  const disk = join(web, 'virtio0.qcow2')
  await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', disk, String(vm.disks[0]?.size)])
  await runProgram('qemu-img', ['bitmap', '--add', '-f', 'qcow2', disk, 'theirs'])
  await writeFile(join(web, 'notes.txt'), 'keep me')
  const before = await readFile(disk)

  const { findings } = await target.check(ctx, spec)
  expect(findings).toContainEqual(expect.objectContaining({ code: 'name', severity: 'blocking' }))
  await expect(target.create(ctx, spec, native)).rejects.toMatchObject({ code: 'NameTaken' })
  expect(await Array.fromAsync(driver.listOwned(ctx))).toEqual([])
  expect((await readFile(disk)).equals(before)).toBe(true)
  expect((await readdir(web)).sort()).toEqual(['notes.txt', 'virtio0.qcow2'])
})

test('destroy removes what the restore has made, and leaves what somebody has put beside it', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  const { target, spec, native, ctx } = await restoreOf(vm, openQemu(vm.endpoint))
  const made = await target.create(ctx, spec, native)
  const web = join(vm.root, 'web')
  await mkdir(join(web, 'mine'))
  await writeFile(join(web, 'mine', 'notes.txt'), 'keep me')
  expect((await target.destroy(ctx, made)).residue).toEqual([])
  expect(await readdir(web, { recursive: true })).toEqual(['mine', join('mine', 'notes.txt')])
})

test('a restore that is cut off before its folder is a VM is listed, and both destroy and the sweep remove it', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  const driver = openQemu(vm.endpoint)
  const { target, spec, native, ctx } = await restoreOf(vm, driver)
  const dying: Effects = {
    ...direct,
    run: (what, effect) => (what === 'file: vm.json' ? Promise.reject(new Error('the end')) : effect()),
  }
  const cutOff = async (): Promise<void> => {
    await expect(openQemu(vm.endpoint, dying).target?.create(ctx, spec, native)).rejects.toThrow('the end')
  }
  await cutOff()
  const [left] = await Array.fromAsync(driver.listOwned(ctx))
  expect(left).toMatchObject({ kind: 'vm', opKey: ctx.opKey })
  if (!left) throw new Error('nothing is listed')
  await driver.removeOwned(ctx, left)
  expect(existsSync(left.id)).toBe(false)
  await cutOff()
  const never = {
    vm: { ...vm.ref, id: '00000000-0000-4000-8000-000000000000' },
    opKey: ctx.opKey,
    disks: [],
    replaced: null,
  }
  expect((await target.destroy(ctx, never)).residue).toEqual([])
  expect(await readdir(vm.root)).toEqual(['vm'])
})

test('destroying a replacement again finds nothing to do', async () => {
  await using vm = await BareVm.make()
  await vm.start()
  const { target, spec, native, ctx } = await restoreOf(vm, openQemu(vm.endpoint))
  const made = await target.create(
    ctx,
    { ...spec, place: { kind: 'replace', vm: vm.ref, safetyPoint: newPoint() } },
    native,
  )
  expect((await target.destroy(ctx, made)).residue).toEqual([])
  expect((await target.destroy(ctx, made)).residue).toEqual([])
  await expect(target.destroy(ctx, { ...made, replaced: null })).rejects.toMatchObject({ code: 'NotOurs' })
})
