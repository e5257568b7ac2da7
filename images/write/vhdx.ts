import { HoldfastError, KiB, MiB, TiB, formatBytes } from '../../base/index.ts'
import { crc32c } from '../crc32c.ts'
import type { ImageSource, ImageStream } from '../types.ts'
import { guid, regions, metadata } from '../vhdx.ts'
import { blockContent, mapBlocks, zeros, type BlockMap } from './blocks.ts'

const logAt = MiB
const metadataAt = 2 * MiB
const batAt = 3 * MiB
const largest = 64 * TiB
/** Content of a block: the sectors of a chunk of blocks have one bitmap, 2^23 of them ([MS-VHDX] 2.5). */
const sectorsPerBitmap = 2 ** 23
const present = 6
const zeroed = 2

/**
 * A dynamic disk of [MS-VHDX], without a log to replay: identifier, headers, region tables, log, metadata, block
 * allocation table, blocks. Throws Unsupported above 64 TiB.
 */
export async function vhdxImage(source: ImageSource, identity: Uint8Array, signal: AbortSignal): Promise<ImageStream> {
  if (source.size > largest)
    throw new HoldfastError(
      'Unsupported',
      `a VHDX has ${formatBytes(largest)} at most, the disk has ${formatBytes(source.size)}`,
      {
        hint: 'Choose qcow2, or raw.',
      },
    )
  // Readers hold the table in memory: 8 bytes for each block.
  const blockBytes = source.size <= 4 * TiB ? MiB : 32 * MiB
  const map = await mapBlocks(source, blockBytes, signal)
  const ratio = (sectorsPerBitmap * 512) / blockBytes
  const entries = map.total + Math.floor((map.total - 1) / ratio)
  const batBytes = Math.ceil((entries * 8) / MiB) * MiB
  const size = batAt + batBytes + map.used * blockBytes
  return { size, stream: content(source, map, ratio, batBytes, identity, signal) }
}

async function* content(
  source: ImageSource,
  map: BlockMap,
  ratio: number,
  batBytes: number,
  identity: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = Buffer.alloc(MiB)
  start.write('vhdxfile', 0, 'latin1')
  start.write('Holdfast', 8, 'utf16le')
  // Two of each; of the headers the one with the higher number counts.
  start.set(header(1, identity), 64 * KiB)
  start.set(header(2, identity), 128 * KiB)
  const table = regionTable(batBytes)
  start.set(table, 192 * KiB)
  start.set(table, 256 * KiB)
  yield start
  yield* zeros(MiB) // the log
  yield metadataRegion(source.size, map.blockBytes, identity)
  yield* allocationTable(map, ratio, batBytes)
  yield* blockContent(source, map, { unit: map.blockBytes, signal })
}

/** [MS-VHDX] 2.2.2. A log without an identity has nothing to replay. */
function header(sequence: number, identity: Uint8Array): Buffer {
  const out = Buffer.alloc(4 * KiB)
  out.write('head', 0, 'latin1')
  out.writeBigUInt64LE(BigInt(sequence), 8)
  out.set(identity.subarray(0, 16), 16)
  out.set(identity.subarray(0, 16), 32)
  out.writeUInt16LE(1, 66)
  out.writeUInt32LE(MiB, 68)
  out.writeBigUInt64LE(BigInt(logAt), 72)
  out.writeUInt32LE(crc32c(out), 4)
  return out
}

/** [MS-VHDX] 2.2.3. */
function regionTable(batBytes: number): Buffer {
  const out = Buffer.alloc(64 * KiB)
  out.write('regi', 0, 'latin1')
  out.writeUInt32LE(2, 8)
  const places = [
    [regions.bat, batAt, batBytes],
    [regions.metadata, metadataAt, MiB],
  ] as const
  for (const [n, [name, offset, length]] of places.entries()) {
    const at = 16 + n * 32
    out.set(guid(name), at)
    out.writeBigUInt64LE(BigInt(offset), at + 16)
    out.writeUInt32LE(length, at + 24)
    out.writeUInt32LE(1, at + 28) // required
  }
  out.writeUInt32LE(crc32c(out), 4)
  return out
}

/** [MS-VHDX] 2.6: the table in its first 64 KiB, the items behind it. */
function metadataRegion(size: number, blockBytes: number, identity: Uint8Array): Buffer {
  const out = Buffer.alloc(MiB)
  const number = (value: number, length: 4 | 8): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    return bytes.subarray(0, length)
  }
  // 4: a reader must know it; 2: of the virtual disk, not of the file.
  const items = [
    [metadata.fileParameters, number(blockBytes, 8), 4],
    [metadata.diskSize, number(size, 8), 6],
    [metadata.diskId, Buffer.from(identity.subarray(0, 16)), 6],
    [metadata.logicalSector, number(512, 4), 6],
    [metadata.physicalSector, number(4096, 4), 6],
  ] as const
  out.write('metadata', 0, 'latin1')
  out.writeUInt16LE(items.length, 10)
  let at = 64 * KiB
  for (const [n, [name, value, flags]] of items.entries()) {
    const entry = 32 + n * 32
    out.set(guid(name), entry)
    out.writeUInt32LE(at, entry + 16)
    out.writeUInt32LE(value.length, entry + 20)
    out.writeUInt32LE(flags, entry + 24)
    out.set(value, at)
    at += value.length
  }
  return out
}

/** [MS-VHDX] 2.5: state in the low bits, the offset in MiB from bit 20; after each chunk of blocks one of its bitmap. */
function* allocationTable(map: BlockMap, ratio: number, batBytes: number): Generator<Uint8Array, void, undefined> {
  let at = (batAt + batBytes) / MiB
  for (let page = 0; page < batBytes / MiB; page += 1) {
    const out = Buffer.alloc(MiB)
    for (let n = 0; n < MiB / 8; n += 1) {
      const entry = page * (MiB / 8) + n
      const block = entry - Math.floor(entry / (ratio + 1))
      if (entry % (ratio + 1) === ratio || block >= map.total) continue
      if (map.has(block)) {
        // 20 bits up: MiB as bytes.
        out.writeBigUInt64LE(BigInt(at) * BigInt(MiB) + BigInt(present), n * 8)
        at += map.blockBytes / MiB
      } else out.writeUInt32LE(zeroed, n * 8)
    }
    yield out
  }
}
