import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import {
  BLOB_HEADER,
  BLOB_PAGE,
  checkPagePlace,
  fromHex,
  names,
  toHex,
  type BlobReference,
  type Location,
  type Page,
  type RootEntry,
} from '../format/index.ts'
import type { IndexView } from '../index-view/index.ts'
import type { KeyRing } from '../keys/index.ts'
import { isAbsent, type Connect, type ObjectStore } from '../store/index.ts'
import { checkedPage, revive, type WorkerPool } from '../workers/index.ts'
import { LruCache } from './lru.ts'
import type { Quarantines } from './quarantine.ts'

export interface BlobWish {
  readonly type: BlobReference['type']
  readonly id: Uint8Array
  /** Length of the content where the reference fixes it. */
  readonly ulen?: number
  readonly domain?: string
}

/** Reads a blob at one place, over one connection. */
export type TakeBlob<T> = (store: ObjectStore, at: Location) => Promise<T>

export type PageRoot = Extract<RootEntry, { kind: 'page' }>

const PAGE_CACHE_BYTES = 24 * 1024 * 1024
const noSignal = new AbortController().signal

interface BlobReaderParts {
  readonly ring: KeyRing
  readonly store: ObjectStore
  readonly connect: Connect
  readonly view: IndexView
  readonly pool: WorkerPool
  readonly quarantines: Quarantines
}

/**
 * §7.8: reads blobs by their hint, with every check, and goes on by itself where a place fails: a second connection twice,
 * then every other home that the index knows. What it returns is right; what it cannot return is ChunkLost.
 */
export class BlobReader {
  readonly #ring: KeyRing
  readonly #store: ObjectStore
  readonly #connect: Connect
  readonly #view: IndexView
  readonly #pool: WorkerPool
  readonly #quarantines: Quarantines
  readonly #parts: BlobReaderParts
  readonly #pages = new LruCache<Page>(PAGE_CACHE_BYTES)

  constructor(parts: BlobReaderParts) {
    this.#parts = parts
    this.#ring = parts.ring
    this.#store = parts.store
    this.#connect = parts.connect
    this.#view = parts.view
    this.#pool = parts.pool
    this.#quarantines = parts.quarantines
  }

  /** The same reader, which reports damage elsewhere. */
  with(quarantines: Quarantines): BlobReader {
    return new BlobReader({ ...this.#parts, quarantines })
  }

  /** The blob at its hint or any other home. Throws ChunkLost, or the store's error if no place could be read now. */
  async read(wish: BlobWish, hint: Location, signal: AbortSignal = noSignal): Promise<Uint8Array> {
    return await this.take(wish, hint, this.#reading(wish, signal), signal)
  }

  /** As `read`, after the hint has failed once. */
  async recover(wish: BlobWish, hint: Location, signal: AbortSignal = noSignal): Promise<Uint8Array> {
    return await this.#recover(wish, hint, this.#reading(wish, signal), signal)
  }

  /** As `read`, for whoever wants something else of the blob than its content. `take` throws what it finds wrong. */
  async take<T>(wish: BlobWish, hint: Location, take: TakeBlob<T>, signal: AbortSignal = noSignal): Promise<T> {
    try {
      return await take(this.#store, hint)
    } catch (error) {
      if (signal.aborted) throw error
      return await this.#recover(wish, hint, take, signal)
    }
  }

  #reading(wish: BlobWish, signal: AbortSignal): TakeBlob<Uint8Array> {
    return (store, at) => this.readAt(store, wish, at, signal)
  }

  async #recover<T>(wish: BlobWish, hint: Location, take: TakeBlob<T>, signal: AbortSignal): Promise<T> {
    const failed: { readonly at: Location; readonly error: unknown }[] = []
    const attempt = async (at: Location): Promise<{ readonly value: T } | undefined> => {
      let last: unknown
      const store = this.#connect()
      for (let tries = 0; tries < 2; tries++) {
        try {
          return { value: await take(store, at) }
        } catch (error) {
          if (signal.aborted) throw error
          last = error
        }
      }
      failed.push({ at, error: last })
      return undefined
    }
    let taken = await attempt(hint)
    if (taken === undefined) {
      await this.#view.refresh(this.#store, signal)
      for (const home of this.#view.homes(wish.type, wish.id)) {
        if (failed.some(({ at }) => at.pack === home.pack && at.off === home.off)) continue
        taken = await attempt(home)
        if (taken !== undefined) break
      }
    }
    for (const { at, error } of failed) await this.#quarantine(wish, at, error, taken !== undefined)
    if (taken !== undefined) return taken.value
    const unreadable = failed.find(({ error }) => !isDamage(error) && !isAbsent(error))
    if (unreadable !== undefined) throw unreadable.error
    const places = failed.map(
      ({ at, error }) => `pack ${at.pack} slot ${at.slot}: ${isHoldfastError(error) ? error.message : String(error)}`,
    )
    throw new HoldfastError('ChunkLost', `blob ${toHex(wish.id)} is damaged in every place: ${places.join('; ')}`, {
      cause: failed[0]?.error,
      data: { id: toHex(wish.id), packs: failed.map(({ at }) => at.pack) },
    })
  }

  /** A page by its root entry, its id recomputed. Pages are kept by place. */
  async page(root: PageRoot, pageNo: number, diskBytes: number, signal: AbortSignal = noSignal): Promise<Page> {
    const key = `${root.pageId} ${root.pack} ${root.off}`
    const known = this.#pages.get(key)
    if (known !== undefined) {
      checkPagePlace(known, pageNo, diskBytes)
      return known
    }
    const id = fromHex(root.pageId, 32, 'page id')
    const content = await this.read({ type: BLOB_PAGE, id }, root, signal)
    const page = checkedPage(this.#ring, content, { id, pageNo, diskBytes })
    this.#pages.set(key, page, 4 * content.length)
    return page
  }

  /** The blob at this one place with every check, without any fallback. Throws what the store or a decoder says. */
  async readAt(store: ObjectStore, wish: BlobWish, at: Location, signal: AbortSignal): Promise<Uint8Array> {
    const range = await store.getRange(names.pack(at.pack), at.off, BLOB_HEADER + at.clen, signal)
    const blobs = [{ ...wish, at: 0, clen: at.clen }]
    const transfer = range.buffer instanceof ArrayBuffer ? [range.buffer] : []
    const [opened] = await this.#pool.run<'open'>(this.#ring, { kind: 'open', range, blobs }, transfer)
    if (opened === undefined) throw new HoldfastError('Internal', 'a worker thread gave no answer')
    if ('error' in opened) throw revive(opened.error)
    return opened.content
  }

  /** Damage is proved; an absent pack counts as lost only if the blob is nowhere else (§12.2). */
  async #quarantine(wish: BlobWish, at: Location, error: unknown, foundElsewhere: boolean): Promise<void> {
    if (isDamage(error)) await this.#quarantines.report(this.#store, at.pack, 'read', [{ slot: at.slot, id: wish.id }])
    else if (isAbsent(error) && !foundElsewhere) await this.#quarantines.report(this.#store, at.pack, 'read')
  }
}

/** The bytes are there and wrong, as opposed to unreadable now. */
function isDamage(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'FormatError'
}
