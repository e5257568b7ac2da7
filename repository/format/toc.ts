import { BLOB_HEADER, BLOB_OVERHEAD } from './bounds.ts'
import { BLOB_PAGE, checkBlob, type BlobFacts } from './blob.ts'
import { slice } from './bytes.ts'
import { crc32 } from './crc.ts'
import { demand } from './errors.ts'
import {
  checkPackSize,
  decodePackFooter,
  encodePackFooter,
  PACK_FOOTER,
  PACK_HEADER,
  PACK_META,
  TOC_ENTRY,
  type PackFooter,
  type PackKind,
} from './pack.ts'
import { raw, record, u32, u8 } from './record.ts'

/** How much of a pack's end is read at once to find its TOC (§4.2). */
export const TAIL_READ = 16 * 1024

/** §4.2, TOC entry, 56 bytes, one per blob in slot order. */
const entry = record({
  what: 'TOC entry',
  size: TOC_ENTRY,
  magic: '',
  fields: {
    id: raw(0, 32),
    off: u32(32),
    clen: u32(36),
    ulen: u32(40),
    keyNo: u32(44),
    crcCt: u32(48),
    type: u8(52),
    comp: u8(53),
    aead: u8(54),
    flags: u8(55),
  },
})

export interface TocEntry extends BlobFacts {
  /** Offset of the blob header in the pack. */
  readonly off: number
}

/**
 * TOC and footer of a pack whose blobs end at `tocOff`. Throws FormatError if the entries are not contiguous from byte 64
 * or the pack grows beyond its bounds.
 */
export function encodePackTail(entries: readonly TocEntry[], repo: string): Buffer {
  const toc = Buffer.concat(entries.map((item) => entry.encode(item)))
  const last = entries.at(-1)
  const tocOff = last === undefined ? PACK_HEADER : last.off + BLOB_HEADER + last.clen
  const footer = { tocOff, tocLen: toc.length, count: entries.length, crcToc: crc32(toc), repo }
  const bytes = Buffer.concat([toc, encodePackFooter(footer)])
  readTail(bytes, tocOff + bytes.length)
  return bytes
}

export interface PackTail {
  readonly footer: PackFooter
  readonly entries: readonly TocEntry[]
}

/**
 * Footer and TOC from the last bytes of a pack (`tail`, at least 48 bytes or the whole pack). Where the TOC begins before
 * `tail`, nothing is decoded and `missing` says what to read besides.
 */
export function decodePackTail(
  tail: Uint8Array,
  packSize: number,
): PackTail | { readonly footer: PackFooter; readonly missing: { readonly offset: number; readonly length: number } } {
  checkPackSize(packSize)
  const footer = decodePackFooter(slice(tail, tail.length - PACK_FOOTER, PACK_FOOTER, 'pack footer'), packSize)
  const wanted = footer.tocLen + PACK_FOOTER
  if (tail.length < wanted) return { footer, missing: { offset: footer.tocOff, length: wanted } }
  return readTail(tail, packSize)
}

/** As decodePackTail, for a tail that is known to reach back to the TOC. */
export function readTail(tail: Uint8Array, packSize: number): PackTail {
  const footer = decodePackFooter(slice(tail, tail.length - PACK_FOOTER, PACK_FOOTER, 'pack footer'), packSize)
  const toc = slice(tail, tail.length - PACK_FOOTER - footer.tocLen, footer.tocLen, 'pack TOC')
  demand(crc32(toc) === footer.crcToc, 'pack TOC', 'CRC differs')
  const entries: TocEntry[] = []
  let end = PACK_HEADER
  for (let slot = 0; slot < footer.count; slot++) {
    const what = `TOC entry ${slot}`
    const found = checkBlob(entry.decode(toc.subarray(slot * TOC_ENTRY)), what)
    demand(found.off === end, what, `the blob begins at ${found.off} instead of ${end}`)
    end += BLOB_HEADER + found.clen
    entries.push(found)
  }
  demand(end === footer.tocOff, 'pack TOC', 'the blobs do not end where the TOC begins')
  return { footer, entries }
}

/** §4.2: packs of kind 0 hold chunks and config parts, of kind 1 pages. */
export function checkPackKind(kind: PackKind, entries: readonly TocEntry[]): void {
  for (const [slot, { type }] of entries.entries()) {
    demand((type === BLOB_PAGE) === (kind === PACK_META), `TOC entry ${slot}`, `type ${type} in a pack of kind ${kind}`)
  }
}

/** Size of a pack with these blobs: `112 + Σ(128 + clen)` (§9.3). */
export function packSizeOf(blobs: Iterable<{ readonly clen: number }>): number {
  let size = PACK_HEADER + PACK_FOOTER
  for (const { clen } of blobs) size += BLOB_HEADER + TOC_ENTRY + clen
  return size
}

/** Bytes of the largest blob that content of `ulen` bytes can make, its TOC entry included. */
export function blobRoom(ulen: number): number {
  return BLOB_HEADER + BLOB_OVERHEAD + ulen + TOC_ENTRY
}
