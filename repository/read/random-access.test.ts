import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { backUp, ModelDisk, RepositoryLab, seededBytes } from '../testing/index.ts'

/** Three pages, of which the second is a hole, and a last chunk of 512 bytes. */
const size = 2 * GiB + MiB + 512
const model = new ModelDisk(size)
const written = [
  [0, 3 * MiB],
  [GiB - MiB - 4096, MiB + 4096],
  [2 * GiB, 512],
  [2 * GiB + MiB, 512],
] as const
/** Where something begins or ends: what is read lies around it. */
const edges = [0, MiB, 3 * MiB, GiB - MiB, GiB, 2 * GiB, 2 * GiB + MiB, size]

let lab: RepositoryLab
beforeAll(async () => {
  for (const [seed, [at, length]] of written.entries()) model.write(at, seededBytes(seed + 1, length))
  lab = await RepositoryLab.create()
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

test('any range is what the disk was there, and its runs tell data from holes', { timeout: 30_000 }, async () => {
  await using repository = await lab.open()
  const { stem } = await backUp(repository, model)
  await using point = await repository.openPoint(stem)
  const disk = point.disk('disk')
  const range = fc
    .tuple(fc.constantFrom(...edges), fc.integer({ min: -70_000, max: 70_000 }), fc.integer({ min: 1, max: 3 * MiB }))
    .map(([edge, by, length]) => {
      const start = Math.min(Math.max(0, edge + by), size - 1)
      return { start, end: Math.min(size, start + length) }
    })
  await fc.assert(
    fc.asyncProperty(range, async ({ start, end }) => {
      const into = Buffer.alloc(end - start, 0xee)
      await disk.read(start, into)
      const wanted = Buffer.from(model.bytes(start, end - start))
      expect(into.equals(wanted)).toBe(true)
      let at = start
      for await (const { offset, length, kind } of disk.runs(start, end)) {
        expect([offset, length > 0]).toEqual([at, true])
        at += length
        const bytes = wanted.subarray(offset - start, at - start)
        if (kind === 'hole') expect(bytes.equals(Buffer.alloc(length))).toBe(true)
        // What was never written is no data, but for the rest of its chunk.
        else expect(written.some(([from, n]) => offset < from + n + MiB && at > from - MiB)).toBe(true)
      }
      expect(at).toBe(end)
    }),
    { numRuns: 30 },
  )
  await expect(disk.read(size - 1, Buffer.alloc(2))).rejects.toThrow(RangeError)
})

test('a read that is given up tells it once, and only when nothing writes into the memory any more', async () => {
  await using repository = await lab.open()
  const { stem } = await backUp(repository, model)
  const untold: unknown[] = []
  const note = (reason: unknown): void => void untold.push(reason)
  process.prependListener('unhandledRejection', note)
  try {
    for (let turns = 0; turns < 24; turns += 1) {
      await using point = await repository.openPoint(stem)
      const cancel = new AbortController()
      // Over the seam of two pages: the second one is looked up while the last chunk of the first is read.
      const into = Buffer.alloc(Math.min(3 * MiB, size - GiB + MiB), 0xee)
      const outcomes = Promise.allSettled([point.disk('disk').read(GiB - MiB, into, cancel.signal)])
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
      cancel.abort()
      const [outcome] = await outcomes
      const then = Buffer.from(into)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect([outcome?.status, into.equals(then)]).toEqual([expect.any(String), true])
    }
  } finally {
    process.removeListener('unhandledRejection', note)
  }
  expect(untold).toEqual([])
})

test(
  'reads of the same chunks at the same time, whole and in part, all get what is there; some give up',
  { timeout: 30_000 },
  async () => {
    await using repository = await lab.open()
    const { stem } = await backUp(repository, model)
    const read = fc.record({
      chunk: fc.constantFrom(0, 1, 2, GiB / MiB - 1),
      part: fc.constantFrom('whole', 'half', 'many'),
      turns: fc.integer({ min: 0, max: 4 }),
      givesUp: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(read, { minLength: 2, maxLength: 12 }), async (reads) => {
        await using point = await repository.openPoint(stem)
        const disk = point.disk('disk')
        const done = await Promise.allSettled(
          reads.map(async ({ chunk, part, turns, givesUp }) => {
            for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
            const start = chunk * MiB + (part === 'half' ? MiB / 2 : 0)
            const length = { whole: MiB, half: MiB / 2, many: Math.min(3 * MiB, size - start) }[part]
            const into = Buffer.alloc(length, 0xee)
            const cancel = new AbortController()
            if (givesUp) setImmediate(() => cancel.abort())
            await disk.read(start, into, cancel.signal)
            expect(into.equals(Buffer.from(model.bytes(start, length)))).toBe(true)
          }),
        )
        for (const [n, one] of done.entries())
          if (one.status === 'rejected')
            expect([reads[n]?.givesUp, String(one.reason)]).toEqual([true, expect.stringMatching(/[Cc]ancel|abort/)])
      }),
      { numRuns: 40 },
    )
  },
)
