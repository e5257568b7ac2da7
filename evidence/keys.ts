import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import type { EvidenceKey, SigningKey } from './types.ts'

/** A new private key as PEM (PKCS #8, Ed25519). */
export function drawPrivateKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/** Throws KeysDamaged for what is no private Ed25519 key. `where` is named in the message. */
export function signingKey(pem: string, where: string): SigningKey {
  const key = keyOf(() => createPrivateKey(pem), where)
  return { ...publicPart(createPublicKey(key)), sign: (bytes) => sign(null, bytes, key) }
}

/** Throws InvalidRequest for what is no public Ed25519 key. */
export function evidenceKey(pem: string): EvidenceKey {
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch (cause) {
    throw new HoldfastError('InvalidRequest', 'this is no public key in PEM', { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new HoldfastError('InvalidRequest', `this is a key of type ${key.asymmetricKeyType}, not Ed25519`)
  return publicPart(key)
}

export function isSignedBy(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey(publicKey), signature)
}

function publicPart(key: KeyObject): EvidenceKey {
  const der = key.export({ format: 'der', type: 'spki' })
  return {
    id: createHash('sha256').update(der).digest('hex'),
    publicKey: key.export({ format: 'pem', type: 'spki' }).toString(),
  }
}

function keyOf(read: () => KeyObject, where: string): KeyObject {
  const hint =
    'Put back the one that belongs there, or move the file away: then a new key is made, and the old one stays known.'
  let key: KeyObject
  try {
    key = read()
  } catch (cause) {
    throw new HoldfastError('KeysDamaged', `${where} holds no private key`, { cause, hint })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new HoldfastError('KeysDamaged', `${where} holds a key of type ${key.asymmetricKeyType}, not Ed25519`, { hint })
}
