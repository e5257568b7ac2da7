import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SourceExtent } from '../types.ts'
import { ExtentCursor, type PlanItem } from './extents.ts'

const CHUNK = 8
const PAGE = 64

async function* stream(extents: readonly SourceExtent[]): AsyncGenerator<SourceExtent> {
  yield* extents
}

/** The plan of [0, end), page by page, flattened: what each byte is decided to be. */
async function plan(extents: readonly SourceExtent[], end: number, gaps: boolean, forced: readonly number[] = []) {
  const cursor = new ExtentCursor(stream(extents), 0, end)
  const bytes = new Array<string>(end).fill('untouched')
  const items: PlanItem[] = []
  for (let origin = 0; origin < end; origin += PAGE) {
    const stop = Math.min(end, origin + PAGE)
    const mine = forced
      .filter((chunk) => chunk * CHUNK >= origin && chunk * CHUNK < stop)
      .map((chunk) => chunk - origin / CHUNK)
    const options = { origin, start: origin, end: stop, size: CHUNK, gaps, forced: new Set(mine) }
    for await (const item of cursor.items(options)) {
      items.push(item)
      const from = origin + item.index * CHUNK
      if (item.kind === 'run') bytes.fill(`whole ${item.as}`, from, Math.min(stop, from + item.count * CHUNK))
      else for (const { start, end: to, kind } of item.pieces) bytes.fill(kind, start, to)
    }
  }
  return { bytes, items }
}

/** What §6.2 and §6.7 say, byte by byte. */
function naive(extents: readonly SourceExtent[], end: number, gaps: boolean, forced: readonly number[]): string[] {
  const kinds = new Array<string>(end).fill('gap')
  for (const { offset, length, kind } of extents) kinds.fill(kind, offset, offset + length)
  const out = new Array<string>(end).fill('untouched')
  for (let at = 0; at < end; at += CHUNK) {
    const chunk = kinds.slice(at, at + CHUNK)
    const touched = chunk.some((kind) => kind !== 'gap') || forced.includes(at / CHUNK)
    if (gaps && !touched) continue
    if (chunk.every((kind) => kind === 'unallocated')) out.fill('whole unallocated', at, Math.min(end, at + CHUNK))
    else if (chunk.every((kind) => kind === 'unallocated' || kind === 'zero'))
      out.fill('whole zero', at, Math.min(end, at + CHUNK))
    else for (const [index, kind] of chunk.entries()) out[at + index] = kind
  }
  return out
}

const steps = fc.array(
  fc.record({
    skip: fc.nat(20),
    length: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom('data', 'zero', 'unallocated'),
  }),
  { maxLength: 20 },
)
const kindOf = (kind: string) => kind as SourceExtent['kind']

describe('extents become chunks', () => {
  it('as the rules say byte by byte, in an increment', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 300 }),
        fc.uniqueArray(fc.nat(40)),
        async (list, end, wanted) => {
          const extents: SourceExtent[] = []
          let at = 0
          for (const { skip, length, kind } of list) {
            const offset = at + skip
            if (offset >= end) break
            extents.push({ offset, length: Math.min(length, end - offset), kind: kindOf(kind) })
            at = offset + length
          }
          const forced = wanted.filter((chunk) => chunk * CHUNK < end)
          expect((await plan(extents, end, true, forced)).bytes).toEqual(naive(extents, end, true, forced))
        },
      ),
    )
  })

  it('as the rules say byte by byte, in a full', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const extents: SourceExtent[] = []
        let at = 0
        for (const { length, kind } of list) {
          extents.push({ offset: at, length, kind: kindOf(kind) })
          at += length
        }
        expect((await plan(extents, at, false)).bytes).toEqual(naive(extents, at, false, []))
      }),
    )
  })

  it('in runs where nothing has to be read, within one page each', async () => {
    const { items } = await plan([{ offset: 0, length: 200, kind: 'zero' }], 200, false)
    expect(items).toEqual([
      { kind: 'run', index: 0, count: 8, as: 'zero' },
      { kind: 'run', index: 0, count: 8, as: 'zero' },
      { kind: 'run', index: 0, count: 8, as: 'zero' },
      { kind: 'run', index: 0, count: 1, as: 'zero' },
    ])
  })

  it('never from extents that are out of order, overlap, are empty or leave the range', async () => {
    const bad: SourceExtent[][] = [
      [
        { offset: 10, length: 5, kind: 'data' },
        { offset: 5, length: 2, kind: 'data' },
      ],
      [
        { offset: 0, length: 10, kind: 'data' },
        { offset: 9, length: 2, kind: 'zero' },
      ],
      [{ offset: 0, length: 0, kind: 'data' }],
      [{ offset: 90, length: 20, kind: 'data' }],
      [{ offset: 0.5, length: 1, kind: 'data' }],
    ]
    for (const extents of bad) {
      await expect(plan(extents, 100, true)).rejects.toMatchObject({
        code: 'SourceReadFailed',
        data: { side: 'source' },
      })
    }
  })

  it('never from a full with a gap: what nobody speaks of is not zero', async () => {
    const extents: SourceExtent[] = [
      { offset: 0, length: 10, kind: 'data' },
      { offset: 12, length: 88, kind: 'data' },
    ]
    await expect(plan(extents, 100, false)).rejects.toMatchObject({ code: 'SourceReadFailed' })
    await expect(plan([{ offset: 0, length: 50, kind: 'data' }], 100, false)).rejects.toMatchObject({
      code: 'SourceReadFailed',
    })
  })
})
