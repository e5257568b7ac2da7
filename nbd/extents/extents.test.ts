import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes } from '../../base/index.ts'
import { AllocationFlag } from '../codec/constants.ts'
import { changedExtents, coverRange, mergeExtents, rangesOf } from './changed.ts'
import {
  clipRanges,
  intersectRanges,
  mergeRanges,
  normaliseRanges,
  span,
  subtractRanges,
  widenRanges,
} from './ranges.ts'
import type { ByteRange, Extent, StatusExtent } from './types.ts'

const SIZE = 64
const range = fc
  .tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }))
  .map(([a, b]) => span(Math.min(a, b), Math.max(a, b)))
const ranges = fc.array(range, { maxLength: 12 })
const sorted = ranges.map((list) => list.toSorted((a, b) => a.start - b.start))

/** The same thing, byte by byte: the model that the streams are held against. */
function bytesOf(list: readonly ByteRange[]): Set<number> {
  const out = new Set<number>()
  for (const { start, end } of list) for (let at: number = start; at < end; at += 1) out.add(at)
  return out
}

function isNormal(list: readonly ByteRange[]): boolean {
  return list.every((item, index) => item.start < item.end && (index === 0 || item.start > (list[index - 1]?.end ?? 0)))
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(source)
}

describe('algebra of ranges', () => {
  it('merges to a normal form with the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async (list) => {
        const merged = await normaliseRanges(list)
        expect(isNormal(merged)).toBe(true)
        expect(bytesOf(merged)).toEqual(bytesOf(list))
      }),
    )
  })

  it('intersects', async () => {
    await fc.assert(
      fc.asyncProperty(sorted, sorted, async (a, b) => {
        const out = await all(intersectRanges(a, b))
        expect(isNormal(out)).toBe(true)
        expect(bytesOf(out)).toEqual(bytesOf(a).intersection(bytesOf(b)))
      }),
      { numRuns: 2000 },
    )
  })

  it('subtracts', async () => {
    await fc.assert(
      fc.asyncProperty(sorted, sorted, async (a, b) => {
        const out = await all(subtractRanges(a, b))
        expect(isNormal(out)).toBe(true)
        expect(bytesOf(out)).toEqual(bytesOf(a).difference(bytesOf(b)))
      }),
      { numRuns: 2000 },
    )
  })

  it('widens to whole chunks and never beyond the end', async () => {
    await fc.assert(
      fc.asyncProperty(sorted, fc.integer({ min: 1, max: 16 }), async (list, alignment) => {
        const out = await all(widenRanges(list, alignment, SIZE))
        const chunks = new Set([...bytesOf(list)].map((at) => Math.floor(at / alignment)))
        const expected = Array.from({ length: SIZE }, (_, at) => at).filter((at) =>
          chunks.has(Math.floor(at / alignment)),
        )
        expect(isNormal(out)).toBe(true)
        expect([...bytesOf(out)]).toEqual(expected)
      }),
    )
  })

  it('clips', async () => {
    expect(await all(clipRanges([span(0, 10), span(20, 30)], span(5, 25)))).toEqual([span(5, 10), span(20, 25)])
  })

  it('refuses a stream that is out of order instead of losing what came late', async () => {
    await expect(all(mergeRanges([span(10, 20), span(0, 5)]))).rejects.toThrow(/came after/)
    await expect(all(mergeRanges([{ start: bytes(5), end: bytes(1) }]))).rejects.toThrow(/ends before/)
    await expect(all(widenRanges([span(0, 100)], 8, 64))).rejects.toThrow(/beyond 64/)
  })

  it('ends its inputs when the consumer stops', async () => {
    let ended = 0
    async function* endless(): AsyncGenerator<ByteRange, void, undefined> {
      try {
        for (let at = 0; ; at += 10) yield span(at, at + 5)
      } finally {
        ended += 1
      }
    }
    for await (const _ of intersectRanges(endless(), endless())) break
    for await (const _ of subtractRanges(endless(), [span(0, 1)])) break
    for await (const _ of mergeExtents(toData(endless()))) break
    expect(ended).toBe(4)
  })

  async function* toData(source: AsyncIterable<ByteRange>): AsyncGenerator<Extent, void, undefined> {
    for await (const { start, end } of source) yield { offset: start, length: bytes(end - start), kind: 'data' }
  }
})

describe('changedExtents', () => {
  const flags = fc.integer({ min: 0, max: 3 })
  /** Flags byte by byte. */
  const allocation = fc.array(flags, { minLength: SIZE, maxLength: SIZE })

  function statusOf(map: readonly number[]) {
    return async function* (of: ByteRange): AsyncGenerator<StatusExtent, void, undefined> {
      for (let at: number = of.start; at < of.end; at += 1)
        yield { offset: bytes(at), length: bytes(1), flags: map[at] ?? 0 }
    }
  }

  it('covers exactly what is dirty, and is zero exactly where the flag ZERO is', async () => {
    await fc.assert(
      fc.asyncProperty(sorted, allocation, async (dirty, map) => {
        const extents = await all(changedExtents(dirty, statusOf(map)))
        const kinds = new Map<number, string>()
        for (const { offset, length, kind } of extents) {
          for (let at: number = offset; at < offset + length; at += 1) {
            expect(kinds.has(at)).toBe(false)
            kinds.set(at, kind)
          }
        }
        expect(new Set(kinds.keys())).toEqual(bytesOf(dirty))
        for (const [at, kind] of kinds)
          expect(kind).toBe(((map[at] ?? 0) & AllocationFlag.ZERO) !== 0 ? 'zero' : 'data')
        expect(extents).toEqual(await all(mergeExtents(extents)))
        expect(extents.map((item) => item.offset)).toEqual(extents.map((item) => item.offset).toSorted((a, b) => a - b))
      }),
    )
  })

  it('takes a hole that does not promise zeros for data', async () => {
    const status = async function* (): AsyncGenerator<StatusExtent, void, undefined> {
      yield { offset: bytes(0), length: bytes(8), flags: AllocationFlag.HOLE }
      yield { offset: bytes(8), length: bytes(8), flags: AllocationFlag.HOLE | AllocationFlag.ZERO }
    }
    expect(await all(changedExtents([span(0, 16)], status))).toEqual([
      { offset: 0, length: 8, kind: 'data' },
      { offset: 8, length: 8, kind: 'zero' },
    ])
  })

  it('takes for data what the allocation leaves out or repeats', async () => {
    await fc.assert(
      fc.asyncProperty(range, sorted, async (of, answers) => {
        const zeros = answers.map(({ start, end }): Extent => ({
          offset: start,
          length: bytes(end - start),
          kind: 'zero',
        }))
        const out = await all(coverRange(of, zeros))
        expect(bytesOf(await all(rangesOf(out)))).toEqual(bytesOf([of]))
        const zero = bytesOf(await all(rangesOf(out.filter((item) => item.kind === 'zero'))))
        expect(zero).toEqual(bytesOf(answers).intersection(bytesOf([of])))
      }),
    )
  })

  it('never asks for what is not dirty', async () => {
    const asked: ByteRange[] = []
    const status = async function* (of: ByteRange): AsyncGenerator<StatusExtent, void, undefined> {
      asked.push(of)
    }
    await all(changedExtents([span(0, 4), span(4, 8), span(16, 20)], status))
    expect(asked).toEqual([span(0, 8), span(16, 20)])
  })

  it('passes on a failed question and ends the ones asked ahead', async () => {
    let open = 0
    const status = async function* (of: ByteRange): AsyncGenerator<StatusExtent, void, undefined> {
      open += 1
      try {
        if (of.start === 20) throw new Error('EINVAL')
        yield { offset: of.start, length: bytes(1), flags: 0 }
      } finally {
        open -= 1
      }
    }
    const dirty = Array.from({ length: 30 }, (_, index) => span(index * 10, index * 10 + 5))
    await expect(all(changedExtents(dirty, status))).rejects.toThrow('EINVAL')
    expect(open).toBe(0)
  })

  it('keeps only a few questions open, however many ranges are dirty', async () => {
    let open = 0
    let most = 0
    const status = async function* (of: ByteRange): AsyncGenerator<StatusExtent, void, undefined> {
      open += 1
      most = Math.max(most, open)
      try {
        yield { offset: of.start, length: bytes(5), flags: 2 }
      } finally {
        open -= 1
      }
    }
    async function* dirty(): AsyncGenerator<ByteRange, void, undefined> {
      for (let index = 0; index < 1000; index += 1) yield span(index * 10, index * 10 + 5)
    }
    expect((await all(changedExtents(dirty(), status))).length).toBe(1000)
    expect(most).toBeLessThanOrEqual(8)
  })
})
