import { REQUEST_MAGIC } from './constants.ts'
import { mismatch, readU64, writeU64 } from './bytes.ts'

/** proto.md "Request message": 32 bits magic, 16 flags, 16 type, 64 handle, 64 offset, 32 length. */
export const REQUEST_LENGTH = 28

export interface RequestHeader {
  readonly flags: number
  readonly command: number
  /** Two halves, so that a server gives back every handle bit for bit. */
  readonly handle: Handle
  readonly offset: number
  readonly length: number
}

export interface Handle {
  readonly hi: number
  readonly lo: number
}

export function encodeRequest(request: RequestHeader): Buffer {
  const data = Buffer.allocUnsafe(REQUEST_LENGTH)
  data.writeUInt32BE(REQUEST_MAGIC, 0)
  data.writeUInt16BE(request.flags, 4)
  data.writeUInt16BE(request.command, 6)
  data.writeUInt32BE(request.handle.hi, 8)
  data.writeUInt32BE(request.handle.lo, 12)
  writeU64(data, request.offset, 16)
  data.writeUInt32BE(request.length, 24)
  return data
}

/** An offset beyond 2^53 comes out as Infinity: outside every export, but the frame is sound and gets its EINVAL. */
export function decodeRequest(data: Buffer): RequestHeader {
  if (data.readUInt32BE(0) !== REQUEST_MAGIC) throw mismatch('a request has the wrong magic number')
  return {
    flags: data.readUInt16BE(4),
    command: data.readUInt16BE(6),
    handle: { hi: data.readUInt32BE(8), lo: data.readUInt32BE(12) },
    offset: data.readUInt32BE(16) < 0x20_0000 ? readU64(data, 16) : Infinity,
    length: data.readUInt32BE(24),
  }
}
