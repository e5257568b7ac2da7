import { isHoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  BLOB_HEADER,
  CHUNK_SHIFT,
  chunkLength,
  names,
  PAGE_BYTES,
  pageLength,
  rootsOfDisk,
  type ChunkEntry,
  type ManifestDisk,
  type Page,
  type PageEntry,
  type RootEntry,
} from '../format/index.ts'
import { ManifestDiskReader } from '../read/disk-reader.ts'
import type { LoadedManifest } from '../read/manifest.ts'
import type { SourceExtent } from '../types.ts'
import type { Sealed } from '../workers/index.ts'
import type { SealedChunk, SealedSource } from '../write/chunk-supply.ts'

const CHUNK = 2 ** CHUNK_SHIFT

/** A disk of one point of a repository, with the root entries of its pages. */
export interface StoredDisk {
  readonly disk: ManifestDisk
  readonly roots: readonly RootEntry[]
  readonly reader: ManifestDiskReader
}

export function storedDisk(engine: Engine, manifest: LoadedManifest, id: string): StoredDisk | undefined {
  const disk = manifest.body.json.disks.find((each) => each.id === id)
  if (disk === undefined) return undefined
  const roots = rootsOfDisk(manifest.body, disk)
  return { disk, roots, reader: new ManifestDiskReader({ ...engine, stem: manifest.stem }, disk, roots) }
}

/** Whether two repositories give equal content equal ids (§13: by default a mirror shares the IDK). */
export function shareIdentity(a: Engine, b: Engine): boolean {
  const probe = Buffer.alloc(32, 1)
  return a.ring.identity().chunkId(probe).equals(b.ring.identity().chunkId(probe))
}

/**
 * A disk of a point as the writer of another repository reads it (§13): what changed since `before` by comparing pages, and
 * chunks as they are sealed there. Chunks of another size than this version writes are read as content, and chunked anew.
 */
export class MirroredDisk implements SealedSource {
  readonly size: number
  readonly readable = 'all'
  readonly maxInFlight = 4
  readonly #from: Engine
  readonly #to: Engine
  readonly #here: StoredDisk
  readonly #before: StoredDisk | undefined
  readonly #sameIds: boolean
  /** Whether a page was met whose chunks cannot be taken over as they are. */
  rechunked = false

  /** `before`: the same disk in the point that the other repository's parent was mirrored from. */
  constructor(from: Engine, to: Engine, here: StoredDisk, before: StoredDisk | undefined) {
    this.#from = from
    this.#to = to
    this.#here = here
    this.#before = before?.disk.bytes === here.disk.bytes ? before : undefined
    this.#sameIds = shareIdentity(from, to)
    this.size = here.disk.bytes
  }

  async *extents(start: number, end: number, signal: AbortSignal): AsyncGenerator<SourceExtent> {
    let joined: { offset: number; length: number; kind: SourceExtent['kind'] } | undefined
    for await (const { offset, length, entry } of this.#changed(start, end, signal)) {
      const kind = entry.kind === 'chunk' ? 'data' : entry.kind
      if (joined?.kind === kind && joined.offset + joined.length === offset) joined.length += length
      else {
        if (joined !== undefined) yield joined
        joined = { offset, length, kind }
      }
    }
    if (joined !== undefined) yield joined
  }

  async read(at: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#here.reader.read(at, into, signal)
  }

  async sealed(at: number, length: number, signal: AbortSignal): Promise<SealedChunk | undefined> {
    const pageNo = Math.floor(at / PAGE_BYTES)
    if (this.#here.roots[pageNo]?.kind !== 'page') return undefined
    const page = await this.#here.reader.page(pageNo, signal)
    const index = (at - pageNo * PAGE_BYTES) / CHUNK
    const entry = page.chunkShift === CHUNK_SHIFT ? page.entries[index] : undefined
    if (entry?.kind !== 'chunk' || chunkLength(this.size, page, index) !== length) return undefined
    return new MirroredChunk(this.#sameIds, entry, (memory) => this.#reseal(entry, { at, length, memory }, signal))
  }

  /** Stored bytes of what changed and is not known to the other repository; an upper bound if ids differ. */
  async needed(signal: AbortSignal): Promise<number> {
    let bytes = 0
    for await (const { entry } of this.#changed(0, this.size, signal)) {
      if (entry.kind !== 'chunk') continue
      const known = this.#sameIds && this.#to.view.find(BLOB_CHUNK, entry.id, () => true) !== undefined
      if (!known) bytes += BLOB_HEADER + entry.clen
    }
    return bytes
  }

  /** Chunks and holes of [start, end) that differ from `before`, ascending; all of them without one. */
  async *#changed(
    start: number,
    end: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly offset: number; readonly length: number; readonly entry: PageEntry }> {
    for (let pageNo = Math.floor(start / PAGE_BYTES); pageNo * PAGE_BYTES < end; pageNo++) {
      const origin = pageNo * PAGE_BYTES
      const root = this.#here.roots[pageNo]
      const old = this.#before?.roots[pageNo]
      if (root === undefined) throw new RangeError(`the disk has no page ${pageNo}`)
      if (old !== undefined && sameContent(root, old)) continue
      const clipped = (offset: number, length: number, entry: PageEntry) => {
        const from = Math.max(start, offset)
        return { offset: from, length: Math.min(end, offset + length) - from, entry }
      }
      if (root.kind !== 'page') {
        yield clipped(origin, pageLength(this.size, pageNo), { kind: root.kind })
        continue
      }
      const page = await this.#here.reader.page(pageNo, signal)
      this.rechunked ||= page.chunkShift !== CHUNK_SHIFT
      const oldPage = old?.kind === 'page' ? await this.#pageBefore(pageNo, page.chunkShift, signal) : undefined
      for (const [index, entry] of page.entries.entries()) {
        const offset = origin + index * 2 ** page.chunkShift
        const length = chunkLength(this.size, page, index)
        if (offset + length <= start || offset >= end) continue
        if (oldPage === undefined || !sameEntry(entry, oldPage.entries[index])) yield clipped(offset, length, entry)
      }
    }
  }

  /** undefined: it cannot be compared with, and everything counts as changed. */
  async #pageBefore(pageNo: number, chunkShift: number, signal: AbortSignal): Promise<Page | undefined> {
    try {
      const page = await this.#before?.reader.page(pageNo, signal)
      return page?.chunkShift === chunkShift ? page : undefined
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'ChunkLost') return undefined
      throw error
    }
  }

  async #reseal(
    entry: ChunkEntry,
    place: { readonly at: number; readonly length: number; readonly memory: Uint8Array },
    signal: AbortSignal,
  ): Promise<{ readonly id: Uint8Array; readonly length: number }> {
    const { blobs, ring } = this.#from
    const { id } = entry
    const wish = { type: BLOB_CHUNK, id, ulen: place.length } as const
    try {
      return await blobs.take(
        wish,
        entry,
        async (store, { pack, off, clen }) => {
          const range = await store.getRange(names.pack(pack), off, BLOB_HEADER + clen, signal)
          const task = {
            kind: 'reseal',
            to: this.#to.ring,
            range,
            blob: { ...wish, clen },
            memory: place.memory,
          } as const
          const own = range.buffer instanceof ArrayBuffer && range.buffer.byteLength === range.length
          return await this.#to.pool.run<'reseal'>(ring, task, own ? [range.buffer] : [])
        },
        signal,
      )
    } catch (error) {
      throw this.#here.reader.lost(error, place.at, place.length)
    }
  }
}

class MirroredChunk implements SealedChunk {
  readonly #sameIds: boolean
  readonly #entry: ChunkEntry
  readonly #take: (memory: Uint8Array) => Promise<{ readonly id: Uint8Array; readonly length: number }>
  #taken: { readonly id: Uint8Array; readonly length: number } | undefined

  constructor(
    sameIds: boolean,
    entry: ChunkEntry,
    take: (memory: Uint8Array) => Promise<{ readonly id: Uint8Array; readonly length: number }>,
  ) {
    this.#sameIds = sameIds
    this.#entry = entry
    this.#take = take
  }

  /** With an IDK of its own the id depends on the inner hash, which lies inside the sealed bytes. */
  async identify(memory: Uint8Array): Promise<Uint8Array> {
    if (this.#sameIds) return this.#entry.id
    this.#taken ??= await this.#take(memory)
    return this.#taken.id
  }

  async reseal(memory: Uint8Array): Promise<Sealed> {
    this.#taken ??= await this.#take(memory)
    return { length: this.#taken.length }
  }

  wasRead(): boolean {
    return this.#taken !== undefined
  }
}

/** By id, whatever the hints. */
function sameContent(a: RootEntry, b: RootEntry): boolean {
  return a.kind === 'page' ? b.kind === 'page' && a.pageId === b.pageId : a.kind === b.kind
}

function sameEntry(a: PageEntry, b: PageEntry | undefined): boolean {
  return a.kind === 'chunk' ? b?.kind === 'chunk' && Buffer.compare(a.id, b.id) === 0 : a.kind === b?.kind
}
