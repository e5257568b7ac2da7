import { GiB, HoldfastError, MiB, formatBytes } from '../../base/index.ts'
import type { ImageSource, ImageStream } from '../types.ts'
import { blockContent, mapBlocks, type BlockMap } from './blocks.ts'

const sector = 512
const blockBytes = 2 * MiB
/** One bit for each sector of a block: all of it is content. */
const bitmap = Buffer.alloc(blockBytes / sector / 8, 0xff)
const tableAt = sector + 1024
const unused = 0xffff_ffff
const largest = 2040 * GiB

/**
 * A dynamic disk (Microsoft, Virtual Hard Disk Image Format Specification 1.0): copy of the footer, header, block
 * allocation table, blocks, footer. Throws Unsupported above 2040 GiB.
 */
export async function vhdImage(source: ImageSource, identity: Uint8Array, signal: AbortSignal): Promise<ImageStream> {
  if (source.size > largest)
    throw new HoldfastError(
      'Unsupported',
      `a VHD has ${formatBytes(largest)} at most, the disk has ${formatBytes(source.size)}`,
      {
        hint: 'Choose vhdx, or qcow2.',
      },
    )
  const map = await mapBlocks(source, blockBytes, signal)
  const tableBytes = Math.ceil((map.total * 4) / sector) * sector
  const size = tableAt + tableBytes + map.used * (bitmap.length + blockBytes) + sector
  return { size, stream: content(source, map, tableBytes, identity, signal) }
}

async function* content(
  source: ImageSource,
  map: BlockMap,
  tableBytes: number,
  identity: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const foot = footer(source.size, identity)
  yield foot
  yield header(map.total)
  const table = Buffer.alloc(tableBytes, 0xff)
  let at = (tableAt + tableBytes) / sector
  for (let block = 0; block < map.total; block += 1) {
    table.writeUInt32BE(map.has(block) ? at : unused, block * 4)
    if (map.has(block)) at += (bitmap.length + blockBytes) / sector
  }
  yield table
  yield* blockContent(source, map, { unit: blockBytes, before: bitmap, signal })
  yield foot
}

/** “Hard Disk Footer Format”. */
function footer(size: number, identity: Uint8Array): Buffer {
  const out = Buffer.alloc(sector)
  out.write('conectix', 0, 'latin1')
  out.writeUInt32BE(2, 8) // features: reserved, always set
  out.writeUInt32BE(0x0001_0000, 12)
  out.writeBigUInt64BE(BigInt(sector), 16) // where the header is
  // Readers take the size from the geometry, which rounds it, unless the creator is one that states it exactly.
  out.write('qem2', 28, 'latin1')
  out.writeUInt32BE(0x0005_0003, 32)
  out.write('Wi2k', 36, 'latin1')
  out.writeBigUInt64BE(BigInt(size), 40)
  out.writeBigUInt64BE(BigInt(size), 48)
  const { cylinders, heads, sectorsPerTrack } = geometry(size / sector)
  out.writeUInt16BE(cylinders, 56)
  out.writeUInt8(heads, 58)
  out.writeUInt8(sectorsPerTrack, 59)
  out.writeUInt32BE(3, 60) // dynamic
  out.set(identity.subarray(0, 16), 68)
  out.writeUInt32BE(checksum(out), 64)
  return out
}

/** “Dynamic Disk Header Format”. */
function header(blocks: number): Buffer {
  const out = Buffer.alloc(1024)
  out.write('cxsparse', 0, 'latin1')
  out.fill(0xff, 8, 16)
  out.writeBigUInt64BE(BigInt(tableAt), 16)
  out.writeUInt32BE(0x0001_0000, 24)
  out.writeUInt32BE(blocks, 28)
  out.writeUInt32BE(blockBytes, 32)
  out.writeUInt32BE(checksum(out), 36)
  return out
}

/** One’s complement of the sum of all bytes, the checksum itself left out (it is zero here). */
function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum += byte
  return ~sum >>> 0
}

/** Appendix “CHS Calculation”. */
function geometry(sectors: number): { cylinders: number; heads: number; sectorsPerTrack: number } {
  const total = Math.min(sectors, 65_535 * 16 * 255)
  let [sectorsPerTrack, heads] = [17, 0]
  let tracks = Math.floor(total / 17)
  if (total >= 65_535 * 16 * 63) {
    ;[sectorsPerTrack, heads] = [255, 16]
    tracks = Math.floor(total / 255)
  } else {
    heads = Math.max(4, Math.floor((tracks + 1023) / 1024))
    if (tracks >= heads * 1024 || heads > 16) {
      ;[sectorsPerTrack, heads] = [31, 16]
      tracks = Math.floor(total / 31)
    }
    if (tracks >= heads * 1024) {
      ;[sectorsPerTrack, heads] = [63, 16]
      tracks = Math.floor(total / 63)
    }
  }
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack }
}
