import { bounds } from './bounds.ts'
import { slice } from './bytes.ts'
import type { Condemned } from './condemned.ts'
import { demand } from './errors.ts'
import { hex, record, u16, u32, u64 } from './record.ts'
import { RECORD_MAC, signRecord, splitMac, type BinarySigner, type RecordMac } from './records.ts'

const HEADER = 128
/** Flag bit 0: stopped, nothing is final. */
const STOPPED = 1

/** §4.8, final set `.f`, header, 128 bytes. */
const header = record({
  what: 'final set',
  size: HEADER,
  magic: 'R1GCF\0\0\0',
  crcAt: 124,
  version: { at: 8, bytes: 2 },
  flags: { at: 10, bytes: 2, known: STOPPED },
  reserved: [[104, 20]],
  fields: {
    flags: u16(10),
    macKey: u32(12),
    repo: hex(16, 16),
    epoch: u64(32),
    createdMs: u64(40),
    nonce: hex(48, 16),
    condemnedSha: hex(64, 32),
    nPacks: u32(96),
    nSet: u32(100),
  },
})

export interface Final {
  readonly repo: string
  readonly epoch: number
  readonly createdMs: number
  /** Of the `.c`. */
  readonly nonce: string
  /** SHA-256 of the whole `.c` object. */
  readonly condemnedSha: string
  /** Of the `.c`. */
  readonly nPacks: number
  /** The run ended by the stop rule; nothing is final. */
  readonly stopped: boolean
  /** Ordinals of the packs that are final, ascending. */
  readonly ordinals: readonly number[]
}

export function encodeFinal(fields: Final, signer: BinarySigner): Buffer {
  const bitmap = Buffer.alloc(Math.ceil(fields.nPacks / 8))
  for (const ordinal of fields.ordinals) {
    demand(ordinal < fields.nPacks, 'final set', `ordinal ${ordinal} of ${fields.nPacks}`)
    bitmap.writeUInt8(bitmap.readUInt8(ordinal >> 3) | (1 << (ordinal & 7)), ordinal >> 3)
  }
  const flags = fields.stopped ? STOPPED : 0
  const head = { ...fields, flags, macKey: signer.keyNo, nSet: new Set(fields.ordinals).size }
  const whole = signRecord(Buffer.concat([header.encode(head), bitmap]), signer)
  decodeFinal(whole)
  return whole
}

/** Throws FormatError or FormatUnsupported; whoever meets that treats the `.f` as absent (§4.8). */
export function decodeFinal(bytes: Uint8Array): Final & RecordMac {
  const what = 'final set'
  const { flags, macKey, nSet, ...head } = header.decode(bytes)
  demand(head.nPacks <= bounds.condemned.packs, what, `${head.nPacks} packs`)
  const length = Math.ceil(head.nPacks / 8)
  const mac = splitMac(bytes, HEADER + length + RECORD_MAC, macKey, what)
  const bitmap = slice(bytes, HEADER, length, what)
  const ordinals: number[] = []
  for (let ordinal = 0; ordinal < length * 8; ordinal++) {
    if (((bitmap[ordinal >> 3] ?? 0) & (1 << (ordinal & 7))) === 0) continue
    demand(ordinal < head.nPacks, what, 'a bit beyond the last pack is set')
    ordinals.push(ordinal)
  }
  demand(ordinals.length === nSet, what, `${ordinals.length} bits are set instead of ${nSet}`)
  const stopped = (flags & STOPPED) !== 0
  demand(!stopped || nSet === 0, what, 'stopped, yet packs are final')
  return { ...head, stopped, ordinals, ...mac }
}

/** §4.8: whether a `.f` belongs to this `.c`. `condemnedSha`: SHA-256 of the `.c` object's bytes. */
export function matchesCondemned(final: Final, condemned: Condemned, condemnedSha: string): boolean {
  return (
    final.condemnedSha === condemnedSha &&
    final.epoch === condemned.epoch &&
    final.nonce === condemned.nonce &&
    final.nPacks === condemned.packs.length
  )
}
