import { BLOB_HEADER, BLOB_OVERHEAD, bounds } from './bounds.ts'
import { crc32 } from './crc.ts'
import { buffer, toHex } from './bytes.ts'
import { demand, formatError, unsupported } from './errors.ts'
import { raw, record, u32, u8 } from './record.ts'

/** §4.2: 1 chunk, 2 page, 3 config. */
export type BlobType = 1 | 2 | 3
export const BLOB_CHUNK = 1
export const BLOB_PAGE = 2
export const BLOB_CONFIG = 3
/** The only algorithm of R1: AES-256-GCM. */
export const AEAD_AES_256_GCM = 1

/** §4.2, blob header, 72 bytes, in clear. Bytes 0..63 are the AAD of the ciphertext. */
const header = record({
  what: 'blob header',
  size: BLOB_HEADER,
  magic: 'BLB1',
  crcAt: 68,
  fields: {
    type: u8(4),
    comp: u8(5),
    aead: u8(6),
    flags: u8(7),
    keyNo: u32(8),
    ulen: u32(12),
    clen: u32(16),
    nonce: raw(20, 12),
    id: raw(32, 32),
    crcCt: u32(64),
  },
})

/** What the header and the TOC entry of a blob both say. */
export interface BlobFacts {
  readonly id: Uint8Array
  readonly type: BlobType
  /** 0 none, 1 zstd. */
  readonly comp: 0 | 1
  readonly aead: number
  readonly flags: number
  /** Number of the DEK (types 1, 3) or MDK (type 2). */
  readonly keyNo: number
  /** Bytes of the plain content. */
  readonly ulen: number
  /** Bytes of the ciphertext, tag included. */
  readonly clen: number
  readonly crcCt: number
}
export interface BlobHeader extends BlobFacts {
  readonly nonce: Uint8Array
}

/** What a reference says about a blob and its header must repeat. */
export interface BlobReference {
  readonly type: BlobType
  readonly id: Uint8Array
  readonly clen: number
}

/** Throws FormatError or FormatUnsupported. `id` and `nonce` are views into `bytes`. */
export function decodeBlobHeader(bytes: Uint8Array): BlobHeader {
  return checkBlob(header.decode(bytes), 'blob header')
}

export function encodeBlobHeader(fields: BlobHeader): Buffer {
  return header.encode(checkBlob(fields, 'blob header'))
}

/** AAD of the ciphertext (§4.2): the header without its CRCs. It holds no position, so a blob can be moved verbatim. */
export function blobAad(headerBytes: Uint8Array): Buffer {
  return buffer(headerBytes).subarray(0, 64)
}

type Checked = { readonly type: BlobType; readonly comp: 0 | 1 }
type Lengths = { readonly [N in 'type' | 'comp' | 'aead' | 'flags' | 'ulen' | 'clen']: number }

/** §4.12 for the facts that header and TOC share: unknown kinds are unsupported, lengths out of bounds are errors. */
export function checkBlob<T extends Lengths>(blob: T, what: string): T & Checked {
  if (blob.type < 1 || blob.type > 3) throw unsupported(what, `blob type ${blob.type}`)
  if (blob.comp > 1) throw unsupported(what, `compression ${blob.comp}`)
  if (blob.aead !== AEAD_AES_256_GCM) throw unsupported(what, `AEAD ${blob.aead}`)
  if (blob.flags !== 0) throw unsupported(what, `blob flags ${blob.flags}`)
  demand(blob.ulen >= 1 && blob.ulen <= bounds.blob.ulen, what, `content length ${blob.ulen} is out of bounds`)
  demand(
    blob.clen >= bounds.blob.clenMin && blob.clen <= BLOB_OVERHEAD + blob.ulen,
    what,
    `ciphertext length ${blob.clen} is out of bounds`,
  )
  demand(blob.comp === 1 || blob.clen === BLOB_OVERHEAD + blob.ulen, what, 'lengths disagree in a blob not compressed')
  demand(blob.type !== BLOB_PAGE || blob.comp === 0, what, 'a page is compressed')
  return blob as T & Checked
}

/** §7.8: type, id and length against the reference. */
export function checkReference(found: BlobHeader, wanted: BlobReference): void {
  if (found.type !== wanted.type || found.clen !== wanted.clen || !buffer(found.id).equals(wanted.id)) {
    throw formatError('blob header', `another blob than ${toHex(wanted.id)} lies here`)
  }
}

/** Whether the ciphertext is the one that the header was made for. An accident finder: the AEAD decides. */
export function ciphertextMatches(crcCt: number, ciphertext: Uint8Array): boolean {
  return crc32(ciphertext) === crcCt
}
