import { HoldfastError } from '../../base/index.ts'
import { byteName, bytesOf, type ByteName } from '../names.ts'

/**
 * Messages of SFTP version 3 as OpenSSH's server speaks it (draft-ietf-secsh-filexfer-02): length (4), type (1), then for
 * all but the first two an id (4). Numbers are big-endian, strings have a length (4) before them. What comes from the
 * micro-VM is hostile: a message that breaks a rule ends the conversation.
 */
export const Type = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  LSTAT: 7,
  OPENDIR: 11,
  READDIR: 12,
  READLINK: 19,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
} as const
export const Status = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4, BAD_MESSAGE: 5 } as const

/** §5: which attributes are there. */
const Flag = { SIZE: 1, UIDGID: 2, PERMISSIONS: 4, ACMODTIME: 8, EXTENDED: 0x80000000 } as const
const S_IFMT = 0o170000
const kinds: { readonly [format: number]: FileKind } = {
  0o100000: 'file',
  0o040000: 'folder',
  0o120000: 'link',
  0o020000: 'character-device',
  0o060000: 'block-device',
  0o010000: 'fifo',
  0o140000: 'socket',
}
/** Larger messages are not made by a server that was asked for less. */
export const largestMessage = 320 * 1024

export type FileKind = 'file' | 'folder' | 'link' | 'character-device' | 'block-device' | 'fifo' | 'socket' | 'unknown'

export interface Attributes {
  readonly kind: FileKind
  /** Bytes; at most 2^53 - 1. */
  readonly size: number
  /** Permissions with set-id and sticky bits, without the kind. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch, 0 … 2^32 - 1: what version 3 can say. */
  readonly modifiedSeconds: number
}

export interface NamedAttributes extends Attributes {
  readonly name: ByteName
}

export type Reply =
  | { readonly type: 'status'; readonly code: number; readonly message: string }
  | { readonly type: 'handle'; readonly handle: Buffer }
  | { readonly type: 'data'; readonly data: Buffer }
  | { readonly type: 'names'; readonly names: readonly NamedAttributes[] }
  | { readonly type: 'attributes'; readonly attributes: Attributes }

/** A request with its length in front; `id` null only for the first message. */
export function encode(type: number, id: number | null, ...fields: readonly (Buffer | ByteName | number)[]): Buffer {
  const parts: Buffer[] = [Buffer.from([type])]
  if (id !== null) parts.push(u32(id))
  for (const field of fields) {
    if (typeof field === 'number') parts.push(u32(field))
    else {
      const bytes = typeof field === 'string' ? bytesOf(field) : field
      parts.push(u32(bytes.length), bytes)
    }
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([u32(body.length), body])
}

/** The fields of READ: its offset has 64 bits. */
export function encodeRead(id: number, handle: Buffer, offset: number, length: number): Buffer {
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(BigInt(offset))
  const body = Buffer.concat([Buffer.from([Type.READ]), u32(id), u32(handle.length), handle, at, u32(length)])
  return Buffer.concat([u32(body.length), body])
}

/** A reply behind its length; throws ProtocolMismatch. */
export function decode(message: Buffer): { readonly id: number; readonly reply: Reply } {
  const reader = new Reader(message)
  const type = reader.u8()
  const id = reader.u32()
  switch (type) {
    case Type.STATUS:
      return { id, reply: { type: 'status', code: reader.u32(), message: reader.left > 0 ? said(reader) : '' } }
    case Type.HANDLE:
      return { id, reply: { type: 'handle', handle: reader.string(256) } }
    case Type.DATA:
      return { id, reply: { type: 'data', data: reader.string(largestMessage) } }
    case Type.NAME: {
      const count = reader.u32()
      if (count > 10_000) throw broken('it names too many files at once')
      const names: NamedAttributes[] = []
      for (let n = 0; n < count; n += 1) {
        const name = byteName(reader.string(4096))
        reader.string(8192)
        names.push({ name, ...attributes(reader) })
      }
      return { id, reply: { type: 'names', names } }
    }
    case Type.ATTRS:
      return { id, reply: { type: 'attributes', attributes: attributes(reader) } }
    default:
      throw broken(`it sent a message of type ${type}`)
  }
}

/** The first reply, which has no id. */
export function decodeVersion(message: Buffer): number {
  const reader = new Reader(message)
  if (reader.u8() !== Type.VERSION) throw broken('it did not begin with its version')
  return reader.u32()
}

function attributes(reader: Reader): Attributes {
  const flags = reader.u32()
  const size = (flags & Flag.SIZE) !== 0 ? reader.u64() : 0
  const [uid, gid] = (flags & Flag.UIDGID) !== 0 ? [reader.u32(), reader.u32()] : [0, 0]
  const permissions = (flags & Flag.PERMISSIONS) !== 0 ? reader.u32() : 0
  const [, modifiedSeconds] = (flags & Flag.ACMODTIME) !== 0 ? [reader.u32(), reader.u32()] : [0, 0]
  if ((flags & Flag.EXTENDED) !== 0) {
    const count = reader.u32()
    if (count > 64) throw broken('it sent too many attributes')
    for (let n = 0; n < count * 2; n += 1) reader.string(largestMessage)
  }
  const kind = kinds[permissions & S_IFMT] ?? 'unknown'
  return { kind, size, mode: permissions & 0o7777, uid, gid, modifiedSeconds }
}

function said(reader: Reader): string {
  return reader
    .string(4096)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 200)
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#take(1).readUInt8()
  }

  u32(): number {
    return this.#take(4).readUInt32BE()
  }

  u64(): number {
    const value = this.#take(8).readBigUInt64BE()
    // A file system that says more than this lies; the file ends where its bytes do.
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value)
  }

  string(most: number): Buffer {
    const length = this.u32()
    if (length > most) throw broken('it sent a text that is too long')
    return this.#take(length)
  }

  #take(length: number): Buffer {
    if (this.left < length) throw broken('a message of it ends too soon')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function broken(what: string): HoldfastError {
  return new HoldfastError('ProtocolMismatch', `the micro-VM breaks the protocol: ${what}`, {
    hint: 'A file system in the point may have broken it; open the point again and leave that volume out.',
  })
}
