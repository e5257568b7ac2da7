import { HoldfastError } from '../../base/index.ts'
import type { ManifestDiskReader } from '../read/disk-reader.ts'
import type { DiskSource } from '../types.ts'
import type { Piece } from './extents.ts'
import { onSide } from './sides.ts'

/**
 * Fills a chunk from its pieces (§6.2, rulings 7): data from the source; what is zero or unallocated is never read; what
 * no extent names comes from the source too if all of it can be read, else from the parent's chunk.
 */
export class ChunkSource {
  readonly #source: DiskSource
  readonly #parent: ManifestDiskReader | undefined
  readonly #signal: AbortSignal
  #free: number
  readonly #waiting: (() => void)[] = []
  /** Bytes read from the source. */
  bytesRead = 0

  constructor(source: DiskSource, parent: ManifestDiskReader | undefined, signal: AbortSignal) {
    this.#source = source
    this.#parent = parent
    this.#signal = signal
    this.#free = Math.max(1, source.maxInFlight)
  }

  /** `into`: memory of the chunk, which begins at byte `at` of the disk. Bytes read from the source for it. */
  async fill(at: number, into: Uint8Array, pieces: readonly Piece[]): Promise<number> {
    let read = 0
    for (const { start, end, from } of this.#joined(pieces)) {
      const part = into.subarray(start - at, end - at)
      if (from === 'nowhere') part.fill(0)
      else if (from === 'parent') await this.#fromParent(start, part)
      else {
        await this.#fromSource(start, part)
        read += part.length
      }
    }
    return read
  }

  /** Neighbours that come from one place are read at once. */
  #joined(pieces: readonly Piece[]): { start: number; end: number; from: 'source' | 'parent' | 'nowhere' }[] {
    const joined: { start: number; end: number; from: 'source' | 'parent' | 'nowhere' }[] = []
    for (const { start, end, kind } of pieces) {
      const gap = this.#source.readable === 'all' ? 'source' : 'parent'
      const from = kind === 'data' ? 'source' : kind === 'gap' ? gap : 'nowhere'
      const last = joined.at(-1)
      if (last?.from === from && last.end === start) last.end = end
      else joined.push({ start, end, from })
    }
    return joined
  }

  async #fromParent(start: number, into: Uint8Array): Promise<void> {
    const parent = this.#parent
    if (parent === undefined) {
      throw new HoldfastError(
        'SourceReadFailed',
        `bytes ${start} … cannot be read and there is no parent to take them from`,
        {
          data: { side: 'source' },
        },
      )
    }
    await onSide('store-read', () => parent.read(start, into, this.#signal))
  }

  async #fromSource(start: number, into: Uint8Array): Promise<void> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#free -= 1
    try {
      await onSide('source', () => this.#source.read(start, into, this.#signal))
      this.bytesRead += into.length
    } finally {
      this.#free += 1
      this.#waiting.shift()?.()
    }
  }
}
