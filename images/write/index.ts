import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { ImageFormat, ImageSource, ImageStream } from '../types.ts'
import { rawImage } from './raw.ts'
import { qcow2Image } from './qcow2.ts'
import { vhdImage } from './vhd.ts'
import { vhdxImage } from './vhdx.ts'
import { vmdkImage } from './vmdk.ts'

const writers: { readonly [format in ImageFormat]: (source: ImageSource, name: ImageName) => Promise<ImageStream> } = {
  raw: (source, { signal }) => Promise.resolve(rawImage(source, signal)),
  qcow2: (source, { signal }) => qcow2Image(source, signal),
  vmdk: (source, { identity, signal }) => Promise.resolve(vmdkImage(source, identity, signal)),
  vhdx: (source, { identity, signal }) => vhdxImage(source, identity, signal),
  vhd: (source, { identity, signal }) => vhdImage(source, identity, signal),
}

interface ImageName {
  /** 16 bytes that tell this disk from every other one; the same disk gives the same image. */
  readonly identity: Uint8Array
  readonly signal: AbortSignal
}

/**
 * The disk as an image of this format, in order from its first byte to its last; holes stay holes, except in `raw`, where a
 * stream has none. Memory is bounded: one bit for each MiB of the disk, and a few blocks.
 * Throws Unsupported for a disk that the format cannot hold, InvalidRequest for one of no whole sectors.
 */
export async function streamImage(format: ImageFormat, source: ImageSource, name: ImageName): Promise<ImageStream> {
  if (source.size <= 0 || source.size % 512 !== 0)
    throw new HoldfastError('InvalidRequest', `a disk of ${source.size} bytes has no whole number of sectors`)
  return await writers[format](source, name)
}

/** Of a disk of a point: whoever exports it, the image is the same. `point`: 32 hex digits. */
export function diskIdentity(point: string, disk: string): Uint8Array {
  return createHash('sha256').update(`disk image\0${point}\0${disk}`).digest().subarray(0, 16)
}
