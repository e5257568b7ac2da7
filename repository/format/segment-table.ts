import { bounds } from './bounds.ts'
import { fromHex } from './bytes.ts'
import type { BlobType } from './blob.ts'
import { demand, formatError, unsupported } from './errors.ts'
import { checkPackSize, PACK_HEADER } from './pack.ts'

export const SEGMENT_ENTRY = 48
export const SEGMENT_PACK = 40
/** Pack table flag bit 0: meta pack. */
export const SEGMENT_META = 1

/** Where one blob is, in a segment. */
export interface SegmentEntry {
  readonly id: Uint8Array
  /** Index into the pack table. */
  readonly packOrd: number
  readonly off: number
  readonly clen: number
  readonly slot: number
  readonly type: BlobType
}

export interface SegmentPack {
  /** 64 hex digits. */
  readonly sha: string
  /** Bytes of the pack. */
  readonly size: number
  /** Days since 1970-01-01, a lower bound; 0 if not locked. */
  readonly lockUntilDay: number
  readonly meta: boolean
}

/** §4.6, entry, 48 bytes, at byte `at`. */
export function readSegmentEntry(from: Buffer, at: number): SegmentEntry {
  const flags = from.readUInt16LE(at + 46)
  const type = flags & 15
  if (flags !== type || type < 1 || type > 3) throw unsupported('segment entry', `flags 0x${flags.toString(16)}`)
  const entry = {
    id: from.subarray(at, at + 32),
    packOrd: from.readUInt32LE(at + 32),
    off: from.readUInt32LE(at + 36),
    clen: from.readUInt32LE(at + 40),
    slot: from.readUInt16LE(at + 44),
    type: type as BlobType,
  }
  const { off, clen, slot } = entry
  if (slot >= bounds.pack.blobs || off < PACK_HEADER || clen < bounds.blob.clenMin || clen > bounds.blob.ulen + 48) {
    throw formatError('segment entry', 'location is out of bounds')
  }
  return entry
}

export function writeSegmentEntry(into: Buffer, at: number, entry: SegmentEntry): void {
  demand(entry.id.length === 32, 'segment entry', 'the id has not 32 bytes')
  into.set(entry.id, at)
  into.writeUInt32LE(entry.packOrd, at + 32)
  into.writeUInt32LE(entry.off, at + 36)
  into.writeUInt32LE(entry.clen, at + 40)
  into.writeUInt16LE(entry.slot, at + 44)
  into.writeUInt16LE(entry.type, at + 46)
}

/** §4.6, pack table entry, 40 bytes, at byte `at`. */
export function readSegmentPack(from: Buffer, at: number): SegmentPack {
  return { sha: from.toString('hex', at, at + 32), ...readPackFacts(from, at) }
}

export function readPackFacts(from: Buffer, at: number): Omit<SegmentPack, 'sha'> {
  const flags = from.readUInt16LE(at + 38)
  if ((flags & ~SEGMENT_META) !== 0) throw unsupported('segment pack table', `flags 0x${flags.toString(16)}`)
  const size = from.readUInt32LE(at + 32)
  checkPackSize(size)
  return { size, lockUntilDay: from.readUInt16LE(at + 36), meta: flags === SEGMENT_META }
}

export function writeSegmentPack(into: Buffer, at: number, pack: SegmentPack): void {
  into.set(fromHex(pack.sha, 32, 'pack name'), at)
  into.writeUInt32LE(pack.size, at + 32)
  into.writeUInt16LE(pack.lockUntilDay, at + 36)
  into.writeUInt16LE(pack.meta ? SEGMENT_META : 0, at + 38)
}

/** Order of two entries by (id, packOrd). One pack may hold a blob twice: both are listed. */
export function entryOrder(from: Buffer, a: number, b: number): number {
  return from.compare(from, b, b + 32, a, a + 32) || from.readUInt32LE(a + 32) - from.readUInt32LE(b + 32)
}
