import { createPrivateKey, createPublicKey, type webcrypto } from 'node:crypto'
import {
  Aes256Gcm,
  CipherSuite,
  DecapError,
  DeserializeError,
  DhkemX25519HkdfSha256,
  EncapError,
  HkdfSha256,
  OpenError,
} from '@hpke/core'
import { HoldfastError } from '../../base/index.ts'
import { encodePrinted, parsePrinted } from './printed.ts'

/** The member `suite` of a slot of type `hpke`; another one is not opened by this version (§5.4). */
export const ESCROW_SUITE = 'x25519-hkdf-sha256-aes-256-gcm'
const info = Buffer.from('holdfast/r1/escrow', 'latin1')

/** RFC 9180, base mode. (The package's types name the browser's keys, which are those of node:crypto here.) */
function suite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })
}

/** A pair for an escrow holder: the private key is printed and kept away, the public one is all that a slot needs. */
export async function drawEscrowKeys(): Promise<{ readonly privateText: string; readonly publicText: string }> {
  const { kem } = suite()
  const pair = (await kem.generateKeyPair()) as webcrypto.CryptoKeyPair
  return {
    privateText: encodePrinted('escrowPrivate', new Uint8Array(await kem.serializePrivateKey(pair.privateKey))),
    publicText: encodePrinted('escrowPublic', new Uint8Array(await kem.serializePublicKey(pair.publicKey))),
  }
}

/** Raw 32-byte public key of `HFP1-…`. Throws WrongSecret for a typing mistake. */
export const parseEscrowPublic = (text: string): Buffer => parsePrinted('escrowPublic', text)

/** A sealing to a public key: `enc` is known before, because it is in the AAD of what is sealed (§5.4). */
export async function escrowSender(recipient: Uint8Array): Promise<{
  readonly enc: Buffer
  readonly seal: (aad: Uint8Array, plaintext: Uint8Array) => Promise<Buffer>
}> {
  const hpke = suite()
  const recipientPublicKey = (await hpke.kem.deserializePublicKey(recipient)) as webcrypto.CryptoKey
  const sender = await hpke.createSenderContext({ recipientPublicKey, info }).catch((error: unknown) => {
    // A point of low order: no random key lies there.
    if (!(error instanceof EncapError)) throw error
    throw new HoldfastError('WrongSecret', 'This is not a public escrow key: nothing can be sealed to it.', {
      cause: error,
    })
  })
  return {
    enc: Buffer.from(sender.enc),
    seal: async (aad, plaintext) => Buffer.from(await sender.seal(plaintext, aad)),
  }
}

/** What opens slots of one recipient. Throws WrongSecret for a typing mistake in `HFE1-…`. */
export async function escrowRecipient(text: string): Promise<{
  /** Raw public key. */
  readonly recipient: Buffer
  /** undefined: altered, or sealed to another key. */
  readonly open: (enc: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array) => Promise<Buffer | undefined>
}> {
  const hpke = suite()
  const secret = parsePrinted('escrowPrivate', text)
  const recipientKey = (await hpke.kem.deserializePrivateKey(secret)) as webcrypto.CryptoKey
  return {
    recipient: publicOf(secret),
    open: async (enc, aad, ciphertext) => {
      try {
        const context = await hpke.createRecipientContext({ recipientKey, enc, info })
        return Buffer.from(await context.open(ciphertext, aad))
      } catch (error) {
        // A tag that does not hold, or an `enc` that is no point.
        if (error instanceof OpenError || error instanceof DecapError || error instanceof DeserializeError) {
          return undefined
        }
        throw error
      }
    },
  }
}

// RFC 8410: the fixed ASN.1 around a raw X25519 private key.
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

function publicOf(secret: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}
