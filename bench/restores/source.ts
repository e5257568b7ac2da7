import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KiB, MiB } from '../../base/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import type { Image, LabVm } from '../../lab/index.ts'
import { contentAt } from '../disk.ts'

const fileBytes = 64 * MiB

/** A VM that is off, and what its only disk holds, kept apart from it. */
export interface FilledVm {
  readonly id: string
  readonly vm: LabVm
  /** Bytes in files. */
  readonly used: number
  readonly image: Image
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[]
}

/**
 * Shuts the VM down and gives it a disk of its own size with an ext4 file system and so many bytes in files of 64 MiB: half of
 * it does not compress, the rest is like text, and every chunk differs. `folder`: where the image and the files are kept.
 */
export async function fillVm(vm: LabVm, used: number, folder: string): Promise<Omit<FilledVm, 'id'>> {
  const [disk] = vm.description.disks
  if (disk === undefined) throw new RangeError(`${vm.name} has no disk`)
  await vm.stop('quit')
  const tree = join(folder, 'tree')
  await mkdir(tree, { recursive: true })
  const files = []
  for (let at = 0; at < used; at += fileBytes) {
    const name = `file-${at / fileBytes}`
    const hash = createHash('sha256')
    await using file = await open(join(tree, name), 'wx')
    for (let within = 0; within < fileBytes; within += MiB) {
      const content = contentAt(at + within)
      hash.update(content)
      await file.write(content)
    }
    files.push({ path: `/${name}`, bytes: fileBytes, sha256: hash.digest('hex') })
  }
  const image = { file: join(folder, 'disk.raw'), format: 'raw' } as const
  await runProgram('mke2fs', [
    ...['-q', '-F', '-t', 'ext4', '-L', 'data0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
    ...['-d', tree, image.file, `${disk.size / KiB}k`],
  ])
  await rm(tree, { recursive: true })
  await runProgram('qemu-img', ['convert', '-f', 'raw', '-O', disk.format, image.file, join(vm.dir, disk.file)])
  return { vm, used, image, files }
}
