import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

// RFC 8410: the fixed ASN.1 around a raw seed and a raw public key.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** §5.1: raw 32-byte public key of a private seed (RFC 8032). */
export function publicKeyOf(seed: Uint8Array): Buffer {
  return createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
}

export function signEd25519(seed: Uint8Array, bytes: Uint8Array): Buffer {
  return sign(null, bytes, privateKey(seed))
}

/** False for a signature that does not hold and for bytes that are no public key. */
export function verifyEd25519(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
  return verify(null, bytes, key, signature)
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
}
