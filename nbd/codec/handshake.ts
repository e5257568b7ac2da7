import { HandshakeFlag, MAGIC, OPTION_MAGIC } from './constants.ts'
import { mismatch, readU64, writeU64 } from './bytes.ts'

/** proto.md "Newstyle negotiation": 64 bits NBDMAGIC, 64 bits IHAVEOPT, 16 bits handshake flags. */
export const GREETING_LENGTH = 18

export interface HandshakeFlags {
  readonly fixedNewstyle: boolean
  readonly noZeroes: boolean
}

export function encodeGreeting(flags: HandshakeFlags): Buffer {
  const data = Buffer.alloc(GREETING_LENGTH)
  data.writeUInt32BE(MAGIC.hi, 0)
  data.writeUInt32BE(MAGIC.lo, 4)
  data.writeUInt32BE(OPTION_MAGIC.hi, 8)
  data.writeUInt32BE(OPTION_MAGIC.lo, 12)
  data.writeUInt16BE(bits(flags), 16)
  return data
}

export function decodeGreeting(data: Buffer): HandshakeFlags {
  if (data.readUInt32BE(0) !== MAGIC.hi || data.readUInt32BE(4) !== MAGIC.lo) throw mismatch('this is no NBD server')
  if (data.readUInt32BE(8) !== OPTION_MAGIC.hi || data.readUInt32BE(12) !== OPTION_MAGIC.lo) {
    throw mismatch('the server speaks the oldstyle handshake, which has no named exports')
  }
  const flags = data.readUInt16BE(16)
  return {
    fixedNewstyle: (flags & HandshakeFlag.FIXED_NEWSTYLE) !== 0,
    noZeroes: (flags & HandshakeFlag.NO_ZEROES) !== 0,
  }
}

/** 32 bits, sent by the client after the greeting. */
export const CLIENT_FLAGS_LENGTH = 4

export function encodeClientFlags(flags: HandshakeFlags): Buffer {
  const data = Buffer.alloc(CLIENT_FLAGS_LENGTH)
  data.writeUInt32BE(bits(flags), 0)
  return data
}

/** proto.md "Client flags": the server MUST drop the connection if an unknown flag is set. */
export function decodeClientFlags(data: Buffer): HandshakeFlags {
  const flags = data.readUInt32BE(0)
  const known = HandshakeFlag.FIXED_NEWSTYLE | HandshakeFlag.NO_ZEROES
  if ((flags & ~known) !== 0) throw mismatch(`the client set unknown flags 0x${flags.toString(16)}`)
  return {
    fixedNewstyle: (flags & HandshakeFlag.FIXED_NEWSTYLE) !== 0,
    noZeroes: (flags & HandshakeFlag.NO_ZEROES) !== 0,
  }
}

/** Answer to EXPORT_NAME: 64 bits size, 16 bits transmission flags, 124 zeros unless NO_ZEROES was agreed on. */
export function exportNameReplyLength(noZeroes: boolean): number {
  return noZeroes ? 10 : 134
}

export function encodeExportNameReply(size: number, flags: number, noZeroes: boolean): Buffer {
  const data = Buffer.alloc(exportNameReplyLength(noZeroes))
  writeU64(data, size, 0)
  data.writeUInt16BE(flags, 8)
  return data
}

export function decodeExportNameReply(data: Buffer): { readonly size: number; readonly flags: number } {
  return { size: readU64(data, 0), flags: data.readUInt16BE(8) }
}

function bits(flags: HandshakeFlags): number {
  return (flags.fixedNewstyle ? HandshakeFlag.FIXED_NEWSTYLE : 0) | (flags.noZeroes ? HandshakeFlag.NO_ZEROES : 0)
}
