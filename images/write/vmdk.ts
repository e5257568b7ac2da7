import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { GiB, HoldfastError, KiB, formatBytes } from '../../base/index.ts'
import type { ImageSource, ImageStream } from '../types.ts'

const sector = 512
const grain = 64 * KiB
const perTable = 512
const tableBytes = perTable * 4
/** Sectors of the header and the descriptor; the first grain begins behind them. */
const overhead = 128
/** Its offsets are sectors of 32 bits, and a grain that does not compress takes 129 of them for its 128. */
const largest = 2030 * GiB
/** Compressed at the same time. */
const atOnce = 16
const compress = promisify(deflate)

const markers = { end: 0, table: 1, directory: 2, footer: 3 } as const

/**
 * A stream-optimised VMDK (VMware, Virtual Disk Format 5.0): grains of 64 KiB, each compressed behind a marker; the tables
 * follow what they tell, and the last sectors say where the directory is. Grains of zeros are left out.
 * Throws Unsupported above 2030 GiB: its offsets have 32 bits.
 */
export function vmdkImage(source: ImageSource, identity: Uint8Array, signal: AbortSignal): ImageStream {
  if (source.size > largest)
    throw new HoldfastError(
      'Unsupported',
      `a stream-optimised VMDK has ${formatBytes(largest)} at most, the disk has ${formatBytes(source.size)}`,
      {
        hint: 'Choose qcow2, or raw.',
      },
    )
  return { size: null, stream: content(source, identity, signal) }
}

async function* content(
  source: ImageSource,
  identity: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sectors = source.size / sector
  const head = Buffer.alloc(overhead * sector)
  head.set(header(sectors, null))
  head.write(descriptor(sectors, identity), sector, 'latin1')
  yield head
  let at = overhead
  const directory = Buffer.alloc(Math.ceil((Math.ceil(source.size / grain / perTable) * 4) / sector) * sector)
  let table = Buffer.alloc(tableBytes)
  let current = -1
  const closeTable = function* (): Generator<Uint8Array, void, undefined> {
    if (current < 0 || table.every((byte) => byte === 0)) return
    directory.writeUInt32LE(at + 1, current * 4)
    yield marker(tableBytes / sector, markers.table)
    yield table
    at += 1 + tableBytes / sector
    table = Buffer.alloc(tableBytes)
  }
  for await (const grains of batches(grainsOf(source, signal))) {
    const packed = await Promise.all(grains.map(({ data }) => compress(data, { level: 3 })))
    for (const [n, { index }] of grains.entries()) {
      const of = Math.floor(index / perTable)
      if (of !== current) {
        yield* closeTable()
        current = of
      }
      const data = packed[n] ?? Buffer.alloc(0)
      const out = Buffer.alloc(Math.ceil((12 + data.length) / sector) * sector)
      out.writeBigUInt64LE(BigInt(index * (grain / sector)), 0)
      out.writeUInt32LE(data.length, 8)
      out.set(data, 12)
      table.writeUInt32LE(at, (index % perTable) * 4)
      at += out.length / sector
      yield out
    }
  }
  yield* closeTable()
  yield marker(directory.length / sector, markers.directory)
  yield directory
  const directoryAt = at + 1
  yield marker(1, markers.footer)
  yield header(sectors, directoryAt)
  yield marker(0, markers.end)
}

interface Grain {
  readonly index: number
  readonly data: Buffer
}

/** In ascending order, filled up with zeros; those without content are left out. */
async function* grainsOf(source: ImageSource, signal: AbortSignal): AsyncGenerator<Grain, void, undefined> {
  let open: Grain | null = null
  for await (const { offset, data } of source.stream(signal)) {
    for (let done = 0; done < data.byteLength;) {
      const at = offset + done
      const index = Math.floor(at / grain)
      if (open !== null && open.index !== index) {
        if (hasContent(open)) yield open
        open = null
      }
      open ??= { index, data: Buffer.alloc(grain) }
      const piece = data.subarray(done, done + Math.min(data.byteLength - done, (index + 1) * grain - at))
      open.data.set(piece, at - index * grain)
      done += piece.byteLength
    }
  }
  if (open !== null && hasContent(open)) yield open
}

const nothing = Buffer.alloc(grain)

function hasContent({ data }: Grain): boolean {
  return !data.equals(nothing)
}

async function* batches(grains: AsyncIterable<Grain>): AsyncGenerator<readonly Grain[], void, undefined> {
  let batch: Grain[] = []
  for await (const one of grains) {
    batch.push(one)
    if (batch.length < atOnce) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** “Hosted sparse extent header”; null: the footer, which is the same header, says where the directory is. */
function header(sectors: number, directoryAt: number | null): Buffer {
  const out = Buffer.alloc(sector)
  out.write('KDMV', 0, 'latin1')
  out.writeUInt32LE(3, 4)
  out.writeUInt32LE(0x3_0001, 8) // line ends are tested, grains are compressed, there are markers
  out.writeBigUInt64LE(BigInt(sectors), 12)
  out.writeBigUInt64LE(BigInt(grain / sector), 20)
  out.writeBigUInt64LE(1n, 28)
  out.writeBigUInt64LE(BigInt(overhead - 1), 36)
  out.writeUInt32LE(perTable, 44)
  out.writeBigUInt64LE(directoryAt === null ? 0xffff_ffff_ffff_ffffn : BigInt(directoryAt), 56)
  out.writeBigUInt64LE(BigInt(overhead), 64)
  out.write('\n \r\n', 73, 'latin1')
  out.writeUInt16LE(1, 77) // deflate
  return out
}

function descriptor(sectors: number, identity: Uint8Array): string {
  const cid = Buffer.from(identity.subarray(0, 4)).toString('hex')
  const cylinders = Math.min(65_535, Math.ceil(sectors / (255 * 63)))
  return [
    '# Disk DescriptorFile',
    'version=1',
    // ffffffff would say that there is none.
    `CID=${cid === 'ffffffff' ? 'fffffffe' : cid}`,
    'parentCID=ffffffff',
    'createType="streamOptimized"',
    '',
    '# Extent description',
    `RW ${sectors} SPARSE "disk.vmdk"`,
    '',
    '# The Disk Data Base',
    '#DDB',
    'ddb.virtualHWVersion = "4"',
    `ddb.geometry.cylinders = "${cylinders}"`,
    'ddb.geometry.heads = "255"',
    'ddb.geometry.sectors = "63"',
    'ddb.adapterType = "lsilogic"',
    '',
  ].join('\n')
}

function marker(sectors: number, type: number): Buffer {
  const out = Buffer.alloc(sector)
  out.writeBigUInt64LE(BigInt(sectors), 0)
  out.writeUInt32LE(type, 12)
  return out
}
