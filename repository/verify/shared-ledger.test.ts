import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LedgerPass, VerifyLedger } from '../types.ts'
import { FileLedger, SharedLedger } from './index.ts'
import { Copy } from './testing.ts'

const { signal } = new AbortController()
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hf-ledger-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const fileLedger = (name: string): FileLedger => new FileLedger(join(folder, name), () => undefined)
const packOf = (n: number): string => n.toString(16).padStart(64, '0')
async function passesOf(ledger: VerifyLedger): Promise<LedgerPass[]> {
  return await Array.fromAsync(ledger.passes(signal))
}
const away: VerifyLedger = {
  // eslint-disable-next-line require-yield
  passes: async function* () {
    throw new Error('away')
  },
  record: () => Promise.reject(new Error('away')),
}

test('what another host has read counts here, what is read here is told there, and the later pass wins', async () => {
  const shared = fileLedger('shared')
  const here = new SharedLedger(fileLedger('here'), shared, signal, () => undefined)
  await here.record([{ pack: packOf(1), level: 'L3', atMs: 9000 }])
  await shared.record([
    { pack: packOf(1), level: 'L3', atMs: 5000 },
    { pack: packOf(2), level: 'L4', atMs: 7000 },
  ])
  expect(await passesOf(here)).toEqual([
    { pack: packOf(1), l3Ms: 9000, l4Ms: 0 },
    { pack: packOf(2), l3Ms: 0, l4Ms: 7000 },
  ])
  expect((await passesOf(shared))[0]).toMatchObject({ l3Ms: 5000 })
  await here.handOn()
  expect((await passesOf(shared))[0]).toMatchObject({ l3Ms: 9000 })
})

test('one that is away is told once, and costs nothing else', async () => {
  const warned: string[] = []
  const here = new SharedLedger(fileLedger('here'), away, signal, (message) => warned.push(message))
  await here.record([{ pack: packOf(1), level: 'L3', atMs: 9000 }])
  expect(await passesOf(here)).toHaveLength(1)
  await here.handOn()
  expect(warned).toHaveLength(1)
})

test('a host that has never read anything goes on where another one stopped, and says how far all have come', async () => {
  using copy = new Copy()
  await using repository = await copy.open()
  const packs = copy.names('pack/')
  const bytes = packs.reduce((sum, name) => sum + copy.size(name), 0)
  const budget = Math.max(...packs.map((name) => copy.size(name)))
  const shared = fileLedger('shared')
  const host = (name: string) =>
    repository.verify({ level: 'data', budget, ledger: fileLedger(name), shared, signal, onProgress: () => undefined })
  const first = await host('first')
  expect(first.coverage).toMatchObject({ packs: packs.length, bytes })
  const read = first.coverage?.readPacks ?? 0
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThan(packs.length)
  const second = await host('second')
  expect(second.coverage?.readPacks).toBeGreaterThan(read)
  const quick = await repository.verify({ level: 'quick', signal, onProgress: () => undefined })
  expect(quick.coverage).toBeNull()
})
