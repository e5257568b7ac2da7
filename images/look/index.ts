import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { HoldfastError, describeError } from '../../base/index.ts'
import type { ImageFormat } from '../types.ts'
import { ImageFile } from './file.ts'
import { lookAtQcow2 } from './qcow2.ts'
import { fixedVhdFooter, lookAtVhd } from './vhd.ts'
import { lookAtVhdx } from './vhdx.ts'
import { descriptorOf, lookAtVmdk } from './vmdk.ts'

export interface LookedAt {
  readonly format: ImageFormat
  /** Other files that whoever opens the image would read, as the image names them. */
  readonly references: readonly string[]
}

export interface LookOptions {
  /** false: of a qcow2 the header alone, in no time, which does not tell that it is cut off. Default: true. */
  readonly tables?: boolean
}

/** What QEMU calls the format. */
export function qemuName(format: ImageFormat): string {
  return format === 'vhd' ? 'vpc' : format
}

/**
 * What kind of image a file is and which other files it names, from its headers and tables alone: nothing else is opened.
 * A header is written by whoever made the image, often by a guest, and must not decide which files of this host are read.
 * Throws NotFound, InvalidRequest for what is neither a file nor a device, Unsupported for formats and features that are
 * not read here, SourceReadFailed for an image that is cut off or whose tables are no tables.
 */
export async function lookAtImage(path: string, options: LookOptions = {}): Promise<LookedAt> {
  const handle = await opened(path)
  try {
    const found = await lookAt(new ImageFile(path, handle, await sizeOf(path, handle)), options.tables ?? true)
    // A guest may write such a header into its raw disk: as an image it would be another disk than the guest had.
    if (found.format !== 'raw' && extname(path).toLowerCase() === '.raw')
      throw new HoldfastError('InvalidRequest', `${path} is called raw and begins like a ${found.format} image`, {
        hint: 'If it is such an image, call it by its format. If it is a raw disk: qemu-img convert -f raw -O qcow2 FILE NEW.qcow2, and import that.',
      })
    return found
  } finally {
    await handle.close()
  }
}

async function lookAt(file: ImageFile, tables: boolean): Promise<LookedAt> {
  const start = await file.part(0, Math.min(512, file.size))
  const has = (magic: string, at = 0): boolean => start.toString('latin1', at, at + magic.length) === magic
  if (has('QFI\u00FB')) return await lookAtQcow2(file, tables)
  if (has('vhdxfile')) return await lookAtVhdx(file)
  if (has('conectix')) return await lookAtVhd(file)
  if (has('KDMV')) return await lookAtVmdk(file)
  if (has('# Disk DescriptorFile')) return descriptorOf(start.toString('latin1') + (await file.text(512, 64 * 1024)))
  const other = others.find(({ magic, at = 0 }) => has(magic, at))
  if (other !== undefined) throw notRead(file, other.name)
  if ((await fixedVhdFooter(file)) !== null) return await lookAtVhd(file)
  // Cut off at its beginning or end, or something else: as a raw disk it would be nonsense.
  const claimed = named[extname(file.path).toLowerCase()]
  if (claimed !== undefined)
    throw new HoldfastError('SourceReadFailed', `${file.path} is called ${claimed} and is none: its mark is missing`, {
      hint: 'It may be cut off: copy it again. If it is a raw disk, call it .raw.',
    })
  return { format: 'raw', references: [] }
}

const named: { readonly [ending: string]: string } = {
  ...{ '.qcow2': 'a qcow2', '.vmdk': 'a VMDK', '.vhdx': 'a VHDX', '.vhd': 'a VHD' },
}

const others = [
  { magic: 'COWD', name: 'VMFS sparse' },
  { magic: 'QED\0', name: 'QED' },
  { magic: '\u007F\u0010\u00DA\u00BE', at: 64, name: 'VirtualBox VDI' },
  { magic: 'WithoutFreeSpace', name: 'Parallels' },
  { magic: 'WithouFreSpacExt', name: 'Parallels' },
  { magic: '\u001F\u008B', name: 'gzip' },
  { magic: 'PK\u0003\u0004', name: 'zip' },
  { magic: '\u00FD7zXZ\0', name: 'xz' },
  { magic: '\u0028\u00B5\u002F\u00FD', name: 'zstd' },
] as const satisfies readonly { readonly magic: string; readonly at?: number; readonly name: string }[] as readonly {
  readonly magic: string
  readonly at?: number
  readonly name: string
}[]

function notRead(file: ImageFile, name: string): HoldfastError {
  return new HoldfastError('Unsupported', `${file.path} is a ${name} file, which is not read here`, {
    hint: `Unpack or convert it first: qemu-img convert -O qcow2 ${basename(file.path)} disk.qcow2`,
  })
}

async function opened(path: string): Promise<FileHandle> {
  try {
    // Before it is opened: a pipe would wait for its other end for ever.
    const info = await stat(path)
    if (!info.isFile() && !info.isBlockDevice())
      throw new HoldfastError('InvalidRequest', `${path} is neither a file nor a block device`)
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'NotFound' : 'SourceReadFailed',
      `${path} cannot be read: ${describeError(error)}`,
      { cause: error },
    )
  }
}

/** Of a device it is not asked for: only formats that know their own size need it. */
async function sizeOf(path: string, handle: FileHandle): Promise<number> {
  const info = await handle.stat()
  if (info.isFile()) return info.size
  const { bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0)
  if (bytesRead === 512) return Number.MAX_SAFE_INTEGER
  throw new HoldfastError('SourceReadFailed', `${path} cannot be read: it has no first sector`)
}
