import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../base/index.ts'

/**
 * A name or path as the file system has it: bytes, one character each (0 … 255). On a disk a name is bytes without NUL and
 * slash, and need be no text.
 */
export type ByteName = string & { readonly __brand: 'ByteName' }

/** Controls, also C1, DEL, and what makes a line read backwards or end: what a terminal or page must never get raw. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/u

/** The text of each byte that is no part of a longer character. */
const single = Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte)
  return byte < 0x80 && !unsafe.test(text) ? text : escape(byte)
})

export function byteName(bytes: Uint8Array): ByteName {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteName
}

export function bytesOf(name: ByteName): Buffer {
  return Buffer.from(name, 'latin1')
}

/**
 * The one text of a name: its characters where they are UTF-8 and harmless, `\xHH` for each byte that is not, so also for
 * a backslash (`\x5c`). Different names have different texts, whatever their bytes.
 */
export function toText(name: ByteName): string {
  const bytes = bytesOf(name)
  // Nearly every name; the others cost a look at each byte, and a disk may be full of them.
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    if (!unsafe.test(text)) return text
  }
  let out = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterAt(bytes, at)
    const text = length === 1 ? (single[bytes[at] ?? 0] ?? '') : bytes.toString('utf8', at, at + length)
    out += length > 1 && unsafe.test(text) ? escaped(bytes.subarray(at, at + length)) : text
    at += length
  }
  return out
}

/** Reads back what `toText` wrote; throws InvalidRequest for a backslash that begins no byte. */
export function fromText(text: string): ByteName {
  const bytes: Buffer[] = []
  for (const part of text.split(/(\\x[0-9a-fA-F]{2})/)) {
    const hex = /^\\x([0-9a-fA-F]{2})$/.exec(part)?.[1]
    if (hex === undefined && part.includes('\\')) throw notName(text, 'a backslash is written as \\x5c')
    bytes.push(hex === undefined ? Buffer.from(part) : Buffer.from([Number.parseInt(hex, 16)]))
  }
  return byteName(Buffer.concat(bytes))
}

/** Segments of a path as people write it, from the root of a volume; throws InvalidRequest for what names no file. */
export function segmentsOf(path: string): readonly ByteName[] {
  if (path.length > 16_384) throw notName(`${path.slice(0, 100)}…`, 'it is too long')
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..')) throw notName(path, '“..” is nothing that is asked for')
  return segments.map((segment) => {
    const name = fromText(segment)
    if (!isPlainName(name)) throw notName(path, 'a name holds neither a slash nor NUL')
    return name
  })
}

export function pathText(segments: readonly ByteName[]): string {
  return `/${segments.map(toText).join('/')}`
}

/** What may stand between two slashes. */
export function isPlainName(name: ByteName): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)
}

/** Length of the UTF-8 character that begins here; 1: a byte by itself. */
function characterAt(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  const length = first > 0xf4 || first < 0xc2 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  const whole = length > 1 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))
  return whole ? length : 1
}

function escaped(bytes: Uint8Array): string {
  return [...bytes].map(escape).join('')
}

function escape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

function notName(path: string, why: string): HoldfastError {
  return new HoldfastError('InvalidRequest', `“${path}” is not a path in a volume: ${why}`, {
    hint: 'Write it as listed: from the first slash, bytes that are no text as \\xHH.',
  })
}

/** The name itself, of a text that `toText` wrote; null: its bytes are no UTF-8, and whoever takes texts cannot be told it. */
export function plainText(text: string): string | null {
  const bytes = bytesOf(fromText(text))
  return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : null
}
