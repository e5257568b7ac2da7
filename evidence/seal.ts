import { canonicalText } from './canonical.ts'
import { isSignedBy } from './keys.ts'
import type { DrillEvidence, EvidenceKey, SignedEvidence, SigningKey } from './types.ts'

/** What the payload is; part of what is signed, so that no signature of ours means something else elsewhere. */
export const payloadType = 'application/vnd.holdfast.drill-evidence+json'

/** The same document and key give the same signature: a step that is repeated changes nothing. */
export function sealEvidence(evidence: DrillEvidence, key: SigningKey): SignedEvidence {
  const payload = canonicalText(evidence)
  return { payload, keyId: key.id, signature: Buffer.from(key.sign(signedBytes(payload))).toString('base64') }
}

/** Whether the key has signed exactly this text. */
export function isGenuine({ payload, keyId, signature }: SignedEvidence, key: EvidenceKey): boolean {
  return key.id === keyId && isSignedBy(key.publicKey, signedBytes(payload), Buffer.from(signature, 'base64'))
}

/** Pre-authentication encoding of DSSE v1: lengths before type and body, so that nothing can be moved between them. */
function signedBytes(payload: string): Buffer {
  const body = Buffer.from(payload)
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.byteLength} `), body])
}
