import { HoldfastError } from '../../base/index.ts'
import { buffer, compressPayload, decodeZstdFrame, toHex, type BlobType } from '../format/index.ts'
import { sealBlob, sha256, type KeyRing } from '../keys/index.ts'
import type { Identified } from './protocol.ts'

const zeroes = Buffer.alloc(4 * 1024 * 1024)

/** §6.2, §5.2: ZERO, or the inner hash and the id of a chunk or config part. */
export function identify(ring: KeyRing, type: BlobType, content: Uint8Array): Identified {
  if (buffer(content).equals(zeroes.subarray(0, content.length))) return { zero: true }
  const innerHash = sha256(content)
  const id = ring.identity().contentId(type, innerHash)
  if (id === undefined) throw new TypeError('the id of a page is not that of its bytes')
  return { zero: false, innerHash, id }
}

export interface SealInput {
  readonly type: BlobType
  readonly content: Uint8Array
  readonly id: Uint8Array
  readonly innerHash: Uint8Array
  /** zstd level; undefined: stored as it is (pages). */
  readonly level: number | undefined
}

/**
 * §6.4: header and ciphertext of a blob. What goes into the cipher is decoded and compared with the inner hash first:
 * memory that changed since it was hashed ends the attempt.
 */
export function compressAndSeal(ring: KeyRing, { type, content, id, innerHash, level }: SealInput): Buffer {
  const { comp, payload } = level === undefined ? ({ comp: 0, payload: content } as const) : compressPayload(content, level)
  const decoded = comp === 1 ? decodeZstdFrame(payload, content.length, 'compressed blob') : payload
  const same = sha256(decoded).equals(innerHash)
  if (comp === 1) free(decoded)
  if (!same) {
    throw new HoldfastError('Internal', `blob ${toHex(id)} changed in memory between hashing and sealing`, {
      hint: 'Nothing of it was stored. If it happens again, check the memory of this machine.',
    })
  }
  const blob = sealBlob(ring, { type, id, innerHash, ulen: content.length, comp, payload })
  if (comp === 1) free(payload)
  return blob
}

/** Gives large memory back at once: it lies outside the heap, where the collector hardly notices it. */
export function free(bytes: Uint8Array): void {
  const whole = bytes.buffer
  if (whole instanceof ArrayBuffer && bytes.length >= 64 * 1024) whole.transfer(0)
}
