import { randomBytes } from 'node:crypto'
import {
  AEAD_AES_256_GCM,
  BLOB_HEADER,
  BLOB_OVERHEAD,
  BLOB_PAGE,
  blobAad,
  buffer,
  checkPagePlace,
  checkReference,
  crc32,
  decodeBlobHeader,
  decodePage,
  decodeZstdFrame,
  demand,
  encodeBlobHeader,
  formatError,
  slice,
  toHex,
  type BlobReference,
  type BlobType,
  type Page,
} from '../format/index.ts'
import { open, seal } from './aead.ts'
import { blobKey, sha256 } from './derive.ts'
import type { KeyRing } from './ring.ts'

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
  /** Default: random. Anything else is for known-answer vectors only. */
  readonly nonce?: Uint8Array
}

/** §4.2: header and ciphertext of a blob, `72 + clen` bytes, under the current key of its type. */
export function sealBlob(ring: KeyRing, input: BlobInput): Buffer {
  const { type, id, innerHash, ulen, comp, payload, nonce = randomBytes(12) } = input
  const { no, key } = ring.current(type === BLOB_PAGE ? 'MDK' : 'DEK')
  const clen = BLOB_OVERHEAD + payload.length
  const facts = { type, comp, aead: AEAD_AES_256_GCM, flags: 0, keyNo: no, ulen, clen, nonce, id }
  // The AAD ends before the CRC of the ciphertext, so the header is encoded once without and once with it.
  const draft = encodeBlobHeader({ ...facts, crcCt: 0 })
  const ciphertext = seal(blobKey(key, type, AEAD_AES_256_GCM, id), nonce, blobAad(draft), innerHash, payload)
  return Buffer.concat([encodeBlobHeader({ ...facts, crcCt: crc32(ciphertext) }), ciphertext])
}

/**
 * §7.8, all checks, always: header CRC, bounds, type, id and length against the reference, AEAD, decompression to exactly
 * ulen, inner hash, id. `bytes`: `[off, off + 72 + clen)` of the pack. `ulen`: the length that the content must have, where
 * the reference fixes it. Returns the plain content; throws FormatError or FormatUnsupported, never returns wrong bytes.
 */
export function openBlob(
  ring: KeyRing,
  bytes: Uint8Array,
  wanted: BlobReference & { readonly ulen?: number; readonly domain?: string },
): Buffer {
  const what = `blob ${toHex(wanted.id)}`
  const header = decodeBlobHeader(bytes)
  checkReference(header, wanted)
  if (wanted.ulen !== undefined) {
    demand(header.ulen === wanted.ulen, what, `${header.ulen} bytes of content instead of ${wanted.ulen}`)
  }
  demand(bytes.length === BLOB_HEADER + header.clen, what, `${bytes.length} bytes were read`)
  const ciphertext = slice(bytes, BLOB_HEADER, header.clen, what)
  const dataKey = ring.key(header.type === BLOB_PAGE ? 'MDK' : 'DEK', header.keyNo)
  const key = blobKey(dataKey, header.type, header.aead, header.id)
  const plaintext = open(key, header.nonce, blobAad(bytes), ciphertext)
  if (plaintext === undefined) throw formatError(what, 'does not open: altered, or sealed with another key')
  const innerHash = plaintext.subarray(0, 32)
  const payload = plaintext.subarray(32)
  const content = header.comp === 1 ? decodeZstdFrame(payload, header.ulen, what) : payload
  demand(content.length === header.ulen, what, `${content.length} bytes of content instead of ${header.ulen}`)
  demand(sha256(content).equals(innerHash), what, 'the content does not hash to its inner hash')
  const id = ring.identity(wanted.domain).contentId(header.type, innerHash)
  if (id !== undefined && !id.equals(wanted.id)) throw formatError(what, 'the content is that of another id')
  return content
}

/** Where a page belongs, for `checkPage`. */
export interface PagePlace {
  readonly id: Uint8Array
  readonly pageNo: number
  readonly diskBytes: number
  /** Of the manifest. Default: the domain that is written to. */
  readonly domain?: string
}

/** Decodes the content of a page blob and checks that it is page `pageNo` of its disk and has the id of its reference. */
export function checkPage(ring: KeyRing, content: Uint8Array, wanted: PagePlace): Page {
  const page = decodePage(content)
  checkPagePlace(page, wanted.pageNo, wanted.diskBytes)
  if (!ring.identity(wanted.domain).pageId(page).equals(buffer(wanted.id))) {
    throw formatError(`page ${toHex(wanted.id)}`, 'its entries give another page id')
  }
  return page
}

/** openBlob and checkPage in one. */
export function openPage(ring: KeyRing, bytes: Uint8Array, wanted: PagePlace & { readonly clen: number }): Page {
  return checkPage(ring, openBlob(ring, bytes, { ...wanted, type: BLOB_PAGE }), wanted)
}
