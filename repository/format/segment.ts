import { BLOB_HEADER, bounds } from './bounds.ts'
import { buffer, demandAscending, fromHex } from './bytes.ts'
import { BLOB_PAGE } from './blob.ts'
import { crc32 } from './crc.ts'
import { demand, unsupported } from './errors.ts'
import { PACK_FOOTER, TOC_ENTRY } from './pack.ts'
import { hex, record, u32, u64, u8 } from './record.ts'
import {
  entryOrder,
  readPackFacts,
  readSegmentEntry,
  SEGMENT_ENTRY,
  SEGMENT_PACK,
  writeSegmentEntry,
  writeSegmentPack,
  type SegmentEntry,
  type SegmentPack,
} from './segment-table.ts'

export const SEGMENT_HEADER = 128

/** §4.6, header, 128 bytes. */
const header = record({
  what: 'segment header',
  size: SEGMENT_HEADER,
  magic: 'R1IDX\0\0\0',
  crcAt: 124,
  version: { at: 8, bytes: 2 },
  reserved: [
    [13, 3],
    [96, 24],
  ],
  fields: {
    level: u8(10),
    prefixBits: u8(11),
    fanoutBits: u8(12),
    repo: hex(16, 16),
    stampEpoch: u64(32),
    createdMs: u64(40),
    nEntries: u32(48),
    nPacks: u32(52),
    nSupersedes: u32(56),
    prefix: u32(60),
    entriesOff: u32(64),
    packsOff: u32(68),
    supersedesOff: u32(72),
    totalLen: u32(76),
    producer: hex(80, 16),
    crcPayload: u32(120),
  },
})

export interface SegmentHeader {
  readonly level: 0 | 1
  /** All ids share their top p bits (`prefix`, left-aligned). */
  readonly prefixBits: number
  /** k: the fan-out has 2^k words. */
  readonly fanoutBits: number
  readonly repo: string
  /** Valid for every pack of the pack table (§8.2). */
  readonly stampEpoch: number
  readonly createdMs: number
  readonly nEntries: number
  readonly nPacks: number
  readonly nSupersedes: number
  readonly prefix: number
  readonly entriesOff: number
  readonly packsOff: number
  readonly supersedesOff: number
  readonly totalLen: number
  /** Session or GC run. */
  readonly producer: string
  readonly crcPayload: number
}

export interface SegmentContent {
  readonly level: 0 | 1
  readonly prefixBits: number
  readonly prefix: number
  readonly repo: string
  readonly stampEpoch: number
  readonly createdMs: number
  readonly producer: string
  /** Any order; `pack` is a name of `packs`. */
  readonly entries: readonly (Omit<SegmentEntry, 'packOrd'> & { readonly pack: string })[]
  /** Any order. */
  readonly packs: readonly SegmentPack[]
  /** Any order: names of superseded segments. */
  readonly supersedes: readonly string[]
  /** Default: the smallest that leaves at most 64 entries per bucket on average. */
  readonly fanoutBits?: number
}

/** §4.6: the smallest k that leaves at most 64 entries per bucket on average. */
export function fanoutBitsFor(nEntries: number, prefixBits: number): number {
  const most = Math.min(bounds.segment.fanoutBits, 32 - prefixBits)
  let k = 0
  while (k < most && nEntries / 2 ** k > 64) k++
  return k
}

/** §4.6: bucket of an id, from its first four bytes. */
export function bucketOf(id: Uint8Array, prefixBits: number, fanoutBits: number): number {
  if (fanoutBits === 0) return 0
  return ((buffer(id).readUInt32BE(0) << prefixBits) >>> 0) >>> (32 - fanoutBits)
}

/** §4.6: whether an id belongs to a segment by its prefix. */
export function hasPrefix(id: Uint8Array, prefixBits: number, prefix: number): boolean {
  return prefixBits === 0 || (buffer(id).readUInt32BE(0) ^ prefix) >>> (32 - prefixBits) === 0
}

/** The object's bytes; its name is their SHA-256. Throws FormatError for content that a decoder would refuse. */
export function encodeSegment(content: SegmentContent): Buffer {
  const packs = [...content.packs].sort((a, b) => (a.sha < b.sha ? -1 : 1))
  const ordinal = new Map(packs.map((pack, index) => [pack.sha, index]))
  const entries = content.entries
    .map((entry) => {
      const packOrd = ordinal.get(entry.pack)
      demand(packOrd !== undefined, 'segment', `pack ${entry.pack} of an entry is not in the pack table`)
      return { ...entry, packOrd }
    })
    .sort((a, b) => Buffer.compare(a.id, b.id) || a.packOrd - b.packOrd || a.slot - b.slot)
  const entryBytes = Buffer.alloc(SEGMENT_ENTRY * entries.length)
  for (const [index, entry] of entries.entries()) writeSegmentEntry(entryBytes, SEGMENT_ENTRY * index, entry)
  const packBytes = Buffer.alloc(SEGMENT_PACK * packs.length)
  for (const [index, pack] of packs.entries()) writeSegmentPack(packBytes, SEGMENT_PACK * index, pack)
  return assembleSegment({ ...content, entries: entryBytes, packs: packBytes })
}

/** As encodeSegment, for tables that are in their bytes and in order. Memory: the result alone. */
export function assembleSegment(
  content: Omit<SegmentContent, 'entries' | 'packs'> & {
    /** 48 bytes each, sorted by (id, packOrd). */
    readonly entries: Buffer
    /** 40 bytes each, sorted by name. */
    readonly packs: Buffer
  },
  /** Memory for the result: zeroes. */
  reserve: (bytes: number) => Buffer = (bytes) => Buffer.alloc(bytes),
): Buffer {
  const { level, prefixBits, prefix, repo, stampEpoch, createdMs, producer, entries, packs, supersedes } = content
  const nEntries = entries.length / SEGMENT_ENTRY
  const fanoutBits = content.fanoutBits ?? fanoutBitsFor(nEntries, prefixBits)
  const layout = segmentLayout(fanoutBits, nEntries, packs.length / SEGMENT_PACK, supersedes.length)
  const whole = reserve(layout.totalLen)
  const counts = new Uint32Array(2 ** fanoutBits)
  for (let at = 0; at < entries.length; at += SEGMENT_ENTRY) {
    const bucket = bucketOf(entries.subarray(at, at + 4), prefixBits, fanoutBits)
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  let sum = 0
  for (const [bucket, count] of counts.entries()) whole.writeUInt32LE((sum += count), SEGMENT_HEADER + 4 * bucket)
  entries.copy(whole, layout.entriesOff)
  packs.copy(whole, layout.packsOff)
  for (const [index, name] of [...supersedes].sort().entries()) {
    whole.set(fromHex(name, 32, 'superseded segment'), layout.supersedesOff + 32 * index)
  }
  const head = { level, prefixBits, fanoutBits, repo, stampEpoch, createdMs, prefix, producer, ...layout }
  header.encode({ ...head, crcPayload: crc32(whole.subarray(SEGMENT_HEADER)) }).copy(whole)
  checkSegment(whole)
  return whole
}

/** Header of a segment whose object has `objectSize` bytes. Every offset is checked against its counts. */
export function decodeSegmentHeader(bytes: Uint8Array, objectSize: number): SegmentHeader {
  const found = header.decode(bytes)
  const { level, prefixBits, prefix, fanoutBits, nEntries, nPacks, nSupersedes } = found
  if (level > 1) throw unsupported('segment header', `level ${level}`)
  const what = 'segment header'
  demand(
    prefixBits <= bounds.segment.prefixBits && (level === 1 || prefixBits === 0),
    what,
    `prefix of ${prefixBits} bits`,
  )
  demand(prefixBits === 0 ? prefix === 0 : (prefix << prefixBits) >>> 0 === 0, what, 'prefix longer than its bits')
  demand(
    fanoutBits <= bounds.segment.fanoutBits && prefixBits + fanoutBits <= 32,
    what,
    `fan-out of ${fanoutBits} bits`,
  )
  const layout = segmentLayout(fanoutBits, nEntries, nPacks, nSupersedes)
  for (const [name, value] of Object.entries(layout)) {
    demand(found[name as keyof typeof layout] === value, what, `${name} is not as computed`)
  }
  demand(layout.totalLen === objectSize, what, `${objectSize} bytes instead of ${layout.totalLen}`)
  return { ...found, level: level as 0 | 1 }
}

/** Offsets of §4.6 from the counts, which are checked against §4.12 first. */
function segmentLayout(
  fanoutBits: number,
  nEntries: number,
  nPacks: number,
  nSupersedes: number,
): Pick<
  SegmentHeader,
  'nEntries' | 'nPacks' | 'nSupersedes' | 'entriesOff' | 'packsOff' | 'supersedesOff' | 'totalLen'
> {
  const what = 'segment header'
  demand(nEntries <= bounds.segment.entries, what, `${nEntries} entries`)
  demand(nPacks <= bounds.segment.packs, what, `${nPacks} packs`)
  demand(nSupersedes <= bounds.segment.supersedes, what, `${nSupersedes} superseded segments`)
  const entriesOff = SEGMENT_HEADER + 4 * 2 ** fanoutBits
  const packsOff = entriesOff + SEGMENT_ENTRY * nEntries
  const supersedesOff = packsOff + SEGMENT_PACK * nPacks
  const totalLen = supersedesOff + 32 * nSupersedes
  demand(totalLen <= bounds.segment.size, what, `${totalLen} bytes`)
  return { nEntries, nPacks, nSupersedes, entriesOff, packsOff, supersedesOff, totalLen }
}

/**
 * Checks a whole segment beyond its header: payload CRC, order of entries, packs and superseded names, fan-out words,
 * prefix, locations against their packs' sizes. Builds no objects but small ones: memory is a few bytes per pack. Returns the header.
 */
export function checkSegment(bytes: Uint8Array): SegmentHeader {
  const from = buffer(bytes)
  const head = decodeSegmentHeader(from, from.length)
  demand(crc32(from.subarray(SEGMENT_HEADER)) === head.crcPayload, 'segment', 'payload CRC differs')
  const sizes = new Uint32Array(head.nPacks)
  const metas = new Uint8Array(head.nPacks)
  for (let ord = 0; ord < head.nPacks; ord++) {
    const at = head.packsOff + SEGMENT_PACK * ord
    const facts = readPackFacts(from, at)
    sizes[ord] = facts.size
    metas[ord] = facts.meta ? 1 : 0
    const ascends = ord === 0 || from.compare(from, at, at + 32, at - SEGMENT_PACK, at - SEGMENT_PACK + 32) < 0
    demand(ascends, 'segment pack table', `entry ${ord} is out of order or a duplicate`)
  }
  demandAscending(from.subarray(head.supersedesOff), 32, 'segment supersedes')
  let bucket = 0
  const buckets = 2 ** head.fanoutBits
  const wordIs = (index: number, n: number) =>
    demand(from.readUInt32LE(SEGMENT_HEADER + 4 * index) === n, 'segment fan-out', `word ${index} is wrong`)
  for (let index = 0; index < head.nEntries; index++) {
    const at = head.entriesOff + SEGMENT_ENTRY * index
    const entry = readSegmentEntry(from, at)
    const what = `segment entry ${index}`
    demand(hasPrefix(entry.id, head.prefixBits, head.prefix), what, 'another prefix')
    if (index > 0) demand(entryOrder(from, at - SEGMENT_ENTRY, at) <= 0, what, 'out of order')
    for (const own = bucketOf(entry.id, head.prefixBits, head.fanoutBits); bucket < own; bucket++) wordIs(bucket, index)
    const size = sizes[entry.packOrd]
    demand(size !== undefined, what, `pack ${entry.packOrd} of ${head.nPacks}`)
    const room = size - PACK_FOOTER - TOC_ENTRY * (entry.slot + 1)
    demand(entry.off + BLOB_HEADER + entry.clen <= room, what, 'lies beyond its pack')
    const meta = metas[entry.packOrd] === 1
    demand((entry.type === BLOB_PAGE) === meta, what, `type ${entry.type} in a pack of the other kind`)
  }
  for (; bucket < buckets; bucket++) wordIs(bucket, head.nEntries)
  return head
}
