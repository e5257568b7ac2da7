import { closeSync, openSync, readSync } from 'node:fs'
import {
  bucketOf,
  decodeSegmentHeader,
  formatError,
  hasPrefix,
  readSegmentEntry,
  readSegmentPack,
  SEGMENT_ENTRY,
  SEGMENT_HEADER,
  SEGMENT_PACK,
  type SegmentEntry,
  type SegmentHeader,
  type SegmentPack,
} from '../format/index.ts'

/** Entries read at once at the end of a search. */
const WINDOW = 128
/** Records read at once in a pass over all of them. */
const SWEEP = 4096
/**
 * Segments up to this size keep the first four bytes of their ids in memory: level 0, of which there can be thousands
 * before they are merged, then answers *not here* without reading. Together at most `PREFIX_BYTES`.
 */
const PREFIX_ENTRIES = 16_384
const PREFIX_BYTES = 48 * 1024 * 1024
let prefixBytes = 0

/**
 * One segment, read in place (§4.6): the fan-out is held in memory (4 bytes for about 64 entries), everything else is read
 * where a lookup needs it. The bytes have been checked against their name before.
 */
export class SegmentFile implements Disposable {
  /** 64 hex digits. */
  readonly sha: string
  readonly header: SegmentHeader
  readonly #fd: number
  readonly #fanout: Buffer
  readonly #window = Buffer.alloc(WINDOW * SEGMENT_ENTRY)
  readonly #prefixes: Uint32Array | undefined

  /** Throws FormatError or FormatUnsupported. `size`: bytes of the file. */
  constructor(sha: string, path: string, size: number) {
    this.sha = sha
    this.#fd = openSync(path, 'r')
    try {
      this.header = decodeSegmentHeader(this.#read(0, Math.min(SEGMENT_HEADER, size)), size)
      this.#fanout = this.#read(SEGMENT_HEADER, 4 * 2 ** this.header.fanoutBits)
      this.#prefixes = this.#readPrefixes()
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  [Symbol.dispose](): void {
    prefixBytes -= this.#prefixes?.byteLength ?? 0
    closeSync(this.#fd)
  }

  /** Every entry of an id. The result's `id` is a copy. */
  *lookup(id: Uint8Array): Generator<SegmentEntry> {
    const { prefixBits, prefix, fanoutBits } = this.header
    if (!hasPrefix(id, prefixBits, prefix) || this.#isNotHere(id)) return
    const bucket = bucketOf(id, prefixBits, fanoutBits)
    const end = this.#fanout.readUInt32LE(4 * bucket)
    let index = this.#lowerBound(id, bucket === 0 ? 0 : this.#fanout.readUInt32LE(4 * bucket - 4), end)
    for (; index < end; index++) {
      const at = Buffer.from(this.#entryBytes(index, 1))
      if (at.compare(id, 0, 32, 0, 32) !== 0) return
      yield readSegmentEntry(at, 0)
    }
  }

  pack(ordinal: number): SegmentPack {
    if (ordinal >= this.header.nPacks) throw formatError('segment', `pack ${ordinal} of ${this.header.nPacks}`)
    return readSegmentPack(this.#read(this.header.packsOff + SEGMENT_PACK * ordinal, SEGMENT_PACK), 0)
  }

  *packs(): Generator<SegmentPack> {
    for (let ordinal = 0; ordinal < this.header.nPacks; ordinal++) yield this.pack(ordinal)
  }

  /** All entries in order; ids are views into memory that the next step overwrites. */
  *entries(): Generator<SegmentEntry> {
    for (let from = 0; from < this.header.nEntries; from += WINDOW) {
      const count = Math.min(WINDOW, this.header.nEntries - from)
      const bytes = Buffer.from(this.#entryBytes(from, count))
      for (let i = 0; i < count; i++) yield readSegmentEntry(bytes, i * SEGMENT_ENTRY)
    }
  }

  /** All 48-byte entries as they stand, in windows; each is overwritten by the next step. For passes over everything. */
  *rawEntries(): Generator<Buffer> {
    const { entriesOff, nEntries } = this.header
    yield* this.#sweep(entriesOff, nEntries, SEGMENT_ENTRY)
  }

  /** As rawEntries, of the pack table: 40 bytes each, in the order of their names. */
  *rawPacks(): Generator<Buffer> {
    const { packsOff, nPacks } = this.header
    yield* this.#sweep(packsOff, nPacks, SEGMENT_PACK)
  }

  /** Names of the segments that this one supersedes. */
  supersedes(): string[] {
    const { supersedesOff, nSupersedes } = this.header
    const table = this.#read(supersedesOff, 32 * nSupersedes)
    return Array.from({ length: nSupersedes }, (_, index) => table.toString('hex', 32 * index, 32 * index + 32))
  }

  *#sweep(offset: number, count: number, size: number): Generator<Buffer> {
    const window = Buffer.allocUnsafe(size * Math.min(SWEEP, count))
    for (let from = 0; from < count; from += SWEEP) {
      const bytes = window.subarray(0, size * Math.min(SWEEP, count - from))
      this.#fill(bytes, offset + size * from)
      yield bytes
    }
  }

  #readPrefixes(): Uint32Array | undefined {
    const { nEntries } = this.header
    if (nEntries > PREFIX_ENTRIES || prefixBytes + 4 * nEntries > PREFIX_BYTES) return undefined
    const prefixes = new Uint32Array(nEntries)
    for (let from = 0; from < nEntries; from += WINDOW) {
      const bytes = this.#entryBytes(from, Math.min(WINDOW, nEntries - from))
      for (let at = 0; at < bytes.length; at += SEGMENT_ENTRY)
        prefixes[from + at / SEGMENT_ENTRY] = bytes.readUInt32BE(at)
    }
    prefixBytes += prefixes.byteLength
    return prefixes
  }

  #isNotHere(id: Uint8Array): boolean {
    const prefixes = this.#prefixes
    if (prefixes === undefined) return false
    const wanted = Buffer.from(id.buffer, id.byteOffset, 4).readUInt32BE(0)
    let low = 0
    for (let high = prefixes.length; low < high;) {
      const middle = (low + high) >>> 1
      if ((prefixes[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return prefixes[low] !== wanted
  }

  /** First index in [low, high) whose id is not before `id`. Ids are uniform: interpolation first, then halving. */
  #lowerBound(id: Uint8Array, low: number, high: number): number {
    for (let step = 0; high - low > WINDOW; step++) {
      const guess = step < 3 ? this.#interpolate(id, low, high) : (low + high) >>> 1
      if (this.#entryBytes(guess, 1).compare(id, 0, 32, 0, 32) < 0) low = guess + 1
      else high = guess
    }
    if (high === low) return low
    const bytes = this.#entryBytes(low, high - low)
    for (let first = 0, last = high - low; ;) {
      if (first === last) return low + first
      const middle = (first + last) >>> 1
      const at = middle * SEGMENT_ENTRY
      if (bytes.compare(id, 0, 32, at, at + 32) < 0) first = middle + 1
      else last = middle
    }
  }

  #interpolate(id: Uint8Array, low: number, high: number): number {
    const key = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, 6).readUIntBE(0, 6)
    const least = key(this.#entryBytes(low, 1))
    const most = key(this.#entryBytes(high - 1, 1))
    const share = most === least ? 0.5 : (key(id) - least) / (most - least)
    return Math.min(high - 1, Math.max(low, low + Math.floor(share * (high - low))))
  }

  /** A view that the next call overwrites. */
  #entryBytes(index: number, count: number): Buffer {
    const into = this.#window.subarray(0, count * SEGMENT_ENTRY)
    this.#fill(into, this.header.entriesOff + SEGMENT_ENTRY * index)
    return into
  }

  #read(offset: number, length: number): Buffer {
    const into = Buffer.alloc(length)
    this.#fill(into, offset)
    return into
  }

  #fill(into: Buffer, offset: number): void {
    for (let at = 0; at < into.length;) {
      const read = readSync(this.#fd, into, at, into.length - at, offset + at)
      if (read === 0) throw formatError('segment', `the cached file ends at byte ${offset + at}`)
      at += read
    }
  }
}
