import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { HoldfastError, bytes, isHoldfastError } from '../../base/index.ts'
import { GRANULARITY, type BitmapAction, type BitmapView, type DiskView } from '../qmp/index.ts'
import { requireOwn } from './own.ts'
import { qemuName } from '../../images/index.ts'
import { runProgram } from '../transport/index.ts'
import type { DiskRef } from '../values.ts'
import type { ImageDisk, ImageVm } from './vms.ts'

/** An image as its own header tells it. */
export interface ImageState {
  readonly disk: ImageDisk
  readonly ref: DiskRef
  readonly view: DiskView
}

interface ImageInfo {
  readonly 'virtual-size': number
  readonly encrypted?: boolean
  readonly 'format-specific'?: {
    readonly data?: { readonly bitmaps?: readonly { readonly name: string; readonly flags: readonly string[] }[] }
  }
}

/**
 * Reads the header. Throws `Busy` if another process has the image open for writing (QEMU and its tools lock what they
 * open), `NotFound`, `AccessBlocked`. With `shared` the lock is passed over: size and name are right, bitmaps are not.
 */
export async function inspectImage(
  vm: ImageVm,
  disk: ImageDisk,
  signal: AbortSignal,
  shared = false,
): Promise<ImageState> {
  await requireOwn(vm, disk)
  const args = ['info', '--output=json', ...(shared ? ['-U'] : []), '-f', qemuName(disk.format), disk.file]
  const { out } = await imageProgram(vm, disk, args, signal)
  const info = JSON.parse(out) as ImageInfo
  const { ino } = await stat(disk.file, { bigint: true })
  const volume = `${basename(disk.file)}:${ino}`
  const size = info['virtual-size']
  return {
    disk,
    ref: {
      key: disk.key,
      label: basename(disk.file),
      volume,
      size: bytes(size),
      sectorSize: 512,
      format: disk.format,
      role: disk.bootOrder === 0 ? 'boot' : 'data',
      skip: info.encrypted === true ? 'encrypted-by-platform' : null,
    },
    view: {
      key: disk.key,
      node: disk.key,
      size,
      volume,
      tracking: disk.format === 'qcow2' ? 'persistent' : 'memory',
      bitmaps: (info['format-specific']?.data?.bitmaps ?? []).map((b) => bitmapView(disk, b)),
    },
  }
}

/**
 * Flags of a stored bitmap (QEMU, docs/interop/qcow2.txt, “Bitmap directory entry”): `auto` records whenever the image
 * is written; `in-use` was left by a writer that did not close the image. How much is dirty is not in the header;
 * `tailIsMarked` asks for the one count that decides something.
 */
function bitmapView(disk: ImageDisk, b: { readonly name: string; readonly flags: readonly string[] }): BitmapView {
  const inconsistent = b.flags.includes('in-use')
  return {
    node: disk.key,
    name: b.name,
    recording: b.flags.includes('auto') && !inconsistent,
    busy: false,
    persistent: true,
    inconsistent,
    count: 1,
  }
}

/**
 * Identity, length and time of the last change of the file: whoever writes to it, with locks or without, moves the
 * change time (inode(7)), and nothing sets it back.
 */
export async function fingerprint(file: string): Promise<string> {
  const { ino, size, ctimeNs } = await stat(file, { bigint: true })
  return `${ino}:${size}:${ctimeNs}`
}

/** Applies the switch to the image itself. `seed` lends the bit of the last granule. */
export async function applyBitmaps(
  vm: ImageVm,
  state: ImageState,
  actions: readonly BitmapAction[],
  signal: AbortSignal,
): Promise<void> {
  const { disk } = state
  for (const action of actions) {
    if (action.do === 'add') {
      const flags = [...(action.disabled ? ['--disable'] : []), '-g', String(GRANULARITY)]
      await bitmapProgram(vm, disk, ['--add', ...flags, '-f', disk.format, disk.file, action.name], signal)
    } else if (action.do === 'remove') await removeBitmap(vm, disk, action.name, signal)
    else await markTail(vm, state, action.target, signal)
  }
}

export async function removeBitmap(vm: ImageVm, disk: ImageDisk, name: string, signal?: AbortSignal): Promise<void> {
  await bitmapProgram(vm, disk, ['--remove', '-f', disk.format, disk.file, name], signal)
}

/**
 * Sets the last granule of a bitmap: merges it from an image of the same size in which only the last sector was ever
 * written. There is no other way to set a bit of an image that is not to be written.
 */
async function markTail(vm: ImageVm, { disk, view }: ImageState, target: string, signal: AbortSignal): Promise<void> {
  await mkdir(vm.runDir, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(vm.runDir, 'seed-'))
  const seed = join(folder, 'seed.qcow2')
  try {
    await imageProgram(vm, disk, ['create', '-q', '-f', 'qcow2', seed, String(view.size)], signal)
    await imageProgram(vm, disk, ['bitmap', '--add', '-g', String(GRANULARITY), '-f', 'qcow2', seed, 'seed'], signal)
    await runProgram('qemu-io', ['-f', 'qcow2', '-c', `write ${view.size - 512} 512`, seed], { signal })
    await bitmapProgram(
      vm,
      disk,
      ['--merge', 'seed', '-b', seed, '-F', 'qcow2', '-f', disk.format, disk.file, target],
      signal,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function bitmapProgram(
  vm: ImageVm,
  disk: ImageDisk,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ out: string }> {
  return vm.host.effects.run('program: qemu-img bitmap', () => imageProgram(vm, disk, ['bitmap', ...args], signal))
}

const meanings = [
  [/Failed to get (shared )?"[a-z ]+" lock/i, 'Busy'],
  [/No space left/i, 'CapacityExhausted'],
  [/Permission denied/i, 'AccessBlocked'],
  [/No such file/i, 'NotFound'],
  [/not in (qcow2|raw) format|Image is corrupt|is marked corrupt/i, 'ForeignState'],
] as const

async function imageProgram(
  vm: ImageVm,
  disk: ImageDisk,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ out: string }> {
  try {
    return await runProgram('qemu-img', args, signal && { signal })
  } catch (error) {
    if (!isHoldfastError(error) || error.native === undefined) throw error
    const { text } = error.native
    const code = meanings.find(([pattern]) => pattern.test(text))?.[1]
    if (code === undefined) throw error
    const message =
      code === 'Busy'
        ? `disk ${disk.key} of VM “${vm.ref.name}” (${disk.file}) is open in another process`
        : `disk ${disk.key} of VM “${vm.ref.name}”: ${text}`
    throw new HoldfastError(code, message, {
      cause: error,
      native: error.native,
      ...(code === 'Busy' && {
        hint: 'Shut the VM down, or protect it through the hypervisor that runs it.',
        retryAfter: 30_000,
      }),
    })
  }
}
