import { bounds } from './bounds.ts'
import { demandAscending, fromHex, slice } from './bytes.ts'
import { demand } from './errors.ts'
import { hex, record, u16, u32, u64 } from './record.ts'
import { RECORD_MAC, signRecord, splitMac, type BinarySigner, type RecordMac } from './records.ts'

const HEADER = 128

/** §4.9, roster `.r`, header, 128 bytes. */
const header = record({
  what: 'roster',
  size: HEADER,
  magic: 'R1GCR\0\0\0',
  crcAt: 124,
  version: { at: 8, bytes: 2 },
  flags: { at: 10, bytes: 2, known: 0 },
  reserved: [[84, 40]],
  fields: {
    flags: u16(10),
    macKey: u32(12),
    repo: hex(16, 16),
    epoch: u64(32),
    createdMs: u64(40),
    nonce: hex(48, 16),
    owner: hex(64, 16),
    count: u32(80),
  },
})

export interface Roster {
  readonly repo: string
  /** Of the run, or its base if it condemned nothing. */
  readonly epoch: number
  readonly createdMs: number
  readonly nonce: string
  readonly owner: string
  /** UUIDs of all roots seen, sorted. */
  readonly snaps: readonly string[]
}

/** `snaps` may come in any order. */
export function encodeRoster(fields: Roster, signer: BinarySigner): Buffer {
  const snaps = [...fields.snaps].sort()
  const head = header.encode({ ...fields, flags: 0, macKey: signer.keyNo, count: snaps.length })
  const whole = signRecord(Buffer.concat([head, ...snaps.map((snap) => fromHex(snap, 16, 'roster'))]), signer)
  decodeRoster(whole)
  return whole
}

/** Throws FormatError or FormatUnsupported. */
export function decodeRoster(bytes: Uint8Array): Roster & RecordMac {
  const { count, macKey, flags: _, ...head } = header.decode(bytes)
  demand(count <= bounds.roster, 'roster', `${count} snapshots`)
  const mac = splitMac(bytes, HEADER + 16 * count + RECORD_MAC, macKey, 'roster')
  const table = slice(bytes, HEADER, 16 * count, 'roster')
  demandAscending(table, 16, 'roster')
  const snaps: string[] = []
  for (let at = 0; at < table.length; at += 16) snaps.push(table.toString('hex', at, at + 16))
  return { ...head, snaps, ...mac }
}
