import { HoldfastError } from '../../base/index.ts'
import { Limit } from './constants.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function mismatch(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ProtocolMismatch', `NBD: ${message}`, cause === undefined ? {} : { cause })
}

/** All integers of the protocol are big-endian. Values above 2^53−1 are refused: no offset of ours reaches there. */
export function readU64(data: Buffer, at: number): number {
  const value = data.readUInt32BE(at) * 0x1_0000_0000 + data.readUInt32BE(at + 4)
  if (!Number.isSafeInteger(value)) throw mismatch('a 64-bit number is beyond 2^53')
  return value
}

export function writeU64(data: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned 53-bit number: ${value}`)
  data.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at)
  data.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}

/** proto.md "Conventions": UTF-8, no NUL, at most 4096 bytes. */
export function decodeString(data: Buffer, what: string): string {
  if (data.length > Limit.STRING) throw mismatch(`${what} has ${data.length} bytes, more than ${Limit.STRING}`)
  if (data.includes(0)) throw mismatch(`${what} contains a NUL`)
  try {
    return decoder.decode(data)
  } catch (cause) {
    throw mismatch(`${what} is not UTF-8`, cause)
  }
}

/** For texts that only people read: never refused, cut instead. */
export function decodeText(data: Buffer): string {
  return data
    .subarray(0, Limit.STRING)
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
}

export function encodeString(text: string, what: string): Buffer {
  const data = Buffer.from(text, 'utf8')
  if (data.length > Limit.STRING || data.includes(0)) {
    throw new HoldfastError('InvalidRequest', `NBD: ${what} has ${data.length} bytes or contains a NUL`, {
      hint: `Use at most ${Limit.STRING} bytes of text.`,
    })
  }
  return data
}

/** At most `limit` bytes of UTF-8, never cut inside a character. */
export function encodeText(text: string, limit: number): Buffer {
  const data = Buffer.from(text.replaceAll('\0', ' '), 'utf8')
  if (data.length <= limit) return data
  let end = limit
  while (end > 0 && ((data[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return data.subarray(0, end)
}

/** Reads fields one after another; running over the end is the peer's fault. */
export class Fields {
  readonly #data: Buffer
  readonly #what: string
  #at = 0

  constructor(data: Buffer, what: string) {
    this.#data = data
    this.#what = what
  }

  u16(): number {
    return this.take(2).readUInt16BE(0)
  }
  u32(): number {
    return this.take(4).readUInt32BE(0)
  }
  u64(): number {
    return readU64(this.take(8), 0)
  }
  string(length: number, what: string): string {
    return decodeString(this.take(length), what)
  }
  rest(): Buffer {
    return this.take(this.#data.length - this.#at)
  }
  take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#data.length) throw mismatch(`${this.#what} is truncated`)
    const out = this.#data.subarray(this.#at, end)
    this.#at = end
    return out
  }
  end(): void {
    if (this.#at !== this.#data.length) throw mismatch(`${this.#what} is longer than its content`)
  }
}
