import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contextFor, newPoint, Series } from '../contract/series.ts'
import type { TargetSpec } from '../facets.ts'
import { openImage } from './driver.ts'
import { FileVm } from './testing/files.ts'

/** What a restore of the VM to the new name “copy” is asked for with. */
async function specOf(vm: FileVm): Promise<TargetSpec> {
  const driver = openImage(vm.endpoint)
  const opened = await new Series(vm, driver).open()
  const { portable } = await driver.exportConfig(opened.ctx, opened.point)
  await driver.abortPoint(opened.ctx, vm.ref, opened.point)
  return {
    place: { kind: 'new', name: 'copy', host: null, folder: null },
    vm: { ...portable, name: 'copy' },
    nativeConfigRef: null,
    disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
    identity: 'new',
    networks: {},
  }
}

test('a folder that was there is somebody’s, images or not: the name is taken, and nothing in it changes', async () => {
  await using vm = await FileVm.make()
  const { target } = openImage(vm.endpoint)
  const spec = await specOf(vm)
  const copy = join(vm.endpoint.address, 'copy')
  await mkdir(copy)
  await writeFile(join(copy, 'notes.txt'), 'keep me')
  const ctx = contextFor(vm.ref, newPoint())
  expect((await target?.check(ctx, spec))?.findings).toContainEqual(
    expect.objectContaining({ code: 'name', severity: 'blocking' }),
  )
  await expect(target?.create(ctx, spec, [])).rejects.toMatchObject({ code: 'NameTaken' })
  expect(await readdir(copy)).toEqual(['notes.txt'])
})

test('destroy removes the images that the restore has made, and leaves what somebody has put beside them', async () => {
  await using vm = await FileVm.make()
  const { target } = openImage(vm.endpoint)
  const spec = await specOf(vm)
  const ctx = contextFor(vm.ref, newPoint())
  const made = await target?.create(ctx, spec, [])
  if (!target || !made) throw new Error('no restore side')
  await target.finalize(ctx, made)
  const copy = join(vm.endpoint.address, 'copy')
  await writeFile(join(copy, 'notes.txt'), 'keep me')
  expect((await target.destroy(ctx, made)).residue).toEqual([])
  expect((await target.destroy(ctx, made)).residue).toEqual([])
  expect(await readdir(copy)).toEqual(['notes.txt'])
  expect(await readFile(join(copy, 'notes.txt'), 'utf8')).toBe('keep me')
})
