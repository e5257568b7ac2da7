import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { furnish, testCatalog, testNow, type TestCatalog } from './testing.ts'

let here: TestCatalog
beforeEach(() => {
  here = testCatalog()
  furnish(here.catalog)
})
afterEach(() => here[Symbol.dispose]())

interface Pass {
  readonly pack: number
  readonly l3: number
  readonly l4: number
}
const nameOf = (pack: number): Buffer => createHash('sha256').update(String(pack)).digest()
function encoded(passes: readonly Pass[]): Buffer {
  return Buffer.concat(
    passes.map(({ pack, l3, l4 }) => {
      const record = Buffer.alloc(40)
      nameOf(pack).copy(record)
      record.writeUInt32LE(l3, 32)
      record.writeUInt32LE(l4, 36)
      return record
    }),
  )
}
function known(): Buffer {
  const parts: Uint8Array[] = []
  for (let prefix = -1; ;) {
    const part = here.catalog.scrubs.passesAfter('main', prefix)
    if (part === undefined) return Buffer.concat(parts)
    parts.push(part.passes)
    prefix = part.prefix
  }
}

test('passes are sorted by name, one for each pack, and of two the later ones, in whatever order they are told', () => {
  const time = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const pass = fc.record({ pack: fc.integer({ min: 0, max: 20 }), l3: time, l4: time })
  fc.assert(
    fc.property(fc.array(fc.array(pass, { maxLength: 8 }), { maxLength: 5 }), (batches) => {
      using fresh = testCatalog()
      furnish(fresh.catalog)
      here = fresh
      for (const batch of batches) fresh.catalog.scrubs.recordPasses('main', encoded(batch))
      const best = Map.groupBy(batches.flat(), ({ pack }) => pack)
      const expected = [...best]
        .map(([pack, all]) => ({
          pack,
          l3: Math.max(...all.map(({ l3 }) => l3)),
          l4: Math.max(...all.map(({ l4 }) => l4)),
        }))
        .sort((a, b) => nameOf(a.pack).compare(nameOf(b.pack)))
      expect(known().equals(encoded(expected))).toBe(true)
    }),
    { numRuns: 40 },
  )
  here = testCatalog()
})

test('what is no pass, or of no repository, is refused', () => {
  const { scrubs } = here.catalog
  expect(() => scrubs.recordPasses('main', Buffer.alloc(41))).toThrow(/40 bytes/)
  expect(() => scrubs.recordPasses('none', encoded([{ pack: 1, l3: 1, l4: 1 }]))).toThrow(/no repository/)
  expect(() => scrubs.setPace('none', null)).toThrow(/no repository/)
})

test('a pace and a count are told of one repository, and neither takes the other away', () => {
  const { scrubs } = here.catalog
  expect(scrubs.find('main')).toBeUndefined()
  scrubs.setPace('main', { level: 'data', budgetBytes: 5 })
  scrubs.recordCount('main', { packs: 4, bytes: 40, readPacks: 1, readBytes: 10, oldestMs: 3 }, testNow)
  expect(scrubs.find('main')).toMatchObject({ level: 'data', budgetBytes: 5, readBytes: 10, countedMs: testNow })
  scrubs.setPace('main', null)
  expect(scrubs.find('main')).toMatchObject({ level: null, budgetBytes: null, readBytes: 10 })
})
