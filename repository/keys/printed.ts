import { HoldfastError } from '../../base/index.ts'
import { crc32 } from '../format/index.ts'

/** §5.4: secrets that are printed. `bytes` is the length of what is in them, without the CRC. */
export const printedKinds = {
  recovery: { prefix: 'HFR1', bytes: 32, what: 'a recovery key' },
  share: { prefix: 'HFS1', bytes: 54, what: 'a share of a key' },
  escrowPrivate: { prefix: 'HFE1', bytes: 32, what: 'a private escrow key' },
  escrowPublic: { prefix: 'HFP1', bytes: 32, what: 'a public escrow key' },
} as const
export type PrintedKind = keyof typeof printedKinds

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `HFx1-` and base32 (RFC 4648, no padding) of `bytes ‖ crc32(bytes)` big-endian, in groups of four. */
export function encodePrinted(kind: PrintedKind, bytes: Uint8Array): string {
  const { prefix, bytes: length, what } = printedKinds[kind]
  if (bytes.length !== length) throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(bytes))
  const groups = toBase32(Buffer.concat([bytes, crc])).match(/.{1,4}/g) ?? []
  return [prefix, ...groups].join('-')
}

/** The bytes; case, blanks and separators do not matter. Throws WrongSecret for anything with a typing mistake. */
export function parsePrinted(kind: PrintedKind, text: string): Buffer {
  const { prefix, bytes: length, what } = printedKinds[kind]
  const upper = text.toUpperCase().trimStart()
  const other = Object.values(printedKinds).find((item) => item.prefix !== prefix && upper.startsWith(item.prefix))
  if (other !== undefined) throw invalid(what, `it begins like ${other.what}`)
  const characters = (upper.startsWith(prefix) ? upper.slice(prefix.length) : upper).replace(/[^A-Z2-7]/g, '')
  const wanted = Math.ceil(((length + 4) * 8) / 5)
  if (characters.length !== wanted) throw invalid(what, `it has ${characters.length} characters instead of ${wanted}`)
  const bytes = fromBase32(characters)
  if (bytes === undefined) throw invalid(what, 'its last character is not possible')
  const content = bytes.subarray(0, length)
  if (bytes.readUInt32BE(length) !== crc32(content)) throw invalid(what, 'its checksum differs')
  return content
}

/** §5.4: 32 random bytes as 58 characters. */
export const encodeRecovery = (secret: Uint8Array): string => encodePrinted('recovery', secret)
export const parseRecovery = (text: string): Buffer => parsePrinted('recovery', text)

function invalid(what: string, why: string): HoldfastError {
  return new HoldfastError('WrongSecret', `This is not ${what}: ${why}.`, {
    hint: 'Compare it with the printed one: letters A–Z and digits 2–7 only (no 0, 1, 8, 9).',
  })
}

function toBase32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >>> (bits - 5)) & 31)
    value &= 31
  }
  return bits === 0 ? text : text + ALPHABET.charAt((value << (5 - bits)) & 31)
}

/** undefined if the spare bits are not zero. */
function fromBase32(text: string): Buffer | undefined {
  const bytes: number[] = []
  let value = 0
  let bits = 0
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >>> bits) & 0xff)
  }
  return (value & ((1 << bits) - 1)) === 0 ? Buffer.from(bytes) : undefined
}
