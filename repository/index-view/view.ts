import { createHash } from 'node:crypto'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { names, parseName, SEGMENT_PACK, toHex, type BlobType, type Location } from '../format/index.ts'
import { getWhole, listAll, type ObjectStore } from '../store/index.ts'
import { SegmentCache } from './cache.ts'
import { SegmentFile } from './segment-file.ts'

/** A place of a blob and the stamp under which its pack is known. */
export interface IndexedHome extends Location {
  readonly stamp: number
}

const MAX_TRIES = 5

/** All segments of a repository as this process knows them. Lookups are synchronous reads of a few KiB. */
export class IndexView implements Disposable {
  readonly #cache: SegmentCache
  readonly #repo: string
  readonly #warn: (message: string) => void
  /** Newest stamp first: what is found early is rarely stale. */
  #segments: SegmentFile[] = []
  #refreshing: Promise<void> | undefined

  constructor(options: { readonly cacheDir: string; readonly repo: string; readonly warn: (message: string) => void }) {
    this.#cache = new SegmentCache(options.cacheDir, options.repo)
    this.#repo = options.repo
    this.#warn = options.warn
  }

  get segments(): readonly SegmentFile[] {
    return this.#segments
  }

  /** The first home of a blob that `accept` takes. */
  find(type: BlobType, id: Uint8Array, accept: (home: IndexedHome) => boolean): IndexedHome | undefined {
    for (const home of this.homes(type, id)) if (accept(home)) return home
    return undefined
  }

  /** Every home of a blob that any segment knows. */
  *homes(type: BlobType, id: Uint8Array): Generator<IndexedHome> {
    for (const segment of this.#segments) {
      for (const entry of segment.lookup(id)) {
        if (entry.type !== type) continue
        const { slot, off, clen } = entry
        yield { pack: segment.pack(entry.packOrd).sha, slot, off, clen, stamp: segment.header.stampEpoch }
      }
    }
  }

  /** Files of their own over the present segments, for long work: a refresh meanwhile may close the view's. */
  openFiles(): SegmentFile[] {
    const own: SegmentFile[] = []
    try {
      for (const { sha, header } of this.#segments) {
        own.push(new SegmentFile(sha, this.#cache.path(sha), header.totalLen))
      }
    } catch (error) {
      for (const segment of own) segment[Symbol.dispose]()
      throw error
    }
    return own
  }

  /**
   * Of these packs, the last day until which each is known to be locked (§4.6): a lower bound, and nothing of a pack that no
   * segment says it of. Gives way to other work as it goes.
   */
  async lockDays(packs: ReadonlySet<string>): Promise<Map<string, number>> {
    const days = new Map<string, number>()
    if (packs.size === 0) return days
    using files = new DisposableStack()
    const own = this.openFiles()
    for (const segment of own) files.use(segment)
    for (const segment of own) {
      for (const window of segment.rawPacks()) {
        for (let at = 0; at < window.length; at += SEGMENT_PACK) {
          const day = window.readUInt16LE(at + 36)
          if (day === 0) continue
          const sha = window.toString('hex', at, at + 32)
          if (packs.has(sha)) days.set(sha, Math.max(day, days.get(sha) ?? 0))
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return days
  }

  /** Number of different blobs of a type that the segments know. Gives way to other work as it goes. */
  async countDistinct(type: BlobType): Promise<number> {
    using files = new DisposableStack()
    const own = this.openFiles()
    for (const segment of own) files.use(segment)
    const cursors = own.map((segment) => ({ entries: segment.entries(), id: Buffer.alloc(0), done: false }))
    const advance = (cursor: (typeof cursors)[number]) => {
      for (let step = cursor.entries.next(); ; step = cursor.entries.next()) {
        cursor.done = step.done === true
        if (step.done === true) return
        if (step.value.type !== type) continue
        cursor.id = Buffer.from(step.value.id)
        return
      }
    }
    for (const cursor of cursors) advance(cursor)
    let count = 0
    let live = cursors.filter((cursor) => !cursor.done)
    while (live.length > 0) {
      const least = live.reduce((best, cursor) => (cursor.id.compare(best.id) < 0 ? cursor : best)).id
      for (const cursor of live) while (!cursor.done && cursor.id.equals(least)) advance(cursor)
      live = live.filter((cursor) => !cursor.done)
      count += 1
      if (count % 4096 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return count
  }

  /** S1: LIST `idx/`, fetch what the cache lacks, open the rest. Segments that are gone were merged into others. */
  async refresh(store: ObjectStore, signal: AbortSignal): Promise<void> {
    // Two that come at once may share one listing only if it begins after both have asked.
    const running = this.#refreshing
    const mine = (running ?? Promise.resolve()).then(
      () => this.#refresh(store, signal),
      () => this.#refresh(store, signal),
    )
    this.#refreshing = mine
    try {
      await mine
    } finally {
      if (this.#refreshing === mine) this.#refreshing = undefined
    }
  }

  /** A segment that this process has just made durable. */
  async add(sha: string, content: Uint8Array): Promise<void> {
    if (this.#segments.some((segment) => segment.sha === sha)) return
    await this.#cache.add(sha, content)
    this.#insert(new SegmentFile(sha, this.#cache.path(sha), content.length))
  }

  /** A segment that nobody else sees: a file without a name, which is gone when it is disposed. */
  async unlisted(content: Uint8Array): Promise<SegmentFile> {
    return await this.#cache.unlisted(content)
  }

  [Symbol.dispose](): void {
    for (const segment of this.#segments.splice(0)) segment[Symbol.dispose]()
  }

  async #refresh(store: ObjectStore, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      // What is there before the listing begins and not in it is gone; what comes later is not judged by it.
      const before = new Set([...(await this.#cache.names()), ...this.#segments.map(({ sha }) => sha)])
      const listed = new Map<string, string>()
      for (const { name } of await listAll(store, 'idx/')) {
        const parsed = parseName(name)
        if (parsed?.kind === 'segment') listed.set(parsed.sha, name)
      }
      let vanished: string | undefined
      for (const [sha, name] of listed) {
        if (this.#segments.some((segment) => segment.sha === sha)) continue
        if (!(await this.#open(store, sha, name, signal))) vanished = name
      }
      await this.#drop([...before].filter((sha) => !listed.has(sha)))
      if (vanished === undefined) return
      // Superseded between LIST and GET: the merge that did so is in the next listing.
      if (tries === MAX_TRIES) {
        throw new HoldfastError('ListingIncomplete', `${vanished} is listed again and again, and cannot be read`)
      }
    }
  }

  /** false: the object is absent. One that is damaged or of a newer version costs deduplication, nothing else. */
  async #open(store: ObjectStore, sha: string, name: string, signal: AbortSignal): Promise<boolean> {
    let size = await this.#cache.sound(sha)
    try {
      if (size === undefined) {
        const content = await getWhole(store, name, signal)
        if (content === undefined) return false
        if (createHash('sha256').update(content).digest('hex') !== sha) {
          this.#warn(`${name} is damaged: its bytes do not hash to its name`)
          return true
        }
        await this.#cache.add(sha, content)
        size = content.length
      }
      const segment = new SegmentFile(sha, this.#cache.path(sha), size)
      if (segment.header.repo === this.#repo) this.#insert(segment)
      else segment[Symbol.dispose]()
    } catch (error) {
      if (!isHoldfastError(error) || !error.code.startsWith('Format')) throw error
      this.#warn(`${name} cannot be used: ${error.message}`)
    }
    return true
  }

  /** Facts stay true when their segment is merged away; the cache need not keep them twice. */
  async #drop(gone: readonly string[]): Promise<void> {
    for (const sha of gone) {
      const segment = this.#segments.find((each) => each.sha === sha)
      this.#segments = this.#segments.filter((each) => each.sha !== sha)
      segment?.[Symbol.dispose]()
      await this.#cache.remove(sha)
    }
  }

  /** Once: one that was just made durable may meanwhile have been found by a refresh. */
  #insert(segment: SegmentFile): void {
    if (this.#segments.some(({ sha }) => sha === segment.sha)) {
      segment[Symbol.dispose]()
      return
    }
    this.#segments.push(segment)
    this.#segments.sort((a, b) => b.header.stampEpoch - a.header.stampEpoch)
  }
}

/** Name of the object that holds a level-0 segment. */
export function segmentObject(content: Uint8Array): { readonly sha: string; readonly name: string } {
  const sha = toHex(createHash('sha256').update(content).digest())
  return { sha, name: names.segment(0, 0, sha) }
}

/** Name of the object of a segment that is open. */
export function segmentName({ sha, header }: Pick<SegmentFile, 'sha' | 'header'>): string {
  return names.segment(header.level, header.level === 0 ? 0 : header.prefix >>> 24, sha)
}
