/**
 * Memory of a collection of 250 TiB (262 million chunks in 3.7 million packs, synthetic index and pages, the real listing,
 * contents, mark, choice and merge), and of looking 50 million entries up in real segment files.
 *
 *   node bench/collect.ts [share=1] [directory]      share of the sizes above, for a quick look
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MiB } from '../base/index.ts'
import {
  assembleSegment,
  BLOB_CHUNK,
  decodePage,
  encodePage,
  packSizeOf,
  SEGMENT_ENTRY,
  SEGMENT_PACK,
  type Page,
} from '../repository/format/index.ts'
import { choose } from '../repository/gc/choose.ts'
import { Contents, type SegmentSource } from '../repository/gc/contents.ts'
import { IdSet } from '../repository/gc/id-set.ts'
import type { Latecomers } from '../repository/gc/latecomers.ts'
import { Marks } from '../repository/gc/marks.ts'
import { PackTable } from '../repository/gc/pack-table.ts'
import { PackFacts, Partition } from '../repository/gc/partition.ts'
import { SegmentFile } from '../repository/index-view/index.ts'

const share = Number(process.argv[2] ?? 1)
const SLOTS = 70
const CLEN = 480_000
const packs = Math.round(3_745_000 * share)
const perSegment = 8192
/** Segment files that look-ups are spread over. */
const count = 40
const { signal } = new AbortController()
const peak = () => `peak RSS ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`
const seconds = (began: number) => `${((performance.now() - began) / 1000).toFixed(0)} s`

/** The i-th pack's name, in ascending order. */
function writeName(index: number, into: Buffer, at: number): void {
  into.writeUInt32BE(Math.floor((index / packs) * 2 ** 32), at)
  into.writeUInt32BE(index, at + 4)
}

/** A level-0 segment of so many packs, made as it is read. */
function segment(first: number, count: number): SegmentSource {
  return {
    header: { level: 0, nEntries: count * SLOTS, nPacks: count, stampEpoch: 1, prefix: 0, prefixBits: 0 },
    *rawPacks() {
      const window = Buffer.alloc(SEGMENT_PACK * 4096)
      for (let from = 0; from < count; from += 4096) {
        const some = Math.min(4096, count - from)
        for (let index = 0; index < some; index++) writeName(first + from + index, window, SEGMENT_PACK * index)
        yield window.subarray(0, SEGMENT_PACK * some)
      }
    },
    *rawEntries() {
      const window = Buffer.alloc(SEGMENT_ENTRY * SLOTS * 64)
      for (let at = 0; at < window.length; at += SEGMENT_ENTRY) {
        window.writeUInt32LE(CLEN, at + 40)
        window.writeUInt16LE((at / SEGMENT_ENTRY) % SLOTS, at + 44)
      }
      for (let from = 0; from < count; from += 64) {
        const some = Math.min(64, count - from)
        for (let entry = 0; entry < some * SLOTS; entry++) {
          window.writeUInt32LE(from + Math.floor(entry / SLOTS), SEGMENT_ENTRY * entry + 32)
        }
        yield window.subarray(0, SEGMENT_ENTRY * SLOTS * some)
      }
    },
    *lookup() {},
    pack: () => {
      throw new TypeError('no lookups in this index')
    },
  }
}

async function collecting(): Promise<void> {
  let began = performance.now()
  const size = packSizeOf(Array.from({ length: SLOTS }, () => ({ clen: CLEN })))
  const table = new PackTable()
  const name = Buffer.alloc(32)
  for (let index = 0; index < packs; index++) {
    writeName(index, name, 0)
    table.add(name.toString('hex'), size, 0)
  }
  console.log(`${table.count} packs listed, ${seconds(began)}, ${peak()}`)

  began = performance.now()
  const segments: SegmentSource[] = []
  for (let first = 0; first < packs; first += perSegment)
    segments.push(segment(first, Math.min(perSegment, packs - first)))
  const never = () => Promise.reject(new TypeError('every pack is in the index'))
  const sources = { segments, readToc: never, unlisted: never, repo: '00'.repeat(16), clock: () => 1, signal }
  using contents = await Contents.read(table, sources)
  console.log(`${contents.slots} chunks known, ${seconds(began)}, ${peak()}`)

  began = performance.now()
  const bad = { isEmpty: true, has: () => false, hasPack: () => false }
  const marks = new Marks(contents, bad, {} as Latecomers, () => undefined)
  // A petabyte of logical disks: a million page ids, of which a sample is decoded and marked.
  const ids = new IdSet()
  const pageId = Buffer.alloc(32)
  const pages = Math.round(1_048_576 * share)
  let marked = 0
  for (let page = 0; page < pages; page++) {
    pageId.writeUInt32LE((page * 2654435761) % 2 ** 32, 0)
    pageId.writeUInt32BE(page, 8)
    if (!ids.add(pageId) || page % 512 !== 0) continue
    const first = Math.floor((page / pages) * packs)
    const entries: Page['entries'] = Array.from({ length: 1024 }, (_, index) => {
      writeName(Math.min(packs - 1, first + Math.floor(index / SLOTS)), name, 0)
      const place = {
        pack: name.toString('hex'),
        slot: index % SLOTS,
        off: 64 + (index % SLOTS) * (CLEN + 72),
        clen: CLEN,
      }
      return { kind: 'chunk', id: Buffer.alloc(32, 1), ...place }
    })
    for (const entry of decodePage(encodePage({ chunkShift: 20, pageNo: 0, entries })).entries) {
      if (entry.kind === 'chunk' && marks.atHint(BLOB_CHUNK, entry.id, entry)) marked += 1
    }
  }
  console.log(`${ids.size} pages met, ${marked} chunks marked, ${seconds(began)}, ${peak()}`)

  began = performance.now()
  const choice = await choose({
    contents,
    marks,
    bad,
    compactBelow: 0.6,
    copyBytes: 64 * 1024 * MiB,
    isAbandoned: () => false,
    readLocks: async () => ({ isLocked: () => false, isYoung: () => false, until: () => 0 }),
    signal,
  })
  console.log(`${choice.garbage.length} packs to condemn, ${choice.copy.length} to empty, ${seconds(began)}, ${peak()}`)

  began = performance.now()
  const partition = new Partition(new PackFacts(table), table.count)
  const entry = Buffer.alloc(SEGMENT_ENTRY)
  const entries = Math.round(512_000 * Math.min(1, share * 4))
  for (let index = 0; index < entries; index++) {
    entry.writeUInt32BE(Math.floor((index / entries) * 2 ** 31), 0)
    entry.writeUInt32LE(64, 36)
    entry.writeUInt32LE(CLEN, 40)
    entry.writeUInt16LE(1, 46)
    partition.add(entry, 0, (index * 7919) % packs)
  }
  const fields = { level: 1, prefixBits: 0, prefix: 0, repo: '00'.repeat(16), stampEpoch: 1, createdMs: 1 } as const
  const merged = partition.finish({ ...fields, producer: '00'.repeat(16), supersedes: [] })
  console.log(
    `a partition of ${entries} entries merged, ${Math.round(merged.length / MiB)} MiB, ${seconds(began)}, ${peak()}`,
  )
}

async function lookingUp(): Promise<void> {
  const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'holdfast-bench-'))
  const total = Math.round(50_000_000 * share)
  const perFile = Math.floor(total / count)
  try {
    const packTable = Buffer.alloc(SEGMENT_PACK)
    packTable.writeUInt32LE(64 * MiB, 32)
    for (let file = 0; file < count; file++) {
      const entries = Buffer.alloc(SEGMENT_ENTRY * perFile)
      for (let index = 0; index < perFile; index++) {
        const at = SEGMENT_ENTRY * index
        entries.writeUInt32BE(Math.floor((index / perFile) * 2 ** 32), at)
        entries.writeUInt32BE(file, at + 4)
        entries.writeUInt32LE(64, at + 36)
        entries.writeUInt32LE(CLEN, at + 40)
        entries.writeUInt16LE(1, at + 46)
      }
      const fields = { level: 1, prefixBits: 0, prefix: 0, repo: '00'.repeat(16), stampEpoch: 1, createdMs: 1 } as const
      const whole = assembleSegment({ ...fields, producer: '00'.repeat(16), supersedes: [], entries, packs: packTable })
      await writeFile(join(folder, String(file)), whole)
    }
    // In a process of its own: making the files takes more memory than reading them.
    const asked = [...process.execArgv, import.meta.filename, String(share), folder, 'ask', String(perFile)]
    await promisify(execFile)(process.execPath, asked).then(({ stdout }) =>
      console.log(`${total} entries in ${count} files: ${stdout.trim()}`),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Looks up in the files that `lookingUp` has made. */
async function asking(folder: string, perFile: number): Promise<void> {
  const files: SegmentFile[] = []
  for (let file = 0; file < count; file++) {
    const path = join(folder, String(file))
    files.push(new SegmentFile('00'.repeat(32), path, (await stat(path)).size))
  }
  const began = performance.now()
  const id = Buffer.alloc(32)
  const lookups = 20_000
  let found = 0
  for (let one = 0; one < lookups; one++) {
    id.writeUInt32BE(Math.floor((((one * 104_729) % perFile) / perFile) * 2 ** 32), 0)
    id.writeUInt32BE(one % count, 4)
    // A repository's partitions are disjoint: one of them is asked.
    const [entry] = files[one % count]?.lookup(id) ?? []
    if (entry !== undefined) found += 1
  }
  const rate = Math.round(lookups / ((performance.now() - began) / 1000))
  for (const file of files) file[Symbol.dispose]()
  console.log(`${found} of ${lookups} found, ${rate} per s, ${peak()}`)
}

if (process.argv[4] === 'ask') await asking(process.argv[3] ?? '', Number(process.argv[5]))
else {
  if (process.argv[4] !== 'lookups') await collecting()
  if (process.argv[4] !== 'collecting') await lookingUp()
}
