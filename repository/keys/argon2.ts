import { argon2Sync, type Argon2Parameters } from 'node:crypto'
import { bounds, fromHex, type Argon2Cost } from '../format/index.ts'
import { HoldfastError } from '../../base/index.ts'

/** §4.11 default: 256 MiB, three passes, four lanes. */
export const DEFAULT_ARGON2 = { m: 262_144, t: 3, p: 4 } as const

/** §5.4: UTF-8 of the Unicode NFC form, nothing trimmed. */
export function passphraseBytes(passphrase: string): Buffer {
  return Buffer.from(passphrase.normalize('NFC'), 'utf8')
}

/** What `crypto.argon2Sync` takes, checked against the bounds of §4.12. */
export function argon2Parameters(
  passphrase: string,
  cost: Argon2Cost,
): Argon2Parameters & { readonly message: Buffer; readonly nonce: Buffer } {
  const { mMin, mMax, tMax, pMax } = bounds.argon2
  const { m, t, p, salt } = cost
  if (!(m >= mMin && m <= mMax && t >= 1 && t <= tMax && p >= 1 && p <= pMax)) {
    throw new HoldfastError('FormatError', `Argon2id costs m=${m}, t=${t}, p=${p} are out of bounds.`)
  }
  const message = passphraseBytes(passphrase)
  const nonce = fromHex(salt, 16, 'salt')
  return { message, nonce, memory: m, passes: t, parallelism: p, tagLength: 32 }
}

/**
 * Argon2id, version 0x13, no secret, no associated data, 32 bytes. Blocks the thread and takes `m` KiB: programs use
 * `passphraseKeyInChild`.
 */
export function argon2id(passphrase: string, cost: Argon2Cost): Buffer {
  return argon2Sync('argon2id', argon2Parameters(passphrase, cost))
}
