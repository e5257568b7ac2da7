import type { HoldfastError } from '../../base/index.ts'
import { names, PACK_META, toHex, type PackKind, type SegmentContent, type TocEntry } from '../format/index.ts'
import type { KeyRing } from '../keys/index.ts'
import { lockDay, type Retention } from '../lock/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { WorkerPool } from '../workers/index.ts'
import { PackBuilder, type PackIdentity, type Placed } from './pack-builder.ts'
import type { PackMemory } from './part-buffers.ts'
import { onSide, withSide } from './sides.ts'

/** A pack that has been put; durable after the next flush. */
export interface FinishedPack {
  readonly sha: string
  readonly size: number
  readonly kind: PackKind
  /** §8.2: base of a reading that was complete before the PUT was sent. */
  readonly stamp: number
  /** §4.6. */
  readonly lockUntilDay: number
  readonly entries: readonly TocEntry[]
}

export interface PackWriterParts {
  readonly store: ObjectStore
  readonly ring: KeyRing
  readonly pool: WorkerPool
  readonly identity: Omit<PackIdentity, 'createdMs'>
  readonly clock: () => number
  /** Memory for the next pack; waits until there is some. */
  readonly takeMemory: () => Promise<PackMemory>
  /** Base of the latest reading. */
  readonly stamp: () => number
  /** Until when a pack is locked that is put now (§11.5). */
  readonly retention: Pick<Retention, 'uploadUntil'>
  readonly signal: AbortSignal
}

/** Fills packs and puts them, several at a time; blobs keep their order. */
export class PackWriter {
  readonly #parts: PackWriterParts
  #open: { readonly builder: PackBuilder; readonly memory: PackMemory } | undefined
  readonly #uploads = new Set<Promise<void>>()
  #finished: FinishedPack[] = []
  #failure: HoldfastError | undefined

  constructor(parts: PackWriterParts) {
    this.#parts = parts
  }

  /** Packs put and not yet drained. */
  get pending(): number {
    return this.#finished.length + this.#uploads.size
  }

  /** `blob` may be used again as soon as this resolves. */
  async append(blob: Uint8Array): Promise<Placed> {
    if (this.#open !== undefined && !this.#open.builder.fits(blob.length)) this.#startUpload()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#open === undefined) {
      const memory = await this.#parts.takeMemory()
      const identity = { ...this.#parts.identity, createdMs: this.#parts.clock() }
      this.#open = { builder: new PackBuilder(memory.bytes, identity), memory }
    }
    return this.#open.builder.append(blob)
  }

  /** Closes the open pack and waits until every pack has been put. A flush makes them durable. */
  async close(): Promise<void> {
    this.#startUpload()
    await Promise.all(this.#uploads)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What has been put since the last call. */
  drain(): FinishedPack[] {
    return this.#finished.splice(0)
  }

  /** Gives up; memory that a put still reads is not used again. */
  abandon(): void {
    this.#open?.memory.release(true)
    this.#open = undefined
  }

  #startUpload(): void {
    if (this.#open === undefined) return
    const { builder, memory } = this.#open
    this.#open = undefined
    const upload = this.#upload(builder).then(
      () => memory.release(true),
      (error: unknown) => {
        this.#failure ??= withSide('logic', error)
        memory.release(false)
      },
    )
    this.#uploads.add(upload)
    void upload.then(() => this.#uploads.delete(upload))
  }

  async #upload(builder: PackBuilder): Promise<void> {
    const { store, ring, pool, signal } = this.#parts
    const bytes = builder.close()
    const { sha256 } = await pool.run<'hash'>(ring, { kind: 'hash', content: bytes })
    const sha = toHex(sha256)
    // References that wait for the name get it now; the L0 segment and the journal come only after the flush.
    builder.ref.name = sha
    const stamp = this.#parts.stamp()
    const until = await onSide('store-read', () => this.#parts.retention.uploadUntil(store))
    const options = { sha256, defer: true, signal, ...(until !== undefined && { retainUntil: until }) }
    await onSide('store-write', () => store.putIfAbsent(names.pack(sha), bytes, options))
    const { kind, entries } = builder
    this.#finished.push({ sha, size: bytes.length, kind, stamp, lockUntilDay: lockDay(until ?? 0), entries })
  }
}

/** Content of the level-0 segment of these packs (§4.6): all their blobs, under the smallest of their stamps. */
export function segmentOf(
  packs: readonly FinishedPack[],
  fields: { readonly repo: string; readonly createdMs: number; readonly producer: string },
): SegmentContent {
  return {
    ...fields,
    level: 0,
    prefixBits: 0,
    prefix: 0,
    stampEpoch: Math.min(...packs.map((pack) => pack.stamp)),
    packs: packs.map(({ sha, size, kind, lockUntilDay }) => ({ sha, size, lockUntilDay, meta: kind === PACK_META })),
    entries: packs.flatMap(({ sha, entries }) =>
      entries.map(({ id, off, clen, type }, slot) => ({ id, off, clen, type, slot, pack: sha })),
    ),
    supersedes: [],
  }
}
