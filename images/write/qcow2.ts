import { MiB } from '../../base/index.ts'
import type { ImageSource, ImageStream } from '../types.ts'
import { blockContent, mapBlocks, type BlockMap } from './blocks.ts'

const clusterBits = 16
const cluster = 2 ** clusterBits
const refcountsPerBlock = cluster / 2
const entriesPerTable = cluster / 8
const perBlock = MiB / cluster
const tableCovers = entriesPerTable * cluster
/** In an entry of L1 and L2: its cluster is used once (QCOW_OFLAG_COPIED). */
const copied = 2 ** 31

/**
 * qcow2 version 3 (QEMU, docs/interop/qcow2.txt): header, reference counts, L1, L2 tables, content. Every cluster of the
 * file is used exactly once, so all counts are 1 and the whole layout follows from the map of the disk.
 */
export async function qcow2Image(source: ImageSource, signal: AbortSignal): Promise<ImageStream> {
  const map = await mapBlocks(source, MiB, signal)
  const layout = layoutOf(source.size, map)
  return { size: layout.clusters * cluster, stream: content(source, map, layout, signal) }
}

interface Layout {
  /** Of the file. */
  readonly clusters: number
  readonly refcountTable: number
  readonly refcountBlocks: number
  readonly l1Entries: number
  readonly l1: number
  readonly l2Tables: number
}

function layoutOf(size: number, map: BlockMap): Layout {
  const l1Entries = Math.ceil(size / tableCovers)
  const l1 = Math.ceil((l1Entries * 8) / cluster)
  let l2Tables = 0
  for (let n = 0; n < l1Entries; n += 1) if (hasTable(map, n)) l2Tables += 1
  const isLastUsed = map.used > 0 && map.has(map.total - 1)
  const cut = isLastUsed ? perBlock - Math.ceil((size - (map.total - 1) * MiB) / cluster) : 0
  const fixed = 1 + l1 + l2Tables + map.used * perBlock - cut
  // Counts are counted, too.
  let [refcountTable, refcountBlocks] = [1, 1]
  for (;;) {
    const clusters = fixed + refcountTable + refcountBlocks
    const blocks = Math.ceil(clusters / refcountsPerBlock)
    const table = Math.ceil((blocks * 8) / cluster)
    if (blocks === refcountBlocks && table === refcountTable)
      return { clusters, refcountTable, refcountBlocks, l1Entries, l1, l2Tables }
    refcountBlocks = blocks
    refcountTable = table
  }
}

const blocksPerTable = tableCovers / MiB

function hasTable(map: BlockMap, table: number): boolean {
  return !(map.blocks(table * blocksPerTable, (table + 1) * blocksPerTable).next().done ?? true)
}

async function* content(
  source: ImageSource,
  map: BlockMap,
  layout: Layout,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { refcountTable, refcountBlocks, l1Entries, l1, l2Tables } = layout
  const l1At = (1 + refcountTable + refcountBlocks) * cluster
  const l2At = l1At + l1 * cluster
  const dataAt = l2At + l2Tables * cluster
  yield header(source.size, l1Entries, l1At, refcountTable)
  const blocksAt = (1 + refcountTable) * cluster
  yield* table(refcountTable, refcountBlocks, (n) => blocksAt + n * cluster, 0)
  for (let n = 0; n < refcountBlocks; n += 1) yield refcounts(layout.clusters - n * refcountsPerBlock)
  let tables = 0
  yield* table(l1, l1Entries, (n) => (hasTable(map, n) ? l2At + tables++ * cluster : null), copied)
  let at = dataAt
  for (let n = 0; n < l1Entries; n += 1) {
    if (!hasTable(map, n)) continue
    const l2 = Buffer.alloc(cluster)
    for (const block of map.blocks(n * blocksPerTable, (n + 1) * blocksPerTable)) {
      const first = (block - n * blocksPerTable) * perBlock
      const count = Math.min(perBlock, Math.ceil((source.size - block * MiB) / cluster))
      for (let part = 0; part < count; part += 1, at += cluster) writeEntry(l2, first + part, at, copied)
    }
    yield l2
  }
  yield* blockContent(source, map, { unit: cluster, signal })
}

function header(size: number, l1Entries: number, l1At: number, refcountTable: number): Buffer {
  const out = Buffer.alloc(cluster)
  out.write('QFI\u00FB', 0, 'latin1')
  out.writeUInt32BE(3, 4)
  out.writeUInt32BE(clusterBits, 20)
  out.writeBigUInt64BE(BigInt(size), 24)
  out.writeUInt32BE(l1Entries, 36)
  out.writeBigUInt64BE(BigInt(l1At), 40)
  out.writeBigUInt64BE(BigInt(cluster), 48) // the reference count table follows the header
  out.writeUInt32BE(refcountTable, 56)
  out.writeUInt32BE(4, 96) // counts of 2^4 bits
  out.writeUInt32BE(104, 100) // length of this header; the end of its extensions, zeros, follows
  return out
}

/** A table of 8-byte entries in so many clusters, one cluster at a time. */
function* table(
  clusters: number,
  entries: number,
  entryOf: (n: number) => number | null,
  flags: number,
): Generator<Uint8Array, void, undefined> {
  for (let n = 0; n < clusters; n += 1) {
    const out = Buffer.alloc(cluster)
    for (let entry = n * entriesPerTable; entry < Math.min(entries, (n + 1) * entriesPerTable); entry += 1) {
      const offset = entryOf(entry)
      if (offset !== null) writeEntry(out, entry - n * entriesPerTable, offset, flags)
    }
    yield out
  }
}

function writeEntry(out: Buffer, n: number, offset: number, flags: number): void {
  out.writeUInt32BE(Math.floor(offset / 2 ** 32) + flags, n * 8)
  out.writeUInt32BE(offset % 2 ** 32, n * 8 + 4)
}

/** A block of counts, of which the first `used` are 1. */
function refcounts(used: number): Buffer {
  const out = Buffer.alloc(cluster)
  for (let n = 0; n < Math.min(used, refcountsPerBlock); n += 1) out[n * 2 + 1] = 1
  return out
}
