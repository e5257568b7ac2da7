import { bounds } from './bounds.ts'
import { demand, formatError, unsupported } from './errors.ts'
import { hex, raw, record, u32, u64, u8 } from './record.ts'

/** 0 holds chunks and config parts, 1 holds pages (§4.2). */
export type PackKind = 0 | 1
export const PACK_DATA = 0
export const PACK_META = 1
export const PACK_HEADER = 64
export const PACK_FOOTER = 48
export const TOC_ENTRY = 56
/** Flag bit 0 of a pack header. */
export const PACK_BY_COMPACTION = 1

/** §4.2, pack header, 64 bytes. */
const header = record({
  what: 'pack header',
  size: PACK_HEADER,
  magic: 'R1PACK\0\0',
  crcAt: 60,
  version: { at: 8, bytes: 2 },
  flags: { at: 11, bytes: 1, known: PACK_BY_COMPACTION },
  fields: {
    kind: u8(10),
    flags: u8(11),
    hdrLen: u32(12),
    repo: hex(16, 16),
    random: raw(32, 16),
    createdMs: u64(48),
    seriesHash: raw(56, 4),
  },
})

export interface PackHeader {
  readonly kind: PackKind
  readonly flags: number
  /** Repository UUID. A foreign one is a fault that the caller reports (§4.2); it decodes. */
  readonly repo: string
  /** 16 bytes that make the name unique. */
  readonly random: Uint8Array
  readonly createdMs: number
  /** First 4 bytes of the series; zero for packs of mixed origin. */
  readonly seriesHash: Uint8Array
}

export function decodePackHeader(bytes: Uint8Array): PackHeader {
  const { hdrLen, kind, ...rest } = header.decode(bytes)
  if (kind > 1) throw unsupported('pack header', `pack kind ${kind}`)
  demand(hdrLen === PACK_HEADER, 'pack header', `header length ${hdrLen}`)
  return { kind: kind as PackKind, ...rest }
}

export function encodePackHeader(fields: PackHeader): Buffer {
  return header.encode({ ...fields, hdrLen: PACK_HEADER })
}

/** §4.2, footer, 48 bytes. */
const footer = record({
  what: 'pack footer',
  size: PACK_FOOTER,
  magic: 'R1PTOC\0\0',
  crcAt: 44,
  reserved: [[40, 4]],
  fields: { tocOff: u32(8), tocLen: u32(12), count: u32(16), crcToc: u32(20), repo: hex(24, 16) },
})

export interface PackFooter {
  readonly tocOff: number
  readonly tocLen: number
  readonly count: number
  readonly crcToc: number
  readonly repo: string
}

/** `packSize`: bytes of the whole pack, which the footer's offsets must fill exactly. */
export function decodePackFooter(bytes: Uint8Array, packSize: number): PackFooter {
  checkPackSize(packSize)
  const found = footer.decode(bytes)
  demand(found.count >= 1 && found.count <= bounds.pack.blobs, 'pack footer', `${found.count} blobs`)
  demand(found.tocLen === TOC_ENTRY * found.count, 'pack footer', 'TOC length and number of blobs disagree')
  demand(
    found.tocOff >= PACK_HEADER && found.tocOff + found.tocLen + PACK_FOOTER === packSize,
    'pack footer',
    'the TOC does not end where the footer begins',
  )
  return found
}

export function encodePackFooter(fields: PackFooter): Buffer {
  return footer.encode(fields)
}

export function checkPackSize(packSize: number): void {
  if (packSize < bounds.pack.min || packSize > bounds.pack.max) {
    throw formatError('pack', `${packSize} bytes, outside ${bounds.pack.min} … ${bounds.pack.max}`)
  }
}
