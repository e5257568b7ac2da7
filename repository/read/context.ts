import type { PageEntry } from '../format/index.ts'
import type { KeyRing } from '../keys/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { BufferBudget, WorkerPool } from '../workers/index.ts'
import type { BlobReader } from './blob-reader.ts'

/** What readers of one point work with. */
export interface ReadContext {
  readonly stem: string
  readonly ring: KeyRing
  readonly store: ObjectStore
  readonly blobs: BlobReader
  readonly pool: WorkerPool
  readonly budget: BufferBudget
}

/** A piece of a disk as its page says it: the chunk's own range, not clipped to what was asked for. */
export interface ChunkAt {
  readonly offset: number
  readonly length: number
  readonly entry: PageEntry
}

/** A disk as its stream needs it. */
export interface ChunkedDisk {
  /** Every chunk, hole or not, that [start, end) touches, in order. */
  chunks(start: number, end: number, signal: AbortSignal): AsyncGenerator<ChunkAt>
  /** ChunkLost with disk and byte range; any other error as it is. */
  lost(error: unknown, offset: number, length: number): unknown
}
