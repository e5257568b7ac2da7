import { crc32 } from './crc.ts'
import { buffer, fromHex, isZero, readU64, writeU64 } from './bytes.ts'
import { formatError, unsupported } from './errors.ts'

/** One field of a fixed-size record: where it lies and how it is read and written. */
export interface Field<T> {
  read(from: Buffer, what: string): T
  write(into: Buffer, value: T, what: string): void
}

export const u8 = (at: number): Field<number> => ({
  read: (from) => from.readUInt8(at),
  write: (into, value) => void into.writeUInt8(value, at),
})
export const u16 = (at: number): Field<number> => ({
  read: (from) => from.readUInt16LE(at),
  write: (into, value) => void into.writeUInt16LE(value, at),
})
export const u32 = (at: number): Field<number> => ({
  read: (from) => from.readUInt32LE(at),
  write: (into, value) => void into.writeUInt32LE(value, at),
})
/** Below 2^53 (§4.1). */
export const u64 = (at: number): Field<number> => ({
  read: (from, what) => readU64(from, at, what),
  write: (into, value) => writeU64(into, at, value),
})
/** Bytes as they stand. */
export const raw = (at: number, size: number): Field<Uint8Array> => ({
  read: (from) => from.subarray(at, at + size),
  write: (into, value, what) => {
    if (value.length !== size)
      throw formatError(what, `field at byte ${at} has ${value.length} bytes instead of ${size}`)
    into.set(value, at)
  },
})
/** Bytes that the program handles as lower-case hex: UUIDs, hashes, series. */
export const hex = (at: number, size: number): Field<string> => ({
  read: (from) => from.toString('hex', at, at + size),
  write: (into, value, what) => void into.set(fromHex(value, size, what), at),
})

type Fields = { readonly [name: string]: Field<never> | Field<number> | Field<Uint8Array> | Field<string> }
export type RecordOf<F extends Fields> = { readonly [N in keyof F]: F[N] extends Field<infer T> ? T : never }

export interface RecordSpec<F extends Fields> {
  /** What it is, for messages. */
  readonly what: string
  readonly size: number
  /** Latin-1; stands at byte 0. */
  readonly magic: string
  /** Offset of the CRC over all bytes before it. */
  readonly crcAt?: number
  /** u16 (or u8) that is 1. */
  readonly version?: { readonly at: number; readonly bytes: 1 | 2 }
  /** Flags and the bits of them that R1 defines; without it they are one of `fields`. */
  readonly flags?: { readonly at: number; readonly bytes: 1 | 2; readonly known: number }
  /** [offset, size] of bytes that are zero. */
  readonly reserved?: readonly (readonly [number, number])[]
  readonly fields: F
}

/** Decoder and encoder of one fixed-size record. */
export interface RecordCodec<T> {
  readonly size: number
  /** Of the first `size` bytes. Order of checks as in §4.1: magic, CRC, then version, flags and reserved fields. */
  decode(bytes: Uint8Array): T
  encode(value: T): Buffer
}

export function record<F extends Fields>(spec: RecordSpec<F>): RecordCodec<RecordOf<F>> {
  const { what, size, magic, crcAt, version, flags, reserved = [] } = spec
  const magicBytes = Buffer.from(magic, 'latin1')
  const fields = Object.entries(spec.fields) as [string, Field<unknown>][]
  return {
    size,
    decode(bytes) {
      if (bytes.length < size) throw formatError(what, `${bytes.length} bytes, at least ${size} are needed`)
      const from = buffer(bytes).subarray(0, size)
      if (!from.subarray(0, magicBytes.length).equals(magicBytes)) throw formatError(what, 'wrong magic')
      if (crcAt !== undefined && crc32(from.subarray(0, crcAt)) !== from.readUInt32LE(crcAt)) {
        throw formatError(what, 'header CRC differs')
      }
      if (version !== undefined) {
        const found = from.readUIntLE(version.at, version.bytes)
        if (found !== 1) throw unsupported(what, `version ${found}`)
      }
      if (flags !== undefined) {
        const found = from.readUIntLE(flags.at, flags.bytes)
        if ((found & ~flags.known) !== 0) throw unsupported(what, `flags 0x${found.toString(16)}`)
      }
      for (const [at, length] of reserved) {
        if (!isZero(from.subarray(at, at + length))) throw unsupported(what, `reserved bytes at ${at} are not zero`)
      }
      const out: { [name: string]: unknown } = {}
      for (const [name, field] of fields) out[name] = field.read(from, what)
      return out as RecordOf<F>
    },
    encode(value) {
      const into = Buffer.alloc(size)
      into.set(magicBytes, 0)
      if (version !== undefined) into.writeUIntLE(1, version.at, version.bytes)
      for (const [name, field] of fields) field.write(into, (value as { [name: string]: unknown })[name], what)
      if (flags !== undefined && (into.readUIntLE(flags.at, flags.bytes) & ~flags.known) !== 0) {
        throw formatError(what, 'an undefined flag is set')
      }
      if (crcAt !== undefined) into.writeUInt32LE(crc32(into.subarray(0, crcAt)), crcAt)
      return into
    },
  }
}
