import { bounds } from './bounds.ts'
import { buffer, fromHex, packTable, readPackTable, readU64, slice, toHex, writeU64 } from './bytes.ts'
import { demand } from './errors.ts'
import { hex, record, u16, u32, u64 } from './record.ts'
import { RECORD_MAC, signRecord, splitMac, type BinarySigner, type RecordMac } from './records.ts'

const HEADER = 128
const SEEN = 24

/** §4.7, condemned set `.c`, header, 128 bytes. */
const header = record({
  what: 'condemned set',
  size: HEADER,
  magic: 'R1GCC\0\0\0',
  crcAt: 124,
  version: { at: 8, bytes: 2 },
  flags: { at: 10, bytes: 2, known: 0 },
  reserved: [[96, 28]],
  fields: {
    flags: u16(10),
    macKey: u32(12),
    repo: hex(16, 16),
    epoch: u64(32),
    createdMs: u64(40),
    nonce: hex(48, 16),
    owner: hex(64, 16),
    nSeen: u32(80),
    nPacks: u32(84),
    floorSeen: u64(88),
  },
})

export interface SeenRecord {
  readonly epoch: number
  readonly nonce: string
}

export interface Condemned {
  readonly repo: string
  readonly epoch: number
  readonly createdMs: number
  readonly nonce: string
  /** The run. */
  readonly owner: string
  /** Floor read at G0. */
  readonly floorSeen: number
  /** Records present at G0, by epoch, then nonce. */
  readonly seen: readonly SeenRecord[]
  /** Sorted; a pack's ordinal is its index here. */
  readonly packs: readonly string[]
}

/** `seen` and `packs` may come in any order. */
export function encodeCondemned(fields: Condemned, signer: BinarySigner): Buffer {
  const packs = [...fields.packs].sort()
  const seen = [...fields.seen].sort(bySeen)
  const head = { ...fields, flags: 0, macKey: signer.keyNo, nSeen: seen.length, nPacks: packs.length }
  const seenBytes = Buffer.alloc(SEEN * seen.length)
  for (const [index, item] of seen.entries()) {
    writeU64(seenBytes, SEEN * index, item.epoch)
    seenBytes.set(fromHex(item.nonce, 16, 'nonce'), SEEN * index + 8)
  }
  const whole = signRecord(Buffer.concat([header.encode(head), seenBytes, packTable(packs, 'condemned set')]), signer)
  decodeCondemned(whole)
  return whole
}

/** Throws FormatError or FormatUnsupported. The MAC is the caller's to verify (§8.1). */
export function decodeCondemned(bytes: Uint8Array): Condemned & RecordMac {
  const what = 'condemned set'
  const { nSeen, nPacks, macKey, flags: _, ...head } = header.decode(bytes)
  demand(nSeen <= bounds.condemned.seen, what, `${nSeen} records seen`)
  demand(nPacks <= bounds.condemned.packs, what, `${nPacks} packs`)
  const tableAt = HEADER + SEEN * nSeen
  const mac = splitMac(bytes, tableAt + 32 * nPacks + RECORD_MAC, macKey, what)
  const seen: SeenRecord[] = []
  for (let at = HEADER; at < tableAt; at += SEEN) {
    const item = { epoch: readU64(buffer(bytes), at, what), nonce: toHex(slice(bytes, at + 8, 16, what)) }
    const last = seen.at(-1)
    demand(last === undefined || bySeen(last, item) < 0, what, 'the records seen are out of order')
    seen.push(item)
  }
  return { ...head, seen, packs: readPackTable(slice(bytes, tableAt, 32 * nPacks, what), what), ...mac }
}

function bySeen(a: SeenRecord, b: SeenRecord): number {
  return a.epoch - b.epoch || (a.nonce < b.nonce ? -1 : a.nonce > b.nonce ? 1 : 0)
}
