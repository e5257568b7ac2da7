import { createCipheriv, createDecipheriv } from 'node:crypto'

const TAG = 16

/** §4.1 AEAD: AES-256-GCM, 12-byte nonce, tag appended. `parts` are sealed as one plaintext. */
export function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
  cipher.setAAD(aad)
  const out = parts.map((part) => cipher.update(part))
  return Buffer.concat([...out, cipher.final(), cipher.getAuthTag()])
}

/** undefined if the ciphertext does not open: altered, or another key, nonce or AAD. */
export function open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Buffer | undefined {
  if (ciphertext.length < TAG) return undefined
  const body = ciphertext.length - TAG
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
  decipher.setAAD(aad)
  decipher.setAuthTag(ciphertext.subarray(body))
  const plaintext = decipher.update(ciphertext.subarray(0, body))
  try {
    decipher.final()
  } catch {
    // The only thing final() reports for GCM is a tag that does not hold; nothing of the plaintext is used then.
    return undefined
  }
  return plaintext
}
