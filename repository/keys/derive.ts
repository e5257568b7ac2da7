import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { fromHex } from '../format/index.ts'

/**
 * §5.2: every derivation of R1 stands in this file. HKDF-SHA256 with empty salt and 32 bytes of output. `info` is ASCII; `bytes` are appended as they stand.
 */
export function hkdf(ikm: Uint8Array, info: string, ...bytes: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat([Buffer.from(info, 'latin1'), ...bytes])
  return Buffer.from(hkdfSync('sha256', ikm, new Uint8Array(0), whole, 32))
}

export function hmac(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(bytes).digest()
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

const zero = Buffer.alloc(1)

export const chunkIdKey = (idk: Uint8Array): Buffer => hkdf(idk, 'holdfast/r1/id/chunk')
export const pageIdKey = (idk: Uint8Array): Buffer => hkdf(idk, 'holdfast/r1/id/page')
export const configIdKey = (idk: Uint8Array): Buffer => hkdf(idk, 'holdfast/r1/id/config')
export const seriesKey = (idk: Uint8Array): Buffer => hkdf(idk, 'holdfast/r1/id/series')

/** `dataKey`: the DEK (chunk, config) or MDK (page) with the number in the blob's header. */
export function blobKey(dataKey: Uint8Array, type: number, aead: number, id: Uint8Array): Buffer {
  return hkdf(dataKey, 'holdfast/r1/blob', zero, Buffer.of(type, aead), id)
}

export function manifestKey(mdk: Uint8Array, snap: string): Buffer {
  return hkdf(mdk, 'holdfast/r1/manifest', zero, fromHex(snap, 16, 'snapshot UUID'))
}

/** Session seal key. */
export function sessionKey(mdk: Uint8Array, sess: string): Buffer {
  return hkdf(mdk, 'holdfast/r1/sess', zero, fromHex(sess, 16, 'session UUID'))
}

export const writerMacKey = (mdk: Uint8Array): Buffer => hkdf(mdk, 'holdfast/r1/mac/writer')
export const maintenanceMacKey = (mk: Uint8Array): Buffer => hkdf(mk, 'holdfast/r1/mac/maint')
export const keySetWrapKey = (kek: Uint8Array): Buffer => hkdf(kek, 'holdfast/r1/key-set')
export const slotCheck = (slotKey: Uint8Array): Buffer => hkdf(slotKey, 'holdfast/r1/slot-check').subarray(0, 16)
export const passphraseSlotKey = (argon2: Uint8Array): Buffer => hkdf(argon2, 'holdfast/r1/slot/passphrase')
export const recoverySlotKey = (secret: Uint8Array): Buffer => hkdf(secret, 'holdfast/r1/slot/recovery')
