import { hex, record, u16, u32, u64 } from './record.ts'
import { RECORD_MAC, signRecord, splitMac, type BinarySigner, type RecordMac } from './records.ts'

const HEADER = 64

/** §4.10, floor, header, 64 bytes. */
const header = record({
  what: 'floor',
  size: HEADER,
  magic: 'R1FLOOR\0',
  crcAt: 60,
  version: { at: 8, bytes: 2 },
  flags: { at: 10, bytes: 2, known: 0 },
  reserved: [[48, 12]],
  fields: { flags: u16(10), macKey: u32(12), repo: hex(16, 16), n: u64(32), createdMs: u64(40) },
})

export interface Floor {
  readonly repo: string
  /** Records with epoch < n are retired. */
  readonly n: number
}

/** Two parties that write the same floor write the same bytes: the time is 0. */
export function encodeFloor({ repo, n }: Floor, signer: BinarySigner): Buffer {
  return signRecord(header.encode({ flags: 0, macKey: signer.keyNo, repo, n, createdMs: 0 }), signer)
}

/** Throws FormatError or FormatUnsupported. `createdMs` is ignored (§4.10). */
export function decodeFloor(bytes: Uint8Array): Floor & RecordMac {
  const { repo, n, macKey } = header.decode(bytes)
  return { repo, n, ...splitMac(bytes, HEADER + RECORD_MAC, macKey, 'floor') }
}
