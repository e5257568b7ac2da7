import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  buffer,
  canonicalJson,
  featKind,
  fmtKind,
  formatError,
  fromHex,
  isHex,
  signedBytes,
  without,
  type Feat,
  type Fmt,
  type JsonObject,
} from '../format/index.ts'
import { signEd25519, verifyEd25519 } from './ed25519.ts'
import type { KeyRing } from './ring.ts'

const labels = { fmt: 'holdfast/r1/fmt', feat: 'holdfast/r1/feat' } as const

/** Bytes of `fmt` (§4.11), signed with the current SIG key, which must be its `signer`. */
export function signFmt(fields: Fmt, ring: KeyRing): Buffer {
  return signed(fmtKind.write(fields), 'fmt', ring)
}

export function signFeat(fields: Feat, ring: KeyRing): Buffer {
  return signed(featKind.write(fields), 'feat', ring)
}

export interface FmtReplica {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface OpenedFmt {
  readonly fmt: Fmt
  /** Replicas that were ignored: damaged, or with a signature that does not hold. */
  readonly ignored: readonly { readonly name: string; readonly why: string }[]
}

/**
 * §4.11: the descriptor from those replicas that exist. Replicas whose signature fails are ignored and reported; two valid
 * ones that differ are an error. The signature is checked with the key in it (trust on first use); once a key set is open,
 * `checkSigner` decides whether that key is ours.
 */
export function openFmt(replicas: readonly FmtReplica[]): OpenedFmt {
  const ignored: { name: string; why: string }[] = []
  const valid: { name: string; bytes: Buffer; fmt: Fmt }[] = []
  for (const { name, bytes } of replicas) {
    try {
      const raw = fmtKind.parse(bytes)
      if (!signatureHolds(raw, 'fmt')) throw formatError(name, 'its signature does not hold')
      valid.push({ name, bytes: buffer(bytes), fmt: fmtKind.read(raw) })
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'FormatError') throw error
      ignored.push({ name, why: error.message })
    }
  }
  const [first, ...others] = valid
  if (first === undefined) {
    const why = ignored.map((item) => item.why).join('; ')
    throw new HoldfastError(
      'FormatError',
      `No valid repository descriptor (fmt, fmt.1, fmt.2): ${why || 'none exists'}.`,
    )
  }
  const other = others.find((item) => !item.bytes.equals(first.bytes))
  if (other !== undefined) {
    throw new HoldfastError('FormatError', `${first.name} and ${other.name} are both signed, and differ.`, {
      hint: 'Somebody created a second repository in this place, or replaced a replica; restore the three from a copy.',
    })
  }
  return { fmt: first.fmt, ignored }
}

/** §4.11: `signer` must be the public key of a SIG key in the sets, current or not. */
export function checkSigner(fmt: Fmt, ring: KeyRing): void {
  if (!ring.signers.has(fmt.signer)) {
    throw new HoldfastError(
      'RecordForged',
      'The repository descriptor fmt is signed with a key that is not in the key sets.',
    )
  }
}

/**
 * §4.11: a `feat/` object that is not signed by a key in `signers` adds nothing and is reported: while it exists, nothing
 * may be collected, pruned or compacted. Throws FormatUnsupported for a genuine one of a newer version.
 */
export function openFeat(
  bytes: Uint8Array,
  signers: ReadonlySet<string>,
): { readonly feat: Feat } | { readonly why: HoldfastError } {
  try {
    const raw = featKind.parse(bytes)
    const signer = raw['signer']
    if (typeof signer !== 'string' || !signers.has(signer) || !signatureHolds(raw, 'feat')) {
      return { why: formatError('feature activation', 'is not signed by a key of this repository') }
    }
    return { feat: featKind.read(raw) }
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'FormatError') return { why: error }
    throw error
  }
}

function signed(raw: JsonObject, label: keyof typeof labels, ring: KeyRing): Buffer {
  const { key } = ring.current('SIG')
  const sig = signEd25519(key, signedBytes(labels[label], raw)).toString('hex')
  const whole = { ...raw, sig }
  if (!signatureHolds(whole, label)) throw formatError(label, 'its signer is not the current SIG key')
  return canonicalJson(whole)
}

function signatureHolds(raw: JsonObject, label: keyof typeof labels): boolean {
  const { sig, signer } = raw
  if (typeof sig !== 'string' || !isHex(sig, 64) || typeof signer !== 'string' || !isHex(signer, 32)) return false
  const bytes = signedBytes(labels[label], without(raw, 'sig'))
  return verifyEd25519(fromHex(signer, 32, 'signer'), bytes, fromHex(sig, 64, 'signature'))
}
