import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as arb from './arbitraries.ts'
import { toHex } from './bytes.ts'
import {
  decodeEntries,
  decodeHomes,
  decodeRun,
  encodeEntries,
  encodeHomes,
  encodeRun,
  type JournalEntry,
} from './session-records.ts'

const entries: fc.Arbitrary<JournalEntry[]> = arb.packPool.chain((pool) =>
  fc.array(
    fc.record({
      pageNo: fc.nat({ max: 65_535 }),
      entryNo: fc.nat({ max: 255 }),
      shift: fc.integer({ min: 16, max: 22 }),
      chunk: fc
        .record({ id: arb.bytesOf(32), at: arb.location(pool, 2 ** 16) })
        .map(({ id, at }) => ({ kind: 'chunk' as const, id, ...at })),
    }),
    { maxLength: 20 },
  ),
)
const plain = (items: readonly JournalEntry[]) =>
  items.map(({ chunk, ...item }) => ({ ...item, chunk: { ...chunk, id: toHex(chunk.id) } }))

test('journal entries, homes and runs come back as they were written', () => {
  fc.assert(
    fc.property(entries, (items) => {
      expect(plain(decodeEntries(encodeEntries(items)))).toEqual(plain(items))
    }),
  )
  const home = fc.record({ pack: arb.hexOf(32), stamp: arb.u53 })
  fc.assert(
    fc.property(fc.uniqueArray(home, { selector: ({ pack }) => pack, maxLength: 20 }), (homes) => {
      expect(decodeHomes(encodeHomes(homes))).toEqual([...homes].sort((a, b) => (a.pack < b.pack ? -1 : 1)))
    }),
  )
  const run = { pageNo: 3, entryNo: 7, count: 9, kind: 'unallocated' } as const
  expect(encodeRun(run)).toEqual([3, 7, 9, 2])
  expect(decodeRun([3, 7, 9, 2])).toEqual(run)
})

const [sample] = fc.sample(
  entries.filter((items) => items.length > 3),
  { numRuns: 1, seed: 3 },
)
const encoded = encodeEntries(sample ?? [])
const altered = (at: number, value: number) => {
  const bytes = Buffer.from(encoded.entries, 'base64url')
  bytes.writeUInt8(value, at)
  return { ...encoded, entries: bytes.toString('base64url') }
}

test.each<[string, () => unknown, string]>([
  ['a reserved byte that is not zero', () => decodeEntries(altered(7, 1)), 'FormatUnsupported'],
  ['a shift that no page has', () => decodeEntries(altered(6, 15)), 'FormatError'],
  ['an entry beyond its page', () => decodeEntries(altered(5, 0xff)), 'FormatError'],
  ['a page beyond every disk', () => decodeEntries(altered(2, 1)), 'FormatError'],
  ['a pack that is not in the table', () => decodeEntries(altered(40, 200)), 'FormatError'],
  [
    'bytes that end inside a record',
    () => decodeEntries({ ...encoded, entries: `${encoded.entries}AAAA` }),
    'FormatError',
  ],
  [
    'a pack that no entry uses',
    () => decodeEntries({ ...encoded, entryPacks: [...encoded.entryPacks, 'ff'.repeat(32)] }),
    'FormatError',
  ],
  [
    'packs out of order',
    () => decodeEntries({ ...encoded, entryPacks: [...encoded.entryPacks, '00'.repeat(32)] }),
    'FormatError',
  ],
  ['text that is not canonical base64url', () => decodeHomes('AB'), 'FormatError'],
  [
    'a home twice',
    () =>
      encodeHomes([
        { pack: 'ab'.repeat(32), stamp: 1 },
        { pack: 'ab'.repeat(32), stamp: 2 },
      ]),
    'FormatError',
  ],
  ['a run of nothing', () => decodeRun([0, 0, 0, 1]), 'FormatError'],
  ['a run beyond its page', () => decodeRun([0, 16_000, 385, 1]), 'FormatError'],
  ['a run of chunks', () => decodeRun([0, 0, 1, 0]), 'FormatError'],
])('%s is refused', (_, decode, code) => {
  expect(decode).toThrow(expect.objectContaining({ code }))
})
