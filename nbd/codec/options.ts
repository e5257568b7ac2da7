import { Limit, OPTION_MAGIC, OPTION_REPLY_MAGIC } from './constants.ts'
import { mismatch } from './bytes.ts'

const NOTHING = Buffer.alloc(0)

/** proto.md "Newstyle negotiation": 64 bits IHAVEOPT, 32 bits option, 32 bits length, data. */
export const OPTION_HEADER_LENGTH = 16

export interface OptionHeader {
  readonly option: number
  readonly length: number
}

export function encodeOption(option: number, data: Buffer = NOTHING): Buffer {
  const header = Buffer.alloc(OPTION_HEADER_LENGTH)
  header.writeUInt32BE(OPTION_MAGIC.hi, 0)
  header.writeUInt32BE(OPTION_MAGIC.lo, 4)
  header.writeUInt32BE(option, 8)
  header.writeUInt32BE(data.length, 12)
  return Buffer.concat([header, data])
}

export function decodeOptionHeader(data: Buffer): OptionHeader {
  if (data.readUInt32BE(0) !== OPTION_MAGIC.hi || data.readUInt32BE(4) !== OPTION_MAGIC.lo) {
    throw mismatch('an option has the wrong magic number')
  }
  const header = { option: data.readUInt32BE(8), length: data.readUInt32BE(12) }
  if (header.length > Limit.OPTION) throw mismatch(`option ${header.option} has ${header.length} bytes`)
  return header
}

/** proto.md "Fixed newstyle negotiation": 64 bits magic, 32 bits option, 32 bits reply type, 32 bits length, data. */
export const OPTION_REPLY_HEADER_LENGTH = 20

export interface OptionReplyHeader {
  readonly option: number
  readonly type: number
  readonly length: number
}

export function encodeOptionReply(option: number, type: number, data: Buffer = NOTHING): Buffer {
  const header = Buffer.alloc(OPTION_REPLY_HEADER_LENGTH)
  header.writeUInt32BE(OPTION_REPLY_MAGIC.hi, 0)
  header.writeUInt32BE(OPTION_REPLY_MAGIC.lo, 4)
  header.writeUInt32BE(option, 8)
  header.writeUInt32BE(type, 12)
  header.writeUInt32BE(data.length, 16)
  return Buffer.concat([header, data])
}

export function decodeOptionReplyHeader(data: Buffer): OptionReplyHeader {
  if (data.readUInt32BE(0) !== OPTION_REPLY_MAGIC.hi || data.readUInt32BE(4) !== OPTION_REPLY_MAGIC.lo) {
    throw mismatch('an option reply has the wrong magic number')
  }
  const header = { option: data.readUInt32BE(8), type: data.readUInt32BE(12), length: data.readUInt32BE(16) }
  if (header.length > Limit.OPTION) throw mismatch(`a reply to option ${header.option} has ${header.length} bytes`)
  return header
}
