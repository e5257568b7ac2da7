import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeSegment, type SegmentContent } from '../format/index.ts'
import { sha256 } from '../keys/index.ts'
import { FaultClock, FaultyStore } from '../store/index.ts'
import { MemoryBucket, noSignal } from '../testing/index.ts'
import { IndexView, SegmentFile, segmentObject } from './index.ts'

const repo = 'ee'.repeat(16)
let home = ''
let made = 0
beforeAll(async () => {
  home = await fs.mkdtemp(join(tmpdir(), 'holdfast-index-'))
})
afterAll(() => fs.rm(home, { recursive: true }))
const folder = () => join(home, String((made += 1)))

const idOf = (text: string | number) => sha256(Buffer.from(String(text)))
const packOf = (n: number) => sha256(Buffer.from(`pack ${n}`)).toString('hex')

function content(
  ids: readonly Uint8Array[],
  options: Partial<SegmentContent> & { readonly perPack?: number } = {},
): SegmentContent {
  const { perPack = 50, ...rest } = options
  const count = Math.max(1, Math.ceil(ids.length / perPack))
  return {
    level: 0,
    prefixBits: 0,
    prefix: 0,
    repo,
    stampEpoch: 7,
    createdMs: 1,
    producer: 'ab'.repeat(16),
    packs: Array.from({ length: count }, (_, n) => ({
      sha: packOf(n),
      size: 100_000_000,
      lockUntilDay: 0,
      meta: false,
    })),
    entries: ids.map((id, index) => ({
      id,
      pack: packOf(Math.floor(index / perPack)),
      off: 64 + (index % perPack) * 1000,
      clen: 900,
      slot: index % perPack,
      type: 1 as const,
    })),
    supersedes: [],
    ...rest,
  }
}

async function fileOf(segment: SegmentContent): Promise<SegmentFile> {
  const bytes = encodeSegment(segment)
  const { sha } = segmentObject(bytes)
  const path = folder()
  await fs.writeFile(path, bytes)
  return new SegmentFile(sha, path, bytes.length)
}

describe('a segment read in place', () => {
  it('finds every id it holds, where it holds it, and no other', async () => {
    const ids = Array.from({ length: 5000 }, (_, n) => idOf(n))
    for (const fanoutBits of [undefined, 0, 3, 12]) {
      using segment = await fileOf(content(ids, fanoutBits === undefined ? {} : { fanoutBits }))
      for (let n = 0; n < ids.length; n += 7) {
        const found = [...segment.lookup(idOf(n))]
        expect(found).toHaveLength(1)
        expect(found[0]).toMatchObject({ slot: n % 50, off: 64 + (n % 50) * 1000, clen: 900 })
        expect(segment.pack(found[0]?.packOrd ?? -1).sha).toBe(packOf(Math.floor(n / 50)))
        expect([...segment.lookup(idOf(`not ${n}`))]).toEqual([])
      }
      expect([...segment.entries()]).toHaveLength(5000)
    }
  })

  it('finds ids that are not uniform at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 400 }),
        async (numbers) => {
          const id = (n: number) => {
            const bytes = Buffer.alloc(32)
            bytes.writeUInt32BE(n, 28)
            return bytes
          }
          using segment = await fileOf(content(numbers.map(id)))
          for (let n = 0; n <= 2000; n += 13) {
            expect([...segment.lookup(id(n))]).toHaveLength(numbers.includes(n) ? 1 : 0)
          }
          for (const n of numbers) expect([...segment.lookup(id(n))]).toHaveLength(1)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('gives every home of an id that has several, even hundreds', async () => {
    const id = idOf('everywhere')
    const count = 300
    const packs = Array.from({ length: count }, (_, n) => ({
      sha: packOf(n),
      size: 10_000,
      lockUntilDay: 0,
      meta: false,
    }))
    const entries = packs.map(({ sha }) => ({ id, pack: sha, off: 64, clen: 100, slot: 0, type: 1 as const }))
    const others = Array.from({ length: 200 }, (_, n) => ({
      id: idOf(n),
      pack: packOf(0),
      off: 64,
      clen: 100,
      slot: 1,
      type: 1 as const,
    }))
    using segment = await fileOf({ ...content([]), packs, entries: [...entries, ...others] })
    expect([...segment.lookup(id)].map(({ packOrd }) => segment.pack(packOrd).sha).sort()).toEqual(
      packs.map(({ sha }) => sha).sort(),
    )
  })

  it('of a partition answers for its prefix only', async () => {
    const all = Array.from({ length: 2000 }, (_, n) => idOf(n))
    const mine = all.filter((id) => (id[0] ?? 0) >> 6 === 2)
    using segment = await fileOf(content(mine, { level: 1, prefixBits: 2, prefix: 0x80000000 }))
    for (const id of all) expect([...segment.lookup(id)]).toHaveLength(mine.includes(id) ? 1 : 0)
  })
})

describe('the view', () => {
  const view = (cacheDir: string, warnings: string[] = []) =>
    new IndexView({ cacheDir, repo, warn: (text) => warnings.push(text) })
  const store = (bucket: MemoryBucket) => {
    const clock = new FaultClock()
    return { clock, store: new FaultyStore(bucket.connect(), () => undefined, clock) }
  }
  function add(bucket: MemoryBucket, segment: SegmentContent): string {
    const bytes = encodeSegment(segment)
    const { name } = segmentObject(bytes)
    bucket.set(name, bytes)
    return name
  }

  it('fetches a segment once, for all processes that share the cache', async () => {
    const bucket = new MemoryBucket()
    add(bucket, content([idOf(1)]))
    add(bucket, content([idOf(2)], { stampEpoch: 9 }))
    const cache = folder()
    const one = store(bucket)
    using first = view(cache)
    await first.refresh(one.store, noSignal)
    expect(one.clock.calls.map(({ op }) => op)).toEqual(['list', 'get', 'get'])
    const two = store(bucket)
    using second = view(cache)
    await second.refresh(two.store, noSignal)
    await second.refresh(two.store, noSignal)
    expect(two.clock.calls.map(({ op }) => op)).toEqual(['list', 'list'])
    expect(second.find(1, idOf(2), () => true)).toMatchObject({ stamp: 9, pack: packOf(0) })
    expect(second.find(1, idOf(3), () => true)).toBeUndefined()
    expect(second.find(2, idOf(2), () => true)).toBeUndefined()
  })

  it('never uses a cached file that is damaged, truncated or somebody else’s', async () => {
    const bucket = new MemoryBucket()
    const name = add(bucket, content([idOf(1)]))
    const sha = name.slice(-64)
    const cache = folder()
    {
      using filled = view(cache)
      await filled.refresh(bucket.connect(), noSignal)
    }
    const path = join(cache, repo, 'idx', sha)
    for (const damage of ['flip', 'truncate']) {
      const bytes = await fs.readFile(path)
      if (damage === 'flip') bytes[150] = (bytes[150] ?? 0) ^ 1
      await fs.writeFile(path, damage === 'flip' ? bytes : bytes.subarray(0, 100))
      const counted = store(bucket)
      using again = view(cache)
      await again.refresh(counted.store, noSignal)
      expect(counted.clock.calls.map(({ op }) => op)).toEqual(['list', 'get'])
      expect(again.find(1, idOf(1), () => true)).toBeDefined()
    }
  })

  it('passes over a segment that is damaged in the store, and says so', async () => {
    const bucket = new MemoryBucket()
    const name = add(bucket, content([idOf(1)]))
    add(bucket, content([idOf(2)]))
    const bytes = Uint8Array.from(bucket.body(name))
    bytes[150] = (bytes[150] ?? 0) ^ 1
    bucket.set(name, bytes)
    const warnings: string[] = []
    using opened = view(folder(), warnings)
    await opened.refresh(bucket.connect(), noSignal)
    expect(opened.find(1, idOf(1), () => true)).toBeUndefined()
    expect(opened.find(1, idOf(2), () => true)).toBeDefined()
    expect(warnings.join()).toContain(name)
  })

  it('ignores segments of another repository', async () => {
    const bucket = new MemoryBucket()
    add(bucket, content([idOf(1)], { repo: 'dd'.repeat(16) }))
    using opened = view(folder())
    await opened.refresh(bucket.connect(), noSignal)
    expect(opened.find(1, idOf(1), () => true)).toBeUndefined()
  })

  it('drops segments that were merged away, here and in the cache, and keeps its own new ones', async () => {
    const bucket = new MemoryBucket()
    const old = add(bucket, content([idOf(1)]))
    const cache = folder()
    using opened = view(cache)
    await opened.refresh(bucket.connect(), noSignal)
    bucket.objects.delete(old)
    add(bucket, content([idOf(1), idOf(2)]))
    const slow = new FaultyStore(bucket.connect(), ({ op }) => (op === 'list' ? { kind: 'late', ms: 20 } : undefined))
    const refreshing = opened.refresh(slow, noSignal)
    const mine = encodeSegment(content([idOf(3)]))
    await opened.add(segmentObject(mine).sha, mine)
    await refreshing
    expect(opened.find(1, idOf(2), () => true)).toBeDefined()
    expect(opened.find(1, idOf(3), () => true)).toBeDefined()
    expect(await fs.readdir(join(cache, repo, 'idx'))).not.toContain(old.slice(-64))
  })

  it('looks again if a segment vanishes between listing and reading', async () => {
    const bucket = new MemoryBucket()
    const old = add(bucket, content([idOf(1)]))
    let vanished = false
    const merging = new FaultyStore(bucket.connect(), ({ op, name }) => {
      if (op === 'get' && name === old && !vanished) {
        vanished = true
        bucket.objects.delete(old)
        add(bucket, content([idOf(1), idOf(2)]))
      }
      return undefined
    })
    using opened = view(folder())
    await opened.refresh(merging, noSignal)
    expect(opened.find(1, idOf(2), () => true)).toBeDefined()
  })

  it('counts different blobs over segments that overlap', async () => {
    const bucket = new MemoryBucket()
    const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => idOf(from + n))
    add(bucket, content(ids(0, 300)))
    add(bucket, content(ids(200, 500), { stampEpoch: 8 }))
    add(bucket, content(ids(0, 10), { stampEpoch: 9 }))
    using opened = view(folder())
    await opened.refresh(bucket.connect(), noSignal)
    expect(await opened.countDistinct(1)).toBe(500)
    expect(await opened.countDistinct(2)).toBe(0)
  })
})
