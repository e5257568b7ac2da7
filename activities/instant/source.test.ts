import { expect, it } from 'vitest'
import { HoldfastError, MiB } from '../../base/index.ts'
import type { DiskReader } from '../../repository/index.ts'
import { BlockCache } from './cache.ts'
import { PointSource } from './source.ts'

const { signal } = new AbortController()

/** A disk whose MiB hold their own number; those that are asked for are holes. */
class Numbered {
  readonly size: number
  readonly #holes: (mib: number) => boolean
  /** Streams that are open now, and stretches that were begun. */
  open = 0
  readonly begun: [number, number][] = []
  /** Which part of a stream fails, once. */
  failsAt: number | null = null

  constructor(size: number, holes: (mib: number) => boolean) {
    this.size = size
    this.#holes = holes
  }

  readonly reader = {
    runs: async function* (this: Numbered, start: number, end: number) {
      for (let at = start; at < end; at += MiB)
        yield { offset: at, length: Math.min(MiB, end - at), kind: this.#holes(at / MiB) ? 'hole' : 'data' }
    }.bind(this),
    stream: async function* (this: Numbered, start: number, end: number) {
      this.begun.push([start / MiB, end / MiB])
      this.open += 1
      const memory = new Uint8Array(MiB)
      try {
        for (let at = start; at < end; at += MiB) {
          if (this.#holes(at / MiB)) continue
          if (this.failsAt === at / MiB) {
            this.failsAt = null
            throw new HoldfastError('StoreUnavailable', 'the store is away')
          }
          yield { offset: at, data: memory.subarray(0, Math.min(MiB, end - at)).fill(at / MiB) }
        }
      } finally {
        this.open -= 1
      }
    }.bind(this),
  } as unknown as DiskReader
}

function sourceOf(disk: Numbered): PointSource {
  return new PointSource({
    ...{ name: 'disk', size: disk.size, cache: new BlockCache(MiB), onWait: () => undefined },
    open: async () => disk.reader,
  })
}

it('streams all content once and in order, over holes, over an end in the middle, and over a store that is away', async () => {
  const disk = new Numbered(60 * MiB + 512, (mib) => mib >= 10 && mib < 30)
  disk.failsAt = 7
  const seen: number[] = []
  let bytes = 0
  for await (const { offset, data } of sourceOf(disk).stream(signal)) {
    expect([data[0], data.at(-1)]).toEqual([offset / MiB, offset / MiB])
    seen.push(offset / MiB)
    bytes += data.length
  }
  expect(seen).toEqual(Array.from({ length: 61 }, (_, mib) => mib).filter((mib) => mib < 10 || mib >= 30))
  expect(bytes).toBe(40 * MiB + 512)
  expect(disk.begun).toEqual([
    [0, 36],
    [7, 36],
    [36, 52],
    [52, 60 + 1 / 2048],
  ])
})

it('who takes nothing holds no stream of the repository open, and no more than two stretches are read', async () => {
  const disk = new Numbered(100 * MiB, () => false)
  const parts = sourceOf(disk).stream(signal)
  await parts.next()
  await expect.poll(() => [disk.open, disk.begun.length]).toEqual([0, 2])
  await parts.return()
  expect(disk.begun).toHaveLength(2)
})

it('ends with an error when the session ends', async () => {
  const disk = new Numbered(100 * MiB, () => false)
  const source = sourceOf(disk)
  const parts = source.stream(signal)
  await parts.next()
  source.end()
  await expect(Array.fromAsync(parts)).rejects.toThrow()
})
