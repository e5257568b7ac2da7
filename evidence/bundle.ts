import { HoldfastError } from '../base/index.ts'
import { payloadType } from './seal.ts'
import type { EvidenceBundle } from './types.ts'

/** An exported file: an envelope as DSSE has it, with the public key and the picture beside it. */
export function encodeBundle({ payload, keyId, signature, publicKey, picture }: EvidenceBundle): string {
  const envelope = {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: keyId, sig: signature }],
    publicKey,
    screenshot: picture === null ? null : Buffer.from(picture).toString('base64'),
  }
  return `${JSON.stringify(envelope, null, 2)}\n`
}

/** Throws FormatError for what no export has written. */
export function decodeBundle(text: string): EvidenceBundle {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw broken('it is no JSON', cause)
  }
  if (typeof value !== 'object' || value === null) throw broken('it is no envelope')
  const {
    payloadType: type,
    payload,
    signatures,
    publicKey,
    screenshot,
  } = value as { readonly [name: string]: unknown }
  if (type !== payloadType) throw broken(`its type is ${String(type).slice(0, 100)}`)
  const [first, ...more] = Array.isArray(signatures) ? (signatures as unknown[]) : []
  const { keyid, sig } = (first ?? {}) as { readonly [name: string]: unknown }
  if (typeof keyid !== 'string' || typeof sig !== 'string' || more.length > 0) throw broken('it has not one signature')
  if (typeof publicKey !== 'string') throw broken('it has no public key')
  return {
    payload: new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(payload, 'what was signed')),
    keyId: keyid,
    signature: bytesOf(sig, 'its signature').toString('base64'),
    publicKey,
    picture: screenshot === null ? null : bytesOf(screenshot, 'its picture'),
  }
}

/** Exactly one text stands for the same bytes: what decodes to the same and is written otherwise was changed. */
function bytesOf(text: unknown, what: string): Buffer {
  if (typeof text !== 'string') throw broken(`${what} is missing`)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw broken(`${what} is no base64`)
  return bytes
}

function broken(why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('FormatError', `this is no exported evidence: ${why}`, {
    ...(cause !== undefined && { cause }),
    hint: 'Export it again: holdfast drill export DRILL FILE',
  })
}
