import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as arb from './arbitraries.ts'
import { decodeBlobHeader, encodeBlobHeader } from './blob.ts'
import { toHex } from './bytes.ts'
import { decodeCondemned, encodeCondemned } from './condemned.ts'
import { decodeFinal, encodeFinal } from './final.ts'
import { decodeFloor, encodeFloor } from './floor.ts'
import { decodePackHeader, encodePackHeader } from './pack.ts'
import { decodePage, encodePage, pageEntryCount, chunkLength, type Page } from './page.ts'
import type { BinarySigner } from './records.ts'
import { decodeRoots, encodeRoots } from './root-entry.ts'
import { decodeRoster, encodeRoster } from './roster.ts'
import { bucketOf, checkSegment, encodeSegment, fanoutBitsFor, SEGMENT_HEADER } from './segment.ts'
import { readSegmentEntry, readSegmentPack, SEGMENT_ENTRY, SEGMENT_PACK } from './segment-table.ts'
import { decodePackTail, packSizeOf, readTail } from './toc.ts'

/** Signs with a constant: the layouts do not look at a MAC's value. */
const signer: BinarySigner = { keyNo: 4, sign: () => Buffer.alloc(32, 7) }
const plainPage = (page: Page) => ({
  ...page,
  entries: page.entries.map((entry) => (entry.kind === 'chunk' ? { ...entry, id: toHex(entry.id) } : entry)),
})

test('a pack header comes back as it was written', () => {
  fc.assert(
    fc.property(arb.packHeader, (header) => {
      const back = decodePackHeader(encodePackHeader(header))
      expect({ ...back, random: toHex(back.random), seriesHash: toHex(back.seriesHash) }).toEqual({
        ...header,
        random: toHex(header.random),
        seriesHash: toHex(header.seriesHash),
      })
    }),
  )
})

test('a blob header comes back as it was written', () => {
  fc.assert(
    fc.property(arb.blobHeader, (header) => {
      const back = decodeBlobHeader(encodeBlobHeader(header))
      expect({ ...back, id: toHex(back.id), nonce: toHex(back.nonce) }).toEqual({
        ...header,
        id: toHex(header.id),
        nonce: toHex(header.nonce),
      })
    }),
  )
})

test('the TOC of a pack is found from its last bytes, however few of them are read', () => {
  fc.assert(
    fc.property(arb.pack, fc.nat({ max: 600 }), ({ bytes, entries }, more) => {
      const tail = bytes.subarray(Math.max(0, bytes.length - 48 - more))
      const found = decodePackTail(tail, bytes.length)
      if ('missing' in found) {
        expect(tail.length).toBeLessThan(56 * entries.length + 48)
        const { offset, length } = found.missing
        expect(readTail(bytes.subarray(offset, offset + length), bytes.length).entries).toHaveLength(entries.length)
      } else {
        expect(found.entries.map((entry) => ({ ...entry, id: toHex(entry.id) }))).toEqual(
          entries.map((entry) => ({ ...entry, id: toHex(entry.id) })),
        )
      }
      expect(packSizeOf(entries)).toBe(bytes.length)
    }),
  )
})

test('a page comes back as it was written, and its table holds exactly the packs it uses', () => {
  fc.assert(
    fc.property(arb.page, (page) => {
      const bytes = encodePage(page)
      expect(plainPage(decodePage(bytes))).toEqual(plainPage(page))
      const used = new Set(page.entries.flatMap((entry) => (entry.kind === 'chunk' ? [entry.pack] : [])))
      expect(bytes.length).toBe(32 + 32 * used.size + 44 * page.entries.length)
    }),
  )
})

test('the entries of all pages tile the disk, whatever its size and shift', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 * 2 ** 21 }), fc.integer({ min: 16, max: 22 }), (sectors, chunkShift) => {
      const diskBytes = sectors * 512
      let covered = 0
      for (let pageNo = 0; pageNo < Math.ceil(diskBytes / 2 ** 30); pageNo++) {
        const count = pageEntryCount(diskBytes, pageNo, chunkShift)
        for (const index of [0, count - 1]) {
          expect(chunkLength(diskBytes, { pageNo, chunkShift }, index)).toBeGreaterThan(0)
        }
        const last = chunkLength(diskBytes, { pageNo, chunkShift }, count - 1)
        covered += (count - 1) * 2 ** chunkShift + last
      }
      expect(covered).toBe(diskBytes)
    }),
  )
})

test('root entries come back as they were written', () => {
  fc.assert(
    fc.property(arb.roots, (roots) => {
      const { entries, table } = encodeRoots(roots)
      expect(decodeRoots(entries, table)).toEqual(roots)
    }),
  )
})

test('every entry of a segment lies in its bucket, as the fan-out says', () => {
  fc.assert(
    fc.property(arb.segment, (content) => {
      const bytes = encodeSegment(content)
      const head = checkSegment(bytes)
      const packs = Array.from({ length: head.nPacks }, (_, ord) =>
        readSegmentPack(bytes, head.packsOff + SEGMENT_PACK * ord),
      )
      expect(packs).toEqual([...content.packs].sort((a, b) => (a.sha < b.sha ? -1 : 1)))
      for (const wanted of content.entries) {
        const bucket = bucketOf(wanted.id, head.prefixBits, head.fanoutBits)
        const from = bucket === 0 ? 0 : bytes.readUInt32LE(SEGMENT_HEADER + 4 * (bucket - 1))
        const to = bytes.readUInt32LE(SEGMENT_HEADER + 4 * bucket)
        const hits = Array.from({ length: to - from }, (_, i) =>
          readSegmentEntry(bytes, head.entriesOff + SEGMENT_ENTRY * (from + i)),
        ).filter((entry) => toHex(entry.id) === toHex(wanted.id))
        expect(
          hits.map(({ packOrd, off, clen, slot, type }) => ({ pack: packs[packOrd]?.sha, off, clen, slot, type })),
        ).toEqual([{ pack: wanted.pack, off: wanted.off, clen: wanted.clen, slot: wanted.slot, type: wanted.type }])
      }
    }),
  )
})

test('a writer takes the smallest fan-out that leaves 64 entries per bucket on average', () => {
  expect([0, 64, 65, 128, 129, 5_000_000].map((n) => fanoutBitsFor(n, 0))).toEqual([0, 0, 1, 1, 2, 17])
  expect(fanoutBitsFor(5_000_000, 16)).toBe(16)
})

const seen = fc.uniqueArray(fc.record({ epoch: fc.nat({ max: 9 }), nonce: arb.hexOf(16) }), {
  maxLength: 6,
  selector: (item) => `${item.epoch}-${item.nonce}`,
})
const run = { repo: arb.hexOf(16), epoch: arb.u53, createdMs: arb.u53, nonce: arb.hexOf(16), owner: arb.hexOf(16) }

test('condemned sets, rosters and floors come back as they were written, sorted', () => {
  const names = fc.uniqueArray(arb.hexOf(32), { maxLength: 9 })
  fc.assert(
    fc.property(fc.record({ ...run, floorSeen: arb.u53, seen, packs: names }), (condemned) => {
      const back = decodeCondemned(encodeCondemned(condemned, signer))
      expect(back).toMatchObject({ ...condemned, packs: [...condemned.packs].sort(), seen: back.seen, macKey: 4 })
      const order = [...condemned.seen].sort((a, b) => a.epoch - b.epoch || (a.nonce < b.nonce ? -1 : 1))
      expect(back.seen).toEqual(order)
    }),
  )
  fc.assert(
    fc.property(fc.record({ ...run, snaps: fc.uniqueArray(arb.hexOf(16), { maxLength: 9 }) }), (roster) => {
      expect(decodeRoster(encodeRoster(roster, signer))).toMatchObject({ ...roster, snaps: [...roster.snaps].sort() })
    }),
  )
  fc.assert(
    fc.property(fc.record({ repo: arb.hexOf(16), n: arb.u53 }), (floor) => {
      expect(decodeFloor(encodeFloor(floor, signer))).toMatchObject(floor)
    }),
  )
})

test('a final set names exactly the packs whose bits were set', () => {
  const { owner: _, ...ofRun } = run
  fc.assert(
    fc.property(
      fc.record({ ...ofRun, condemnedSha: arb.hexOf(32), nPacks: fc.nat({ max: 70 }) }),
      fc.uniqueArray(fc.nat({ max: 69 })),
      (head, drawn) => {
        const ordinals = drawn.filter((ordinal) => ordinal < head.nPacks).sort((a, b) => a - b)
        const back = decodeFinal(encodeFinal({ ...head, stopped: false, ordinals }, signer))
        expect(back).toMatchObject({ ...head, stopped: false, ordinals })
      },
    ),
  )
})

test('encoders refuse what their decoders would refuse', () => {
  const chunk = { kind: 'chunk', id: Buffer.alloc(32, 1), pack: 'ab'.repeat(32), slot: 0, off: 64, clen: 49 } as const
  const page = (entry: object): Page => ({ chunkShift: 16, pageNo: 0, entries: [{ ...chunk, ...entry }] })
  expect(() => encodePage(page({}))).not.toThrow()
  expect(() => encodePage(page({ off: 63 }))).toThrow('offset 63')
  expect(() => encodePage(page({ clen: 48 }))).toThrow('ciphertext length 48')
  expect(() => encodePage(page({ clen: 48 + 65_537 }))).toThrow('ciphertext length')
  expect(() => encodePage(page({ slot: 32_768 }))).toThrow('slot 32768')
  expect(() => encodePage({ chunkShift: 15, pageNo: 0, entries: [chunk] })).toThrow('chunk shift 15')
  expect(() => encodePage({ chunkShift: 20, pageNo: 0, entries: [] })).toThrow('0 entries')
  const zero = { kind: 'zero' } as const
  expect(() => encodePage({ chunkShift: 20, pageNo: 0, entries: [zero, zero] })).toThrow('has no blob')
})
