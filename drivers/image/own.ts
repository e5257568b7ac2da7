import { realpath } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { lookAtImage } from '../../images/index.ts'
import type { ImageDisk, ImageVm } from './vms.ts'

const longestChain = 16

/**
 * An image names other files in its header, and whoever made it may have named any of this host: only layers of a qcow2
 * that lie in the folder of the VM are read. Nothing is opened but headers.
 * Throws Unsupported for what names others, ForeignState for another format than the one that is said.
 */
export async function requireOwn(vm: ImageVm, disk: ImageDisk): Promise<void> {
  // A raw disk has no header; what its guest has written there means nothing.
  if (disk.format === 'raw') return
  let file = disk.file
  for (let depth = 0; depth < longestChain; depth += 1) {
    const { format, references } = await lookAtImage(file, { tables: disk.format !== 'qcow2' })
    if (depth === 0 && format !== disk.format)
      throw new HoldfastError(
        'ForeignState',
        `disk ${disk.key} of VM “${vm.ref.name}” (${file}) is ${format}, not ${disk.format}`,
        {
          hint: 'Give the file the ending of its format, or correct the description.',
        },
      )
    const [layer, ...others] = references
    if (layer === undefined) return
    const inside = disk.format === 'qcow2' && others.length === 0 ? await insideOf(vm, file, layer) : null
    if (inside === null) throw outside(vm, disk, references)
    file = inside
  }
  throw outside(vm, disk, [`more than ${longestChain} layers`])
}

/** The real path of a layer, if it lies in the VM's folder; QEMU takes what begins with `name:` for a protocol. */
async function insideOf(vm: ImageVm, file: string, layer: string): Promise<string | null> {
  if (/^[a-z0-9+.-]+:/i.test(layer)) return null
  try {
    const [folder, path] = await Promise.all([realpath(vm.dir), realpath(resolve(dirname(file), layer))])
    return path.startsWith(folder + sep) ? path : null
  } catch {
    return null
  }
}

function outside(vm: ImageVm, disk: ImageDisk, names: readonly string[]): HoldfastError {
  return new HoldfastError(
    'Unsupported',
    `disk ${disk.key} of VM “${vm.ref.name}” is no disk by itself: ${disk.file} names ${names.join(', ')}`,
    { hint: 'Only files of the VM are read. Make one image of all of it: qemu-img convert -O qcow2 FILE NEW.qcow2' },
  )
}
