import { HoldfastError } from '../../base/index.ts'
import { crc32 } from '../format/index.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const SECRET = 32
/** 36 bytes are 288 bits: 57 characters hold 285 of them, the last one 3 and two spare bits. */
const CHARACTERS = 58

/** §5.4: `HFR1-` and base32 (RFC 4648) of `secret ‖ crc32(secret)` big-endian, in groups of four. */
export function encodeRecovery(secret: Uint8Array): string {
  if (secret.length !== SECRET) throw new RangeError(`a recovery secret has ${SECRET} bytes, not ${secret.length}`)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(secret))
  const groups = toBase32(Buffer.concat([secret, crc])).match(/.{1,4}/g) ?? []
  return ['HFR1', ...groups].join('-')
}

/** The 32 secret bytes; case, blanks and separators do not matter. Throws WrongSecret for anything with a typing mistake. */
export function parseRecovery(text: string): Buffer {
  const characters = text
    .toUpperCase()
    .trimStart()
    .replace(/^HFR1/, '')
    .replace(/[^A-Z2-7]/g, '')
  if (characters.length !== CHARACTERS) {
    throw invalid(`it has ${characters.length} characters instead of ${CHARACTERS}`)
  }
  const bytes = fromBase32(characters)
  if (bytes === undefined) throw invalid('its last character is not possible')
  const secret = bytes.subarray(0, SECRET)
  if (bytes.readUInt32BE(SECRET) !== crc32(secret)) throw invalid('its checksum differs')
  return secret
}

function invalid(why: string): HoldfastError {
  return new HoldfastError('WrongSecret', `This is not a recovery key: ${why}.`, {
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
