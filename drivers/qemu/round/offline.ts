import { bytes } from '../../../base/index.ts'
import { GRANULARITY, type DiskView } from '../../qmp/index.ts'
import { runProgram } from '../../transport/index.ts'
import type { DiskRef } from '../../values.ts'
import { resolveFile, type DiskDescription } from '../description.ts'
import type { Vm } from '../vm.ts'
import type { Undoing } from './dismantle.ts'

export interface StoredBitmap {
  readonly disk: DiskDescription
  readonly name: string
}

interface StoredInfo {
  readonly name: string
  readonly flags: readonly string[]
}
interface ImageInfo {
  readonly 'virtual-size': number
  readonly 'format-specific'?: { readonly data?: { readonly bitmaps?: readonly StoredInfo[] } }
}

/** Bitmaps stored in the qcow2 files of a VM that does not run. Never to be asked of one that does: they are stale then. */
export async function storedBitmaps(vm: Vm): Promise<readonly StoredBitmap[]> {
  const out: StoredBitmap[] = []
  for (const disk of vm.description.disks.filter((d) => d.format === 'qcow2'))
    for (const { name } of bitmapsOf(await imageInfo(vm, disk))) out.push({ disk, name })
  return out
}

/**
 * Disks of a VM that is off as QEMU would show them after a start: `auto` records again, `in-use` was not stored at the
 * end of QEMU and is inconsistent (qcow2 specification, bitmap directory). How many bits are set is not told; that a
 * tail mark has its bit is taken for granted here and looked at when QEMU runs.
 */
export async function storedViews(
  vm: Vm,
  refs: readonly DiskRef[],
): Promise<readonly { readonly view: DiskView; readonly ref: DiskRef }[]> {
  const out = []
  for (const disk of vm.description.disks) {
    const ref = refs.find((r) => r.key === disk.key)
    if (!ref) continue
    const info = await imageInfo(vm, disk)
    const size = info['virtual-size']
    const bitmaps = bitmapsOf(info).map(({ name, flags }) => ({
      node: disk.key,
      name,
      recording: flags.includes('auto') && !flags.includes('in-use'),
      busy: false,
      persistent: true,
      inconsistent: flags.includes('in-use'),
      count: GRANULARITY,
    }))
    const tracking: DiskView['tracking'] = disk.format === 'qcow2' ? 'persistent' : 'memory'
    const view: DiskView = { key: ref.key, node: disk.key, size, volume: ref.volume, tracking, bitmaps }
    out.push({ view, ref: { ...ref, size: bytes(size) } })
  }
  return out
}

function bitmapsOf(info: ImageInfo): readonly StoredInfo[] {
  return info['format-specific']?.data?.bitmaps ?? []
}

async function imageInfo(vm: Vm, disk: DiskDescription): Promise<ImageInfo> {
  const file = resolveFile(vm.dir, disk.file)
  const { out } = await vm.host.effects.run('program: qemu-img info', () =>
    runProgram('qemu-img', ['info', '--output=json', '-f', disk.format, file], { limit: 60_000 }),
  )
  return JSON.parse(out) as ImageInfo
}

/** Removes the meant bitmaps from the files. */
export async function removeStored(vm: Vm, isMeant: (name: string) => boolean, undoing: Undoing): Promise<void> {
  for (const { disk, name } of await storedBitmaps(vm))
    if (isMeant(name)) await removeStoredBitmap(vm, disk, name, undoing)
}

export async function removeStoredBitmap(vm: Vm, disk: DiskDescription, name: string, undoing: Undoing): Promise<void> {
  const file = resolveFile(vm.dir, disk.file)
  await undoing.try('bitmap', `${disk.key}/${name}`, () =>
    vm.host.effects.run('program: qemu-img bitmap', () =>
      runProgram('qemu-img', ['bitmap', '--remove', '-f', 'qcow2', file, name], { limit: 60_000 }),
    ),
  )
}
