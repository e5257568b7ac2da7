import { bounds } from './bounds.ts'
import { demand, formatError } from './errors.ts'
import { parseStem } from './names.ts'
import { hex, raw, record, u16, u32, u64 } from './record.ts'

export const MANIFEST_HEADER = 128
/** Flag bit 0: mirrored. Bit 1: no disks (catalogue or audit). */
export const MANIFEST_MIRRORED = 1
export const MANIFEST_NO_DISKS = 2

/** §4.4, clear header, 128 bytes; all of it is the AAD of the body. */
const header = record({
  what: 'manifest header',
  size: MANIFEST_HEADER,
  magic: 'R1SNAP\0\0',
  crcAt: 124,
  version: { at: 8, bytes: 2 },
  flags: { at: 10, bytes: 2, known: MANIFEST_MIRRORED | MANIFEST_NO_DISKS },
  reserved: [[120, 4]],
  fields: {
    flags: u16(10),
    bodyLen: u32(12),
    repo: hex(16, 16),
    snap: hex(32, 16),
    series: hex(48, 16),
    createdMs: u64(64),
    stampEpoch: u64(72),
    parent: hex(80, 16),
    lockUntilSec: u64(96),
    mdkNo: u32(104),
    nonce: raw(108, 12),
  },
})

export interface ManifestHeader {
  readonly flags: number
  /** Ciphertext of the body, tag included. */
  readonly bodyLen: number
  readonly repo: string
  readonly snap: string
  readonly series: string
  readonly createdMs: number
  /** Smallest stamp among the session's own uploads; stamp of S0 (part 0) if it uploaded nothing. */
  readonly stampEpoch: number
  /** 32 zeros if none. */
  readonly parent: string
  /** 0 if not locked. */
  readonly lockUntilSec: number
  readonly mdkNo: number
  /** 12 random bytes. */
  readonly nonce: Uint8Array
}

export const NO_PARENT = '0'.repeat(32)

export function encodeManifestHeader(fields: ManifestHeader): Buffer {
  checkBodyLength(fields.bodyLen)
  return header.encode(fields)
}

/**
 * Of the first 128 bytes. `objectSize`: bytes of the whole object, which must be exactly header and body; `stem`: what the
 * name says, which the header must repeat.
 */
export function decodeManifestHeader(bytes: Uint8Array, objectSize: number, stem: string): ManifestHeader {
  const found = header.decode(bytes)
  checkBodyLength(found.bodyLen)
  demand(objectSize === MANIFEST_HEADER + found.bodyLen, 'manifest', `${objectSize} bytes, not header and body`)
  const name = parseStem(stem)
  if (found.snap !== name.snap || found.series !== name.series || found.createdMs !== name.createdMs) {
    throw formatError('manifest header', `is that of another snapshot than ${stem}`)
  }
  return found
}

function checkBodyLength(bodyLen: number): void {
  demand(bodyLen >= 48 && bodyLen <= bounds.manifest.body, 'manifest header', `body of ${bodyLen} bytes`)
}
