import { BLOB_PAGE, SEGMENT_PACK, type BlobType, type Location, type SegmentPack } from '../format/index.ts'
import { homesOf, type IndexView, type SegmentFile } from '../index-view/index.ts'
import type { ObjectStore } from '../store/index.ts'
import type { TocReading } from './contents.ts'
import { packPages, type PackTable } from './pack-table.ts'
import { SegmentBatch } from './segment-batch.ts'

/**
 * Homes that came after a run had listed `pack/`. A root that is published between the two listings of G1 relies on them:
 * without this look its blobs would seem lost (§9.2, rule 5). One look is enough: the root was listed before it, and what
 * a recovery point needs existed before the root was listed.
 */
export class Latecomers implements Disposable {
  readonly #table: PackTable
  readonly #view: IndexView
  readonly #store: ObjectStore
  readonly #readToc: (pack: string, size: number) => Promise<TocReading>
  readonly #own: { readonly repo: string; readonly clock: () => number }
  readonly #signal: AbortSignal
  #looked: Promise<void> | undefined
  readonly #newer = new Set<string>()
  readonly #segments: SegmentFile[] = []
  /** A pack of which nothing is known: then no blob is proved absent. */
  #unknown: string | undefined

  constructor(options: {
    readonly table: PackTable
    readonly view: IndexView
    readonly store: ObjectStore
    readonly readToc: (pack: string, size: number) => Promise<TocReading>
    readonly repo: string
    readonly clock: () => number
    readonly signal: AbortSignal
  }) {
    this.#table = options.table
    this.#view = options.view
    this.#store = options.store
    this.#readToc = options.readToc
    this.#own = { repo: options.repo, clock: options.clock }
    this.#signal = options.signal
  }

  [Symbol.dispose](): void {
    for (const segment of this.#segments.splice(0)) segment[Symbol.dispose]()
  }

  /** Whether the pack came after the listing and is there. */
  async has(pack: string): Promise<boolean> {
    await this.#look()
    return this.#newer.has(pack)
  }

  /** Every place of the blob that is known by now: in the index as it is, and in packs that no index names. */
  async homes(type: BlobType, id: Uint8Array): Promise<Location[]> {
    await this.#look()
    return [...homesOf(this.#segments, type, id), ...homesOf(this.#view.segments, type, id)]
  }

  /** A pack whose contents could not be read: what is not found may be in it. */
  async unknown(): Promise<string | undefined> {
    await this.#look()
    return this.#unknown
  }

  async #look(): Promise<void> {
    this.#looked ??= this.#lookOnce()
    await this.#looked
  }

  async #lookOnce(): Promise<void> {
    await this.#view.refresh(this.#store, this.#signal)
    const newer: { readonly sha: string; readonly size: number }[] = []
    for await (const page of packPages(this.#store, this.#signal)) {
      for (const { sha, info } of page) {
        if (this.#table.ordinal(sha) !== undefined) continue
        this.#newer.add(sha)
        newer.push({ sha, size: info.size })
      }
    }
    const indexed = new Set<string>()
    for (const segment of this.#view.segments) {
      for (const window of segment.rawPacks()) {
        for (let at = 0; at < window.length; at += SEGMENT_PACK) {
          const sha = window.toString('hex', at, at + 32)
          if (this.#newer.has(sha)) indexed.add(sha)
        }
      }
    }
    const batch = new SegmentBatch(
      { repo: this.#own.repo, stampEpoch: 0, producer: '0'.repeat(32) },
      this.#own.clock,
      async (content) => void this.#segments.push(await this.#view.unlisted(content)),
    )
    for (const { sha, size } of newer) {
      if (indexed.has(sha)) continue
      const toc = await this.#readToc(sha, size)
      if (!toc.known) this.#unknown ??= sha
      else {
        const pack: SegmentPack = { sha, size, lockUntilDay: 0, meta: toc.entries[0]?.type === BLOB_PAGE }
        await batch.add(pack, toc.entries)
      }
    }
    await batch.close()
  }
}
