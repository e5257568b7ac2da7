import { Limit, ReplyFlag, ReplyType, SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC } from './constants.ts'
import { decodeText, encodeText, Fields, mismatch, writeU64 } from './bytes.ts'
import type { Handle } from './requests.ts'

/** proto.md "Simple reply message": 32 bits magic, 32 error, 64 handle. */
export const SIMPLE_REPLY_LENGTH = 16
/** proto.md "Structured reply chunk message": 32 bits magic, 16 flags, 16 type, 64 handle, 32 length. */
export const CHUNK_HEADER_LENGTH = 20

export function encodeSimpleReply(handle: Handle, error: number): Buffer {
  const data = Buffer.allocUnsafe(SIMPLE_REPLY_LENGTH)
  data.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0)
  data.writeUInt32BE(error, 4)
  data.writeUInt32BE(handle.hi, 8)
  data.writeUInt32BE(handle.lo, 12)
  return data
}

/** The header alone; `length` payload bytes must follow. */
export function encodeChunkHeader(handle: Handle, type: number, done: boolean, length: number): Buffer {
  return startChunk(handle, type, done, length, CHUNK_HEADER_LENGTH)
}

/** Header of OFFSET_DATA with its offset; `length` data bytes must follow. */
export function encodeDataChunkHeader(handle: Handle, done: boolean, offset: number, length: number): Buffer {
  const data = startChunk(handle, ReplyType.OFFSET_DATA, done, 8 + length, CHUNK_HEADER_LENGTH + 8)
  writeU64(data, offset, CHUNK_HEADER_LENGTH)
  return data
}

export function encodeHoleChunk(handle: Handle, done: boolean, offset: number, length: number): Buffer {
  const data = startChunk(handle, ReplyType.OFFSET_HOLE, done, 12, CHUNK_HEADER_LENGTH + 12)
  writeU64(data, offset, CHUNK_HEADER_LENGTH)
  data.writeUInt32BE(length, CHUNK_HEADER_LENGTH + 8)
  return data
}

export interface StatusDescriptor {
  readonly length: number
  readonly flags: number
}

export function encodeStatusChunk(
  handle: Handle,
  done: boolean,
  contextId: number,
  list: readonly StatusDescriptor[],
): Buffer {
  const length = 4 + 8 * list.length
  const data = startChunk(handle, ReplyType.BLOCK_STATUS, done, length, CHUNK_HEADER_LENGTH + length)
  data.writeUInt32BE(contextId, CHUNK_HEADER_LENGTH)
  list.forEach((item, index) => {
    data.writeUInt32BE(item.length, CHUNK_HEADER_LENGTH + 4 + 8 * index)
    data.writeUInt32BE(item.flags, CHUNK_HEADER_LENGTH + 8 + 8 * index)
  })
  return data
}

/** ERROR, the last chunk of its reply. */
export function encodeErrorChunk(handle: Handle, error: number, message: string): Buffer {
  const text = encodeText(message, Limit.STRING)
  const length = 6 + text.length
  const data = startChunk(handle, ReplyType.ERROR, true, length, CHUNK_HEADER_LENGTH + length)
  data.writeUInt32BE(error, CHUNK_HEADER_LENGTH)
  data.writeUInt16BE(text.length, CHUNK_HEADER_LENGTH + 4)
  text.copy(data, CHUNK_HEADER_LENGTH + 6)
  return data
}

/** Payload of BLOCK_STATUS: 32 bits context id, then 32 bits length and 32 bits flags each. */
export function decodeStatusPayload(payload: Buffer): {
  readonly contextId: number
  readonly list: StatusDescriptor[]
} {
  if (payload.length < 12 || payload.length % 8 !== 4)
    throw mismatch(`a block status chunk has ${payload.length} bytes`)
  const list: StatusDescriptor[] = []
  for (let at = 4; at < payload.length && list.length < Limit.STATUS_EXTENTS; at += 8) {
    const length = payload.readUInt32BE(at)
    if (length === 0) throw mismatch('a block status descriptor is empty')
    list.push({ length, flags: payload.readUInt32BE(at + 4) })
  }
  return { contextId: payload.readUInt32BE(0), list }
}

/** Payload of every error chunk: 32 bits error, 16 bits length of message, message; what follows depends on the type. */
export interface ErrorPayload {
  readonly error: number
  readonly message: string
  /** ERROR_OFFSET only. */
  readonly offset: number | null
}

export function decodeErrorPayload(type: number, payload: Buffer): ErrorPayload {
  const fields = new Fields(payload, 'an error chunk')
  const error = fields.u32()
  const message = decodeText(fields.take(fields.u16()))
  if (error === 0) throw mismatch('an error chunk says that there is no error')
  const offset = type === ReplyType.ERROR_OFFSET ? fields.u64() : null
  return { error, message, offset }
}

function startChunk(handle: Handle, type: number, done: boolean, length: number, allocate: number): Buffer {
  const data = Buffer.allocUnsafe(allocate)
  data.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0)
  data.writeUInt16BE(done ? ReplyFlag.DONE : 0, 4)
  data.writeUInt16BE(type, 6)
  data.writeUInt32BE(handle.hi, 8)
  data.writeUInt32BE(handle.lo, 12)
  data.writeUInt32BE(length, 16)
  return data
}
