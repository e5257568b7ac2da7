import { formatError } from './errors.ts'

/** A Buffer over the same memory: no copy. */
export function buffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Gives large memory back at once: it lies outside the heap, where the collector notices it too late and then looks
 * through the heap for it. Nobody else may have a part of it.
 */
export function free(bytes: Uint8Array): void {
  const whole = bytes.buffer
  // A short frame has as much memory behind it as a long one; what is not longer than Node's pool may be shared with others.
  if (whole instanceof ArrayBuffer && whole.byteLength >= 64 * 1024 && whole.byteLength > Buffer.poolSize)
    whole.transfer(0)
}

/** A view that throws a format error, not a RangeError, where the bytes end too early. */
export function slice(bytes: Uint8Array, from: number, length: number, what: string): Buffer {
  if (from < 0 || length < 0 || from + length > bytes.length) {
    throw formatError(what, `ends at byte ${bytes.length}, expected ${from + length}`)
  }
  return buffer(bytes).subarray(from, from + length)
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

/** §4.1: u64 values are below 2^53; a decoder rejects larger ones. */
export function readU64(from: Buffer, at: number, what: string): number {
  const value = from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at)
  if (!Number.isSafeInteger(value)) throw formatError(what, `64-bit value at byte ${at} is not below 2^53`)
  return value
}

export function writeU64(into: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a u64 below 2^53: ${value}`)
  into.writeUInt32LE(value % 2 ** 32, at)
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}

export function toHex(bytes: Uint8Array): string {
  return buffer(bytes).toString('hex')
}

/** Exactly `size` bytes from lower-case hex. */
export function fromHex(text: string, size: number, what: string): Buffer {
  if (!isHex(text, size)) throw formatError(what, `not ${size * 2} lower-case hex digits`)
  return Buffer.from(text, 'hex')
}

/** Whether `text` is `size` bytes in lower-case hex. */
export function isHex(text: string, size: number): boolean {
  return text.length === size * 2 && /^[0-9a-f]*$/.test(text)
}

export function toBase64url(bytes: Uint8Array): string {
  return buffer(bytes).toString('base64url')
}

/** §4.1: base64url without padding, unused bits zero: exactly one text per byte string. */
export function fromBase64url(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw formatError(what, 'not canonical base64url')
  return bytes
}

/** Throws unless the `size`-byte records are in strictly ascending byte order (sorted, no duplicates). */
export function demandAscending(records: Buffer, size: number, what: string): void {
  for (let at = size; at < records.length; at += size) {
    if (records.compare(records, at - size, at, at, at + size) <= 0) {
      throw formatError(what, `record ${at / size} is out of order or a duplicate`)
    }
  }
}

/** Joins 32-byte names given in hex into a table. */
export function packTable(names: readonly string[], what: string): Buffer {
  return Buffer.concat(names.map((name) => fromHex(name, 32, what)))
}

/** Splits a table of 32-byte names, which must be sorted and without duplicates. */
export function readPackTable(table: Buffer, what: string): string[] {
  demandAscending(table, 32, what)
  const names: string[] = []
  for (let at = 0; at < table.length; at += 32) names.push(table.toString('hex', at, at + 32))
  return names
}
