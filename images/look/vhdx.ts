import { KiB, MiB } from '../../base/index.ts'
import { crc32c } from '../crc32c.ts'
import { guid, metadata, regions } from '../vhdx.ts'
import type { ImageFile } from './file.ts'
import type { LookedAt } from './index.ts'

const hasParent = 2
/** Payload states that have a place in the file ([MS-VHDX] 2.5.1.1): fully and partially present. */
const placed = [6, 7]

/** [MS-VHDX]. */
export async function lookAtVhdx(file: ImageFile): Promise<LookedAt> {
  const header = await currentHeader(file)
  if (header.subarray(48, 64).some((byte) => byte !== 0))
    throw file.unsupported(
      'was not closed: its log has changes that are not in their places yet',
      'Shut its VM down, or let its hypervisor open and close it once.',
    )
  const places = await regionsOf(file)
  const items = await itemsOf(file, places.metadata.at)
  const parameters = items.get(guid(metadata.fileParameters).toString('hex'))
  const size = items.get(guid(metadata.diskSize).toString('hex'))
  const logical = items.get(guid(metadata.logicalSector).toString('hex'))
  if (parameters === undefined || size === undefined || logical === undefined)
    throw file.nonsense('its metadata are not whole')
  if ((parameters.readUInt32LE(4) & hasParent) !== 0)
    return { format: 'vhdx', references: ['the disk that it is a difference to'] }
  const block = parameters.readUInt32LE(0)
  if (block < MiB || block > 256 * MiB || block % MiB !== 0) throw file.nonsense(`blocks of ${block} bytes`)
  const ratio = (2 ** 23 * logical.readUInt32LE(0)) / block
  const blocks = Math.ceil(Number(size.readBigUInt64LE(0)) / block)
  const entries = blocks + Math.floor((blocks - 1) / ratio)
  if (!(entries > 0) || entries * 8 > places.bat.length) throw file.nonsense('its table is too short for its disk')
  for await (const part of file.table(places.bat.at, entries * 8, 8))
    for (let n = 0; n < part.length; n += 8) {
      const entry = part.readBigUInt64LE(n)
      const end = Number(entry >> 20n) * MiB + block
      if (placed.includes(Number(entry & 7n)) && end > file.size) throw file.cutOff(end)
    }
  return { format: 'vhdx', references: [] }
}

/** Of the two that are whole the one with the higher number. */
async function currentHeader(file: ImageFile): Promise<Buffer> {
  let best: Buffer | null = null
  for (const at of [64 * KiB, 128 * KiB]) {
    const header = await file.part(at, 4 * KiB)
    if (!isWhole(header, 'head')) continue
    if (best === null || header.readBigUInt64LE(8) > best.readBigUInt64LE(8)) best = header
  }
  if (best === null) throw file.nonsense('neither of its headers is whole')
  return best
}

function isWhole(bytes: Buffer, signature: string): boolean {
  if (bytes.toString('latin1', 0, 4) !== signature) return false
  const copy = Buffer.from(bytes)
  copy.writeUInt32LE(0, 4)
  return crc32c(copy) === bytes.readUInt32LE(4)
}

interface Place {
  readonly at: number
  readonly length: number
}

async function regionsOf(file: ImageFile): Promise<{ readonly bat: Place; readonly metadata: Place }> {
  for (const at of [192 * KiB, 256 * KiB]) {
    const table = await file.part(at, 64 * KiB)
    if (!isWhole(table, 'regi')) continue
    const found = new Map<string, Place>()
    for (let n = 0; n < Math.min(table.readUInt32LE(8), 2047); n += 1) {
      const entry = table.subarray(16 + n * 32, 48 + n * 32)
      const place = { at: Number(entry.readBigUInt64LE(16)), length: entry.readUInt32LE(24) }
      found.set(entry.toString('hex', 0, 16), place)
    }
    const [bat, meta] = [regions.bat, regions.metadata].map((name) => found.get(guid(name).toString('hex')))
    if (bat !== undefined && meta !== undefined) return { bat, metadata: meta }
  }
  throw file.nonsense('neither of its region tables is whole')
}

/** Items of the metadata by the hex of their name. */
async function itemsOf(file: ImageFile, at: number): Promise<ReadonlyMap<string, Buffer>> {
  const table = await file.part(at, 64 * KiB)
  if (table.toString('latin1', 0, 8) !== 'metadata') throw file.nonsense('its metadata are missing')
  const items = new Map<string, Buffer>()
  for (let n = 0; n < Math.min(table.readUInt16LE(10), 2047); n += 1) {
    const entry = table.subarray(32 + n * 32, 64 + n * 32)
    const [offset, length] = [entry.readUInt32LE(16), entry.readUInt32LE(20)]
    // Those that are looked at are short; a parent locator is long, and its disk is refused.
    if (length >= 4 && length <= 16)
      items.set(entry.toString('hex', 0, 16), await file.part(at + offset, Math.max(8, length)))
  }
  return items
}
