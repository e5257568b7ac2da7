import { runProgram } from '../../transport/index.ts'
import { resolveFile, type DiskDescription } from '../description.ts'
import type { Vm } from '../vm.ts'
import type { Undoing } from './dismantle.ts'

export interface StoredBitmap {
  readonly disk: DiskDescription
  readonly name: string
}

interface ImageInfo {
  readonly 'format-specific'?: { readonly data?: { readonly bitmaps?: readonly { readonly name: string }[] } }
}

/** Bitmaps stored in the qcow2 files of a VM that does not run. Never to be asked of one that does: they are stale then. */
export async function storedBitmaps(vm: Vm): Promise<readonly StoredBitmap[]> {
  const out: StoredBitmap[] = []
  for (const disk of vm.description.disks.filter((d) => d.format === 'qcow2')) {
    const file = resolveFile(vm.dir, disk.file)
    const { out: text } = await vm.host.effects.run('program: qemu-img info', () =>
      runProgram('qemu-img', ['info', '--output=json', '-f', 'qcow2', file]),
    )
    const info = JSON.parse(text) as ImageInfo
    for (const { name } of info['format-specific']?.data?.bitmaps ?? []) out.push({ disk, name })
  }
  return out
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
      runProgram('qemu-img', ['bitmap', '--remove', '-f', 'qcow2', file, name]),
    ),
  )
}
