import { randomBytes } from 'node:crypto'
import {
  decodeManifestBody,
  decodeManifestHeader,
  encodeManifestHeader,
  formatError,
  fromHex,
  MANIFEST_HEADER,
  slice,
  unsignedManifest,
  type JsonObject,
  type ManifestBody,
  type ManifestHeader,
} from '../format/index.ts'
import { open, seal } from './aead.ts'
import { manifestKey, sha256 } from './derive.ts'
import { signEd25519, verifyEd25519 } from './ed25519.ts'
import type { KeyRing } from './ring.ts'

/** §4.4: the whole object `.m`. `plaintext`: the encoded body. The nonce is random unless given (vectors). */
export function sealManifest(
  ring: KeyRing,
  fields: Omit<ManifestHeader, 'bodyLen' | 'mdkNo' | 'nonce' | 'repo'>,
  plaintext: Uint8Array,
  nonce: Uint8Array = randomBytes(12),
): Buffer {
  const { no, key } = ring.current('MDK')
  const header = encodeManifestHeader({
    ...fields,
    repo: ring.repo,
    bodyLen: plaintext.length + 16,
    mdkNo: no,
    nonce,
  })
  return Buffer.concat([header, seal(manifestKey(key, fields.snap), nonce, header, plaintext)])
}

/** Opens and decodes a whole `.m`. `stem`: its name. Throws FormatError or FormatUnsupported. */
export function openManifest(
  ring: KeyRing,
  bytes: Uint8Array,
  stem: string,
): { readonly header: ManifestHeader; readonly body: ManifestBody } {
  const header = decodeManifestHeader(bytes, bytes.length, stem)
  if (header.repo !== ring.repo) throw formatError(`manifest ${stem}`, `belongs to repository ${header.repo}`)
  const key = manifestKey(ring.key('MDK', header.mdkNo), header.snap)
  const aad = slice(bytes, 0, MANIFEST_HEADER, 'manifest')
  const plaintext = open(key, header.nonce, aad, bytes.subarray(MANIFEST_HEADER))
  if (plaintext === undefined)
    throw formatError(`manifest ${stem}`, 'does not open: altered, or sealed with another key')
  return { header, body: decodeManifestBody(plaintext, header) }
}

/** §4.4 `signature`: of the JSON without it, the root entries and the pack table. */
export function signManifest(
  ring: KeyRing,
  snap: string,
  raw: JsonObject,
  rootBytes: Uint8Array,
): { key: number; sig: string } {
  const { no, key } = ring.current('SIG')
  return { key: no, sig: signEd25519(key, signedBytes(snap, raw, rootBytes)).toString('hex') }
}

/** Whether the signature holds; undefined if the manifest has none. */
export function manifestSignatureHolds(ring: KeyRing, snap: string, body: ManifestBody): boolean | undefined {
  const signature = body.json.signature
  if (signature === undefined) return undefined
  const pub = ring.content.keys.find((entry) => entry.no === signature.key && entry.type === 'SIG')?.pub
  if (pub === undefined) return false
  const sig = fromHex(signature.sig, 64, 'signature')
  return verifyEd25519(fromHex(pub, 32, 'public key'), signedBytes(snap, body.raw, body.rootBytes), sig)
}

function signedBytes(snap: string, raw: JsonObject, rootBytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from('holdfast/r1/manifest-sig\0', 'latin1'),
    fromHex(snap, 16, 'snapshot UUID'),
    sha256(unsignedManifest(raw)),
    sha256(rootBytes),
  ])
}
