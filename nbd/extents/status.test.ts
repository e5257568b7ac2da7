import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, GiB, TiB } from '../../base/index.ts'
import { dirtyRanges, walkContext, walkStatus, type StatusReader } from './status.ts'
import { span } from './ranges.ts'
import type { ByteRange, StatusExtent } from './types.ts'

const SIZE = 512

/** Answers from maps of flags byte by byte, each context as far as `reach` says. */
function reader(
  maps: readonly (readonly number[])[],
  minimum: number,
  reach: () => number,
): StatusReader & { asked: ByteRange[] } {
  const contexts = maps.map((_, index) => `x-test:${index}`)
  const asked: ByteRange[] = []
  return {
    size: SIZE,
    contexts,
    blockSizes: { minimum, preferred: 4096, maximum: 65536 },
    asked,
    blockStatus: async (range) => {
      asked.push(range)
      const answer = new Map<string, StatusExtent[]>()
      maps.forEach((map, index) => {
        const end = Math.min(range.end, range.start + Math.max(reach(), minimum))
        const list: StatusExtent[] = []
        for (let at: number = range.start; at < end; at += 1) {
          list.push({ offset: bytes(at), length: bytes(1), flags: map[at] ?? 0 })
        }
        answer.set(contexts[index] ?? '', list)
      })
      return answer
    },
  }
}

describe('walkStatus', () => {
  const map = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: SIZE, maxLength: SIZE })
  const where = fc
    .tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }))
    .map(([a, b]) => span(Math.min(a, b), Math.max(a, b)))

  it('covers the range without gaps, whatever the answers leave out', async () => {
    await fc.assert(
      fc.asyncProperty(
        map,
        map,
        where,
        fc.constantFrom(1, 16),
        fc.infiniteStream(fc.nat({ max: 100 })),
        async (a, b, range, minimum, steps) => {
          const source = reader([a, b], minimum, () => (steps.next().value as number | undefined) ?? 1)
          let at: number = range.start
          for await (const piece of walkStatus(source, range)) {
            expect(piece.start).toBe(at)
            for (let byte: number = piece.start; byte < piece.end; byte += 1) {
              expect(piece.flags).toEqual([a[byte], b[byte]])
            }
            at = piece.end
          }
          expect(at).toBe(range.end)
          for (const query of source.asked) expect(query.start % minimum).toBe(0)
        },
      ),
    )
  })

  it('joins equal neighbours across answers', async () => {
    const source = reader([Array.from({ length: SIZE }, (_, at) => (at < 100 || at >= 200 ? 3 : 0))], 1, () => 7)
    expect(await Array.fromAsync(walkContext(source, 'x-test:0', span(0, SIZE)))).toEqual([
      { offset: 0, length: 100, flags: 3 },
      { offset: 100, length: 100, flags: 0 },
      { offset: 200, length: SIZE - 200, flags: 3 },
    ])
    const dirty = reader([Array.from({ length: SIZE }, (_, at) => (at % 100 < 50 ? 1 : 2))], 1, () => 7)
    expect(await Array.fromAsync(dirtyRanges(dirty, 'x-test:0', span(20, 130)))).toEqual([span(20, 50), span(100, 130)])
  })

  it('keeps every question below 4 GiB and aligned, on a disk of any size', async () => {
    const asked: ByteRange[] = []
    const source: StatusReader = {
      size: TiB,
      contexts: ['base:allocation'],
      blockSizes: { minimum: 65536, preferred: 65536, maximum: 65536 },
      blockStatus: async (range) => {
        asked.push(range)
        return new Map([
          ['base:allocation', [{ offset: range.start, length: bytes(range.end - range.start), flags: 3 }]],
        ])
      },
    }
    const out = await Array.fromAsync(walkContext(source, 'base:allocation', span(0, TiB)))
    expect(out).toEqual([{ offset: 0, length: TiB, flags: 3 }])
    for (const { start, end } of asked) {
      expect(start % 65536).toBe(0)
      expect(end - start).toBeLessThanOrEqual(0xffffffff)
    }
    expect(asked.length).toBeLessThan(300)
    expect(asked[0]?.end).toBeGreaterThan(3.9 * GiB)
  })

  it('stops at a server that makes no progress', async () => {
    const source: StatusReader = { ...reader([[]], 16, () => 1), blockStatus: async () => new Map([['x-test:0', []]]) }
    await expect(Array.fromAsync(walkStatus(source, span(0, 64)))).rejects.toMatchObject({ code: 'ProtocolMismatch' })
    const tiny: StatusReader = {
      ...source,
      blockStatus: async () => new Map([['x-test:0', [{ offset: bytes(0), length: bytes(5), flags: 0 }]]]),
    }
    await expect(Array.fromAsync(walkStatus(tiny, span(0, 64)))).rejects.toThrow(/no progress/)
  })

  it('names a context that was not selected', async () => {
    await expect(
      Array.fromAsync(
        walkContext(
          reader([[]], 1, () => 1),
          'qemu:dirty-bitmap:x',
          span(0, 1),
        ),
      ),
    ).rejects.toThrow(/no metadata context qemu:dirty-bitmap:x/)
  })
})
