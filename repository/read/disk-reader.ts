import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  BLOB_CHUNK,
  chunkLength,
  free,
  PAGE_BYTES,
  pageLength,
  type ManifestDisk,
  type Page,
  type RootEntry,
} from '../format/index.ts'
import { throwIfAborted } from '../store/index.ts'
import type { DiskInfo, DiskReader, DiskRun, StreamOptions } from '../types.ts'
import type { BlobReader } from './blob-reader.ts'
import type { ChunkAt, ChunkedDisk, ReadContext } from './context.ts'
import { LruCache } from './lru.ts'
import { streamDisk } from './stream.ts'

/** Chunks kept of one disk for random access. */
const CHUNK_CACHE_BYTES = 16 * 1024 * 1024
/** Chunks that one `read` fetches at the same time. */
const PARALLEL = 4
const noSignal = new AbortController().signal

/** A chunk on its way, and how many wait for it. */
interface Loading {
  readonly content: Promise<Uint8Array>
  /** Somebody reads a part of it, and probably the next one soon. */
  keep: boolean
  users: number
}

/** §4.5: random access to one disk of one point through its pages. */
export class ManifestDiskReader implements DiskReader, ChunkedDisk {
  readonly info: DiskInfo
  readonly #context: ReadContext
  readonly #roots: readonly RootEntry[]
  readonly #chunks = new LruCache<Uint8Array>(CHUNK_CACHE_BYTES)
  readonly #loading = new Map<string, Loading>()

  constructor(context: ReadContext, disk: ManifestDisk, roots: readonly RootEntry[]) {
    const { id, label, bytes, sectorSize, mode, why, readBytes, newBytes, imageRoot, changeRef } = disk
    this.info = { id, label, bytes, sectorSize, mode, why, readBytes, newBytes, imageRoot, changeRef }
    this.#context = context
    this.#roots = roots
  }

  get blobs(): BlobReader {
    return this.#context.blobs
  }

  async read(at: number, into: Uint8Array, signal: AbortSignal = noSignal): Promise<void> {
    this.#checkRange(at, at + into.length)
    let batch: Promise<void>[] = []
    try {
      for await (const chunk of this.chunks(at, at + into.length, signal)) {
        const reading = this.#readChunk(chunk, at, into, signal)
        // Told below; a rejection that nobody listens to while the next page is looked up would end the process.
        void Promise.allSettled([reading])
        batch.push(reading)
        if (batch.length === PARALLEL) {
          await Promise.all(batch)
          batch = []
        }
      }
      await Promise.all(batch)
    } finally {
      // Whatever failed: the memory is the caller's again, and nothing writes into it any more.
      await Promise.allSettled(batch)
    }
  }

  async *runs(start: number, end: number): AsyncGenerator<DiskRun> {
    this.#checkRange(start, end)
    let run: { offset: number; length: number; kind: DiskRun['kind'] } | undefined
    for await (const chunk of this.chunks(start, end, noSignal)) {
      const kind = chunk.entry.kind === 'chunk' ? 'data' : 'hole'
      const offset = Math.max(start, chunk.offset)
      const length = Math.min(end, chunk.offset + chunk.length) - offset
      if (run !== undefined && run.kind === kind) run.length += length
      else {
        if (run !== undefined) yield run
        run = { offset, length, kind }
      }
    }
    if (run !== undefined) yield run
  }

  stream(
    start: number,
    end: number,
    signal: AbortSignal,
    options?: StreamOptions,
  ): AsyncIterable<{ readonly offset: number; readonly data: Uint8Array }> {
    this.#checkRange(start, end)
    return streamDisk(this.#context, this, { start, end }, signal, options)
  }

  /** Every chunk, hole or not, that [start, end) touches. A page that is all hole comes as one. */
  async *chunks(start: number, end: number, signal: AbortSignal): AsyncGenerator<ChunkAt> {
    for (let offset = start; offset < end;) {
      throwIfAborted(signal)
      const pageNo = Math.floor(offset / PAGE_BYTES)
      const pageStart = pageNo * PAGE_BYTES
      const root = this.#root(pageNo)
      if (root.kind !== 'page') {
        yield { offset: pageStart, length: pageLength(this.info.bytes, pageNo), entry: { kind: root.kind } }
        offset = pageStart + PAGE_BYTES
        continue
      }
      const page = await this.page(pageNo, signal)
      const size = 2 ** page.chunkShift
      let index = Math.floor((offset - pageStart) / size)
      for (; index < page.entries.length && pageStart + index * size < end; index++) {
        const entry = page.entries[index]
        if (entry === undefined) break
        yield { offset: pageStart + index * size, length: chunkLength(this.info.bytes, page, index), entry }
      }
      offset = pageStart + index * size
    }
  }

  /** Page `pageNo`, whose root entry must be a page. ChunkLost names the page's range. */
  async page(pageNo: number, signal: AbortSignal = noSignal): Promise<Page> {
    const root = this.#root(pageNo)
    if (root.kind !== 'page') throw new TypeError(`page ${pageNo} has no blob`)
    try {
      return await this.#context.blobs.page(root, pageNo, this.info.bytes, signal)
    } catch (error) {
      throw this.lost(error, pageNo * PAGE_BYTES, pageLength(this.info.bytes, pageNo))
    }
  }

  /** Pages that have a blob. */
  pageNumbers(): number[] {
    return this.#roots.flatMap((root, pageNo) => (root.kind === 'page' ? [pageNo] : []))
  }

  /** Of the whole disk, blob or not. */
  get pageCount(): number {
    return this.#roots.length
  }

  hasPage(pageNo: number): boolean {
    return this.#root(pageNo).kind === 'page'
  }

  /** Equal for pages of equal content, in whatever point of the repository. */
  pageIdentity(pageNo: number): string {
    const root = this.#root(pageNo)
    return root.kind === 'page' ? root.pageId : 'hole'
  }

  /** ChunkLost with disk and byte range; any other error as it is. */
  lost(error: unknown, offset: number, length: number): unknown {
    if (!isHoldfastError(error) || error.code !== 'ChunkLost' || error.data?.['disk'] !== undefined) return error
    const { stem } = this.#context
    const where = `disk ${this.info.id} of ${stem}, bytes ${offset} … ${offset + length - 1}`
    return new HoldfastError('ChunkLost', `${where}: ${error.message}`, {
      cause: error,
      data: { ...error.data, stem, disk: this.info.id, start: offset, end: offset + length },
    })
  }

  #root(pageNo: number): RootEntry {
    const root = this.#roots[pageNo]
    if (root === undefined) throw new RangeError(`disk ${this.info.id} has no page ${pageNo}`)
    return root
  }

  async #readChunk(chunk: ChunkAt, at: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    const from = Math.max(at, chunk.offset)
    const to = Math.min(at + into.length, chunk.offset + chunk.length)
    if (chunk.entry.kind !== 'chunk') {
      into.fill(0, from - at, to - at)
      return
    }
    const isWhole = from === chunk.offset && to === chunk.offset + chunk.length
    await this.#withContent(chunk, { signal, keep: !isWhole }, (content) =>
      into.set(content.subarray(from - chunk.offset, to - chunk.offset), from - at),
    )
  }

  /** Concurrent reads of one chunk fetch it once. Who reads whole chunks keeps them himself, if at all. */
  async #withContent(
    { offset, length, entry }: ChunkAt,
    { signal, keep }: { readonly signal: AbortSignal; readonly keep: boolean },
    use: (content: Uint8Array) => void,
  ): Promise<void> {
    if (entry.kind !== 'chunk') throw new TypeError('a hole has no content')
    const key = `${offset}`
    const known = this.#chunks.get(key)
    if (known !== undefined) {
      use(known)
      return
    }
    const loading = this.#loading.get(key) ?? {
      // Not under the signal of the first who asks: another may wait for the same chunk.
      content: this.#context.blobs.read({ type: BLOB_CHUNK, id: entry.id, ulen: length }, entry),
      keep: false,
      users: 0,
    }
    this.#loading.set(key, loading)
    loading.users += 1
    loading.keep ||= keep
    let content: Uint8Array | undefined
    try {
      content = await loading.content
      throwIfAborted(signal)
      use(content)
    } catch (error) {
      throw this.lost(error, offset, length)
    } finally {
      loading.users -= 1
      if (loading.users === 0) {
        // Whoever comes from here on loads it anew, or finds it kept.
        this.#loading.delete(key)
        if (content !== undefined && loading.keep) this.#chunks.set(key, content, content.length)
        else if (content !== undefined) free(content)
      }
    }
  }

  #checkRange(start: number, end: number): void {
    if (start < 0 || end < start || end > this.info.bytes) {
      throw new RangeError(`bytes ${start} … ${end} of disk ${this.info.id}, which has ${this.info.bytes}`)
    }
  }
}
