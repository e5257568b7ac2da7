import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import {
  AEAD_AES_256_GCM,
  BLOB_HEADER,
  BLOB_OVERHEAD,
  BLOB_PAGE,
  blobAad,
  buffer,
  checkPagePlace,
  checkReference,
  compressPayload,
  crc32,
  decodeBlobHeader,
  decodePage,
  decodeZstdFrame,
  demand,
  encodeBlobHeader,
  formatError,
  free,
  toHex,
  type BlobReference,
  type BlobType,
  type Page,
} from '../format/index.ts'
import { blobKey, sha256, type KeyRing } from '../keys/index.ts'
import type { Identified } from './protocol.ts'

const TAG = 16
const zeroes = Buffer.alloc(4 * 1024 * 1024)

/** §6.2, §5.2: ZERO, or the inner hash and the id of a chunk or config part. */
export function identify(ring: KeyRing, type: BlobType, content: Uint8Array): Identified {
  if (type !== 3 && buffer(content).equals(zeroes.subarray(0, content.length))) return { zero: true }
  const innerHash = sha256(content)
  const id = ring.identity().contentId(type, innerHash)
  if (id === undefined) throw new TypeError('the id of a page is not that of its bytes')
  return { zero: false, innerHash, id }
}

export interface BlobInput {
  readonly type: BlobType
  readonly id: Uint8Array
  /** SHA-256 of the plain content, taken before anything could corrupt it. */
  readonly innerHash: Uint8Array
  /** Length of the plain content. */
  readonly ulen: number
  readonly comp: 0 | 1
  /** The content, or one zstd frame of it. */
  readonly payload: Uint8Array
  /** Only for vectors; default: random. */
  readonly nonce?: Uint8Array
}

/**
 * §4.2: header and ciphertext of a blob under the current key of its type, written to the start of `into`, which may be
 * the memory of the payload. Returns their length, `72 + clen`.
 */
export function sealBlob(ring: KeyRing, input: BlobInput, into: Uint8Array): number {
  const { type, id, innerHash, ulen, comp, payload, nonce = randomBytes(12) } = input
  const { no, key } = ring.current(type === BLOB_PAGE ? 'MDK' : 'DEK')
  const clen = BLOB_OVERHEAD + payload.length
  // The AAD ends before the CRC of the ciphertext, so the header is encoded first without and then with it.
  const facts = { type, id, nonce, ulen, clen, comp, aead: AEAD_AES_256_GCM, flags: 0, keyNo: no, crcCt: 0 }
  const cipher = createCipheriv('aes-256-gcm', blobKey(key, type, AEAD_AES_256_GCM, id), nonce, { authTagLength: TAG })
  cipher.setAAD(blobAad(encodeBlobHeader(facts)))
  const head = cipher.update(innerHash)
  const body = cipher.update(payload)
  cipher.final()
  const out = buffer(into).subarray(0, BLOB_HEADER + clen)
  out.set(head, BLOB_HEADER)
  out.set(body, BLOB_HEADER + head.length)
  out.set(cipher.getAuthTag(), out.length - TAG)
  out.set(encodeBlobHeader({ ...facts, crcCt: crc32(out.subarray(BLOB_HEADER)) }))
  free(body)
  return out.length
}

export interface SealInput extends Pick<BlobInput, 'type' | 'id' | 'innerHash'> {
  readonly content: Uint8Array
  /** zstd level; undefined: stored as it is (pages). */
  readonly level: number | undefined
}

/**
 * §6.4: compresses if that saves at least 1/32, and seals. What goes into the cipher is decoded and compared with the inner
 * hash first: memory that changed since it was hashed ends the attempt. `into` may be the memory of the content.
 */
export function compressAndSeal(ring: KeyRing, input: SealInput, into: Uint8Array): number {
  const { type, content, id, innerHash, level } = input
  const { comp, payload } =
    level === undefined ? ({ comp: 0, payload: content } as const) : compressPayload(content, level)
  const decoded = comp === 1 ? decodeZstdFrame(payload, content.length, 'compressed blob') : payload
  const same = sha256(decoded).equals(innerHash)
  if (comp === 1) free(decoded)
  if (!same) {
    throw new HoldfastError('Internal', `blob ${toHex(id)} changed in memory between hashing and sealing`, {
      hint: 'Nothing of it was stored. If it happens again, check the memory of this machine.',
    })
  }
  const length = sealBlob(ring, { type, id, innerHash, ulen: content.length, comp, payload }, into)
  if (comp === 1) free(payload)
  return length
}

/**
 * §7.8, all checks always: header CRC, bounds, type, id and length against the reference, AEAD, decompression to exactly
 * ulen, inner hash, id. `bytes`: `[off, off + 72 + clen)` of the pack. `ulen`: the length that the content must have, where
 * the reference tells it. Throws FormatError or FormatUnsupported; never returns wrong bytes.
 */
export function openBlob(
  ring: KeyRing,
  bytes: Uint8Array,
  wanted: BlobReference & { readonly ulen?: number; readonly domain?: string },
): Buffer {
  const { header, innerHash, payload, what } = decrypt(ring, bytes, wanted)
  const content = header.comp === 1 ? decodeZstdFrame(payload, header.ulen, what) : payload
  if (header.comp === 1) free(payload)
  demand(content.length === header.ulen, what, `${content.length} bytes of content instead of ${header.ulen}`)
  demand(sha256(content).equals(innerHash), what, 'the content does not hash to its inner hash')
  const id = ring.identity(wanted.domain).contentId(header.type, innerHash)
  if (id !== undefined && !id.equals(wanted.id)) throw formatError(what, 'the content is that of another id')
  return content
}

/**
 * §13: a chunk or config part under the keys of another repository, written to the start of `into`: opened, given its id
 * there, sealed again. Nothing is decompressed or hashed; the AEAD tag vouches for the stored bytes, so what a writer got
 * wrong stays wrong, and readers find it. With the same data key and identity it is taken over byte for byte. `into` must
 * not be the memory of `bytes`.
 */
export function resealBlob(
  from: KeyRing,
  to: KeyRing,
  bytes: Uint8Array,
  wanted: BlobReference & { readonly ulen?: number },
  into: Uint8Array,
): { readonly id: Buffer; readonly length: number } {
  const { header, innerHash, payload, what } = decrypt(from, bytes, wanted)
  const here = from.identity().contentId(header.type, innerHash)
  if (here === undefined) throw new TypeError('the id of a page is not that of its bytes')
  if (!here.equals(wanted.id)) throw formatError(what, 'its inner hash is that of another id')
  const id = to.identity().contentId(header.type, innerHash) ?? here
  if (id.equals(here) && sharesKey(from, to, header.keyNo)) {
    buffer(into).set(bytes)
    free(payload)
    return { id, length: bytes.length }
  }
  const { type, ulen, comp } = header
  const length = sealBlob(to, { type, id, innerHash, ulen, comp, payload }, into)
  free(payload)
  return { id, length }
}

function sharesKey(from: KeyRing, to: KeyRing, no: number): boolean {
  const there = to.content.keys.find((entry) => entry.no === no && entry.type === 'DEK')
  return there !== undefined && from.key('DEK', no).toString('hex') === there.key
}

/** Header against reference, and the AEAD opened (§7.8 up to there). `payload` is a view into memory that nobody else uses. */
function decrypt(ring: KeyRing, bytes: Uint8Array, wanted: BlobReference & { readonly ulen?: number }) {
  const whole = buffer(bytes)
  const header = decodeBlobHeader(whole)
  checkReference(header, wanted)
  const what = `blob ${toHex(wanted.id)}`
  demand(
    wanted.ulen === undefined || header.ulen === wanted.ulen,
    what,
    `${header.ulen} bytes instead of ${wanted.ulen}`,
  )
  demand(whole.length === BLOB_HEADER + header.clen, what, `${whole.length} bytes were read`)
  const dataKey = ring.key(header.type === BLOB_PAGE ? 'MDK' : 'DEK', header.keyNo)
  const key = blobKey(dataKey, header.type, header.aead, header.id)
  const decipher = createDecipheriv('aes-256-gcm', key, header.nonce, { authTagLength: TAG })
  decipher.setAAD(blobAad(whole))
  decipher.setAuthTag(whole.subarray(whole.length - TAG))
  const plaintext = decipher.update(whole.subarray(BLOB_HEADER, whole.length - TAG))
  try {
    decipher.final()
  } catch (cause) {
    throw formatError(what, 'does not open: altered, or sealed with another key', cause)
  }
  const innerHash = Buffer.from(plaintext.subarray(0, 32))
  return { header, innerHash, payload: plaintext.subarray(32), what }
}

/** Decodes a page's content and checks that it is page `pageNo` of a disk of `diskBytes` and has the id of its reference. */
export function checkedPage(
  ring: KeyRing,
  content: Uint8Array,
  wanted: { readonly id: Uint8Array; readonly pageNo: number; readonly diskBytes: number; readonly domain?: string },
): Page {
  const page = decodePage(content)
  checkPagePlace(page, wanted.pageNo, wanted.diskBytes)
  if (!ring.identity(wanted.domain).pageId(page).equals(wanted.id)) {
    throw formatError(`page ${toHex(wanted.id)}`, 'its entries give another page id')
  }
  return page
}
