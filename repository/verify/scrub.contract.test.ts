import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { verifyWithoutKeys } from '../stored.ts'
import type { LedgerPass, VerifyReport } from '../types.ts'
import { WorkerPool } from '../workers/index.ts'
import { FileLedger } from './index.ts'
import { planScrub } from './ledger.ts'
import { away, Copy, failing, verify } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const { signal } = new AbortController()
const pool = new WorkerPool(1)

function withoutKeys(copy: Copy, more: { level?: 'quick' | 'data'; quarantine?: boolean } = {}): Promise<VerifyReport> {
  const location = { kind: 'posix', path: copy.path } as const
  const options = { location, cacheDir: join(copy.folder, 'cache'), level: 'data', signal, ...more } as const
  return verifyWithoutKeys({ ...options, onProgress: () => undefined }, { pool, warn: () => undefined })
}

test('level data hashes every stored byte: a flipped bit anywhere in a pack is L3, with keys and without', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const packs = copy.names('pack/')
  const stored = packs.reduce((sum, name) => sum + copy.size(name), 0)
  expect(await verify(repository, 'data')).toMatchObject({ points: 2, packs: packs.length, bytes: stored, damages: [] })
  expect(await withoutKeys(copy)).toMatchObject({ points: 0, packs: packs.length, bytes: stored, damages: [] })
  for (const [turn, pack] of packs.entries()) {
    const sound = copy.read(pack)
    const { off = 64, clen = 49 } = copy.toc(pack)[0] ?? {}
    copy.flip(pack, [9, off + 80, off + 72 + clen - 1, sound.length - 1][turn % 4] ?? 9, turn % 8)
    for (const { damages } of [await verify(repository, 'data'), await withoutKeys(copy)]) {
      expect(damages.map(({ object, found, proved }) => [object, found, proved])).toEqual([[pack, 'L3', true]])
    }
    copy.write(pack, sound)
  }
})

test('with keys, level data says which blobs of a damaged pack are lost; the others stay homes', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const pack = copy.names('pack/').find((name) => copy.toc(name).length > 1 && copy.toc(name)[0]?.type === 1) ?? ''
  copy.flip(pack, 64 + 100)
  const { damages } = await verify(repository, 'data', { quarantine: true })
  expect(damages[0]?.message).toContain('1 of ')
  expect(damages[0]?.affects.length).toBeGreaterThan(0)
  const [bad = ''] = copy.names('bad/')
  expect(JSON.parse(copy.read(bad).toString('utf8'))).toMatchObject({
    scope: 'slots',
    found: 'L3',
    slots: [{ slot: 0 }],
  })
})

test('without keys, a verify says what it could not check, and quarantines a whole pack', async () => {
  using copy = new Copy()
  const sound = await withoutKeys(copy)
  expect(sound.notes.join()).toContain('2 points')
  expect(sound.notes.join()).toContain('L1r')
  const [pack = ''] = copy.names('pack/')
  const [manifest = ''] = copy.names('snap/').filter((name) => name.endsWith('.m'))
  copy.flip(pack, 70)
  copy.flip(manifest, 70)
  const { damages, quarantined } = await withoutKeys(copy, { quarantine: true })
  expect(new Set(damages.map(({ object }) => object))).toEqual(new Set([pack, manifest]))
  expect(quarantined).toBe(1)
  const [bad = ''] = copy.names('bad/')
  expect(JSON.parse(copy.read(bad).toString('utf8'))).toMatchObject({ scope: 'pack', pack: pack.slice(8) })
})

test('a scrub with a budget goes on where the one before stopped, and begins again with the oldest', async () => {
  using copy = new Copy()
  const packs = copy.names('pack/')
  const largest = Math.max(...packs.map((name) => copy.size(name)))
  await using repository = await copy.open()
  const ledger = () => FileLedger.in(join(copy.folder, 'cache'), repository.id, () => undefined)
  const scrub = () => repository.verify({ level: 'data', budget: largest, signal, onProgress: () => undefined })
  let read = 0
  let rounds = 0
  for (; read < packs.length; rounds++) {
    const report = await scrub()
    expect(report.damages).toEqual([])
    expect(report.packs).toBeGreaterThan(0)
    expect(report.bytes).toBeLessThanOrEqual(largest)
    read += report.packs
    // Never one twice: what was read is in the ledger, and what is in the ledger is not due.
    expect(await Array.fromAsync(ledger().passes(signal))).toHaveLength(read)
  }
  expect(rounds).toBeGreaterThan(1)
  expect((await scrub()).packs).toBeGreaterThan(0)
})

test('what cannot be read now has not been judged: it stays first, and is no damage that is proved', async () => {
  using copy = new Copy()
  const [pack = ''] = copy.names('pack/')
  await using broken = await copy.open(failing((name) => (name === pack ? away() : undefined)))
  const { damages } = await verify(broken, 'data')
  expect(damages).toMatchObject([{ object: pack, found: 'L3', proved: false }])
  const passes = await Array.fromAsync(
    FileLedger.in(join(copy.folder, 'cache'), broken.id, () => undefined).passes(signal),
  )
  expect(passes.map((pass) => pass.pack)).toEqual(
    copy
      .names('pack/')
      .slice(1)
      .map((name) => name.slice(8)),
  )
})

test('a damaged pack stays due until it is quarantined: the scrub that is to do so finds it again', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const [pack = ''] = copy.names('pack/')
  copy.flip(pack, 70)
  const budget = copy.size(pack)
  const scrub = (quarantine: boolean) =>
    repository.verify({ level: 'data', budget, quarantine, signal, onProgress: () => undefined })
  expect((await scrub(false)).damages).toMatchObject([{ object: pack }])
  expect(await scrub(true)).toMatchObject({ quarantined: 1, damages: [{ object: pack }] })
  expect((await scrub(true)).damages).toEqual([])
})

const pack = (no: number): string => no.toString(16).padStart(64, '0')

test('a ledger keeps the latest pass of each level over restarts, torn writes and merges', async () => {
  using copy = new Copy()
  const path = join(copy.folder, 'ledger')
  const warnings: string[] = []
  const ledger = () => new FileLedger(path, (text) => warnings.push(text))
  await ledger().record([{ pack: pack(5), level: 'L3', atMs: 5_000 }])
  await ledger().record([
    { pack: pack(2), level: 'L4', atMs: 7_000 },
    { pack: pack(5), level: 'L4', atMs: 6_000 },
  ])
  appendFileSync(`${path}.added`, Buffer.alloc(13, 1))
  await ledger().record([{ pack: pack(3), level: 'L3', atMs: 8_000 }])
  const expected: LedgerPass[] = [
    { pack: pack(2), l3Ms: 0, l4Ms: 7_000 },
    { pack: pack(3), l3Ms: 8_000, l4Ms: 0 },
    { pack: pack(5), l3Ms: 5_000, l4Ms: 6_000 },
  ]
  expect(await Array.fromAsync(ledger().passes(signal))).toEqual(expected)
  expect(existsSync(`${path}.added`)).toBe(false)
  const again = ledger()
  await again.record([{ pack: pack(5), level: 'L3', atMs: 9_000 }])
  expect((await Array.fromAsync(again.passes(signal)))[2]).toEqual({ pack: pack(5), l3Ms: 9_000, l4Ms: 6_000 })
  expect(warnings).toEqual([])
})

test('a ledger that cannot be kept is told and costs no verify', async () => {
  using copy = new Copy()
  const warnings: string[] = []
  const ledger = new FileLedger(join(copy.path, 'fmt', 'ledger'), (text) => warnings.push(text))
  await ledger.record([{ pack: pack(1), level: 'L3', atMs: 1 }])
  expect(await Array.fromAsync(ledger.passes(signal))).toEqual([])
  expect(warnings).toHaveLength(1)
})

test('a plan takes the oldest first, one pack at least, and leaves young packs alone where objects are locked', async () => {
  async function* pages() {
    yield [1, 2, 3, 4].map((no) => ({ sha: pack(no), size: 100, modified: no }))
  }
  const HOUR = 3_600_000
  const ages = new Map([
    [pack(1), 50 * HOUR],
    [pack(2), 10 * HOUR],
    [pack(4), 30 * HOUR],
  ])
  const ledger = {
    async *passes() {
      for (const [sha, l3Ms] of ages) yield { pack: sha, l3Ms, l4Ms: 0 }
    },
    record: async () => undefined,
  }
  const due = async (budget: number, before = Infinity): Promise<number[]> => {
    const plan = await planScrub(pages(), { level: 'L3', budget, ledger, before, signal })
    const taken: number[] = []
    for await (const page of pages()) {
      for (const [index, one] of page.entries()) {
        const l3Ms = ages.get(one.sha)
        const pass = l3Ms === undefined ? undefined : { pack: one.sha, l3Ms, l4Ms: 0 }
        if (plan.isDue(one, pass)) taken.push(index + 1)
      }
    }
    expect(taken).toHaveLength(plan.count)
    return taken
  }
  expect(await due(10)).toEqual([3])
  expect(await due(200)).toEqual([2, 3])
  expect(await due(399)).toEqual([2, 3, 4])
  expect(await due(400)).toEqual([1, 2, 3, 4])
  expect(await due(400, 2)).toEqual([1, 2])
})
