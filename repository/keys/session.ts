import { randomBytes } from 'node:crypto'
import {
  decodeSessionContent,
  encodeSessionContent,
  formatError,
  fromBase64url,
  fromHex,
  parseName,
  sessionAad,
  sessionKind,
  toBase64url,
  toHex,
  type SessionClear,
  type SessionContent,
  type SessionObject,
} from '../format/index.ts'
import { open, seal } from './aead.ts'
import { sessionKey } from './derive.ts'
import { signJson, verifyJson } from './macs.ts'
import type { KeyRing } from './ring.ts'

/** §7.1: bytes of a session object: content sealed under the session seal key, writer MAC over all. */
export function sealSession(
  ring: KeyRing,
  clear: Omit<SessionClear, 'macKey' | 'type' | 'repo'>,
  content: SessionContent,
  nonce: Uint8Array = randomBytes(12),
): Buffer {
  const { no, key } = ring.current('MDK')
  const fields: SessionClear = { ...clear, repo: ring.repo, type: content.type, macKey: no }
  const empty = { no, nonce: toHex(nonce), ct: '' }
  const aad = sessionAad(sessionKind.write({ ...fields, sealed: empty }))
  const ct = toBase64url(seal(sessionKey(key, clear.sess), nonce, aad, encodeSessionContent(content)))
  return signJson(sessionKind.write({ ...fields, sealed: { ...empty, ct } }), ring, 'writer')
}

/**
 * Opens a session object: canonical form, MAC, version, name, then the sealed content. Throws FormatError (also for a MAC
 * that does not hold) or FormatUnsupported.
 */
export function openSession(
  ring: KeyRing,
  bytes: Uint8Array,
  name: string,
): { readonly object: SessionObject; readonly content: SessionContent } {
  const raw = sessionKind.parse(bytes)
  if (verifyJson(raw, ring, 'writer') !== 'good') throw formatError(name, 'its MAC does not hold')
  const object = sessionKind.read(raw)
  const parsed = parseName(name)
  const { sess, part, attempt, seq } = object
  if (
    parsed?.kind !== 'session' ||
    parsed.sess !== sess ||
    parsed.part !== part ||
    parsed.attempt !== attempt ||
    parsed.seq !== seq
  ) {
    throw formatError(name, 'holds the object of another name')
  }
  const key = sessionKey(ring.key('MDK', object.sealed.no), sess)
  const ciphertext = fromBase64url(object.sealed.ct, name)
  const plaintext = open(key, fromHex(object.sealed.nonce, 12, name), sessionAad(raw), ciphertext)
  if (plaintext === undefined) throw formatError(name, 'its content does not open')
  return { object, content: decodeSessionContent(object.type, plaintext) }
}
