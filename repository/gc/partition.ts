import { assembleSegment, SEGMENT_ENTRY, SEGMENT_META, SEGMENT_PACK, type SegmentContent } from '../format/index.ts'
import { Bits } from './bits.ts'
import { ordinalsOf, type SegmentSource } from './contents.ts'
import type { PackTable } from './pack-table.ts'

/** Level 1 is cut so that a partition is near this (§4.6). */
const PARTITION_BYTES = 64 * 1024 * 1024
const MAX_PREFIX_BITS = 16
const FIRST = 4096 * SEGMENT_ENTRY

/** §4.6: the smallest p with which a partition of uniform ids is at most 64 MiB. */
export function prefixBitsFor(entries: number, packs: number): number {
  let p = 0
  const bytes = () => {
    const mine = entries / 2 ** p
    return SEGMENT_ENTRY * mine + SEGMENT_PACK * Math.min(packs, mine)
  }
  while (p < MAX_PREFIX_BITS && bytes() > PARTITION_BYTES) p += 1
  return p
}

/** What segments say of packs besides their sizes: 3 bytes a pack. */
export class PackFacts {
  readonly #table: PackTable
  readonly #lockDays: Uint16Array
  readonly #meta: Bits

  constructor(table: PackTable) {
    this.#table = table
    this.#lockDays = new Uint16Array(table.count)
    this.#meta = new Bits(table.count)
  }

  /** Ordinals of a segment's packs; remembers what its table says. */
  learn(segment: SegmentSource): Uint32Array {
    const ordinals = ordinalsOf(this.#table, segment)
    let index = 0
    for (const window of segment.rawPacks()) {
      for (let at = 0; at < window.length; at += SEGMENT_PACK) {
        const ordinal = ordinals[index++]
        if (ordinal === undefined || ordinal >= this.#table.count) continue
        // Each is a lower bound of the day until which the pack is locked.
        this.#lockDays[ordinal] = Math.max(this.#lockDays[ordinal] ?? 0, window.readUInt16LE(at + 36))
        if ((window.readUInt16LE(at + 38) & SEGMENT_META) !== 0) this.#meta.set(ordinal)
      }
    }
    return ordinals
  }

  /** §4.6, pack table entry. */
  write(ordinal: number, into: Buffer, at: number): void {
    this.#table.copyName(ordinal, into, at)
    into.writeUInt32LE(this.#table.size(ordinal), at + 32)
    into.writeUInt16LE(this.#lockDays[ordinal] ?? 0, at + 36)
    into.writeUInt16LE(this.#meta.has(ordinal) ? SEGMENT_META : 0, at + 38)
  }
}

/**
 * One level-1 segment in the making: entries as bytes, their packs by the ordinal of the listing, which is in the order of
 * names, so that sorting by it sorts by name. The memory is used for one partition after the other.
 */
export class Partition {
  readonly #facts: PackFacts
  #entries = Buffer.alloc(FIRST)
  #used: Bits
  readonly #packs: number
  #length = 0

  constructor(facts: PackFacts, packs: number) {
    this.#facts = facts
    this.#packs = packs
    this.#used = new Bits(packs)
  }

  get count(): number {
    return this.#length / SEGMENT_ENTRY
  }

  /** `window` at `at`: an entry as it stands; `ordinal` takes the place of its packOrd. In order of (id, ordinal). */
  add(window: Buffer, at: number, ordinal: number): void {
    if (this.#length === this.#entries.length) {
      const larger = Buffer.alloc(2 * this.#entries.length)
      this.#entries.copy(larger)
      this.#entries = larger
    }
    window.copy(this.#entries, this.#length, at, at + SEGMENT_ENTRY)
    this.#entries.writeUInt32LE(ordinal, this.#length + 32)
    this.#used.set(ordinal)
    this.#length += SEGMENT_ENTRY
  }

  /** The segment, in shared memory; the partition is empty again. */
  finish(fields: Omit<SegmentContent, 'entries' | 'packs'>): Buffer {
    const local = new Map<number, number>()
    const ordinals: number[] = []
    for (let ordinal = 0; ordinal < this.#packs; ordinal++) {
      if (!this.#used.clear(ordinal)) continue
      local.set(ordinal, ordinals.length)
      ordinals.push(ordinal)
    }
    const packs = Buffer.alloc(SEGMENT_PACK * ordinals.length)
    for (const [index, ordinal] of ordinals.entries()) this.#facts.write(ordinal, packs, SEGMENT_PACK * index)
    const entries = this.#entries.subarray(0, this.#length)
    for (let at = 32; at < entries.length; at += SEGMENT_ENTRY) {
      entries.writeUInt32LE(local.get(entries.readUInt32LE(at)) ?? 0, at)
    }
    this.#length = 0
    return assembleSegment({ ...fields, entries, packs }, (bytes) => Buffer.from(new SharedArrayBuffer(bytes)))
  }
}
