import type { Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  BLOB_CONFIG,
  BLOB_PAGE,
  fromHex,
  names,
  rootsOfDisk,
  toHex,
  type BlobType,
  type Location,
  type ManifestDisk,
  type Page,
} from '../format/index.ts'
import { homesOf } from '../index-view/index.ts'
import type { PageRoot } from '../read/blob-reader.ts'
import { loadManifest, type LoadedManifest } from '../read/manifest.ts'
import type { Points } from '../read/points.ts'
import { inParallel, throwIfAborted } from '../store/index.ts'
import type { Rereader } from '../verify/reread.ts'
import { checkedPage } from '../workers/index.ts'
import type { Contents } from './contents.ts'
import { IdSet } from './id-set.ts'
import type { Latecomers } from './latecomers.ts'
import { aborted, type Root } from './roots.ts'

/** What is done with each blob that a root needs. */
export interface Visitor {
  /** Settles what can be settled at once; false: ask `elsewhere`. */
  atHint(type: BlobType, id: Uint8Array, hint: Location): boolean
  /** false: the blob is proved absent. */
  elsewhere(type: BlobType, id: Uint8Array, hint: Location): Promise<boolean>
}

/** whole: everything was visited · skipped: something is proved absent, and the root may lack it · gone: it is no root any more. */
export type Walked = 'whole' | 'skipped' | 'gone'

/** Distinct pages that have been walked, and those of them of which something was skipped. */
export class WalkedPages {
  readonly #ids = new IdSet()
  readonly #lacking = new Set<string>()

  get size(): number {
    return this.#ids.size
  }

  /** Whether it was not there before. */
  add(id: Uint8Array): boolean {
    return this.#ids.add(id)
  }

  lacks(id: Uint8Array): void {
    this.#lacking.add(toHex(id))
  }

  /** Walked, and everything below it visited. */
  isWhole(id: Uint8Array): boolean {
    return this.#ids.has(id) && (this.#lacking.size === 0 || !this.#lacking.has(toHex(id)))
  }
}

/** Pages read at the same time: each is about 100 KiB, some of 1 MiB. */
const PARALLEL = 8

/**
 * Visits every blob that roots need, each distinct page once (§9.2). A manifest or page that is known and cannot be read ends
 * the run: CollectionAborted. Recovery points come before other roots, so that nothing they need is skipped for another's sake.
 */
export class RootWalker {
  readonly #engine: Engine
  readonly #points: Points
  readonly #contents: Contents
  readonly #late: Latecomers
  readonly #reread: Rereader
  readonly #visitor: Visitor
  readonly #signal: AbortSignal
  readonly #before: WalkedPages | undefined
  readonly pages = new WalkedPages()

  constructor(options: {
    readonly engine: Engine
    readonly points: Points
    readonly contents: Contents
    readonly late: Latecomers
    readonly reread: Rereader
    readonly visitor: Visitor
    /** Pages that need no visit: another walk has visited everything below them. */
    readonly before?: WalkedPages
    readonly signal: AbortSignal
  }) {
    this.#engine = options.engine
    this.#points = options.points
    this.#contents = options.contents
    this.#late = options.late
    this.#reread = options.reread
    this.#visitor = options.visitor
    this.#before = options.before
    this.#signal = options.signal
  }

  async walk(root: Root): Promise<Walked> {
    const manifest = await this.#manifest(root)
    if (manifest === undefined) return 'gone'
    let whole = true
    const need = async (type: BlobType, id: Uint8Array, hint: Location): Promise<boolean> => {
      if (this.#visitor.atHint(type, id, hint) || (await this.#visitor.elsewhere(type, id, hint))) return true
      if (root.strict) throw aborted(root.stem, `needs blob ${toHex(id)}, which is nowhere`)
      whole = false
      return false
    }
    for (const config of manifest.body.json.configs) {
      for (const { id, ...at } of config.parts) await need(BLOB_CONFIG, fromHex(id, 32, 'config id'), at)
    }
    for (const disk of manifest.body.json.disks) {
      await inParallel(rootsOfDisk(manifest.body, disk).entries(), PARALLEL, async ([pageNo, entry]) => {
        if (entry.kind !== 'page') return
        throwIfAborted(this.#signal)
        if (!(await this.#page(root, disk, pageNo, entry, need))) whole = false
      })
    }
    return whole ? 'whole' : 'skipped'
  }

  /** Whether everything below the page is there. */
  async #page(
    root: Root,
    disk: ManifestDisk,
    pageNo: number,
    entry: PageRoot,
    need: (type: BlobType, id: Uint8Array, hint: Location) => Promise<boolean>,
  ): Promise<boolean> {
    const id = fromHex(entry.pageId, 32, 'page id')
    if (this.#before?.isWhole(id) === true) return true
    if (!this.pages.add(id)) return this.pages.isWhole(id)
    let whole = await need(BLOB_PAGE, id, entry)
    const page = whole ? await this.#load(root, disk, pageNo, entry) : undefined
    if (page === undefined) {
      if (root.strict) throw aborted(root.stem, `needs page ${entry.pageId}, which is nowhere`)
      whole = false
    }
    for (const chunk of page?.entries ?? []) {
      if (chunk.kind !== 'chunk' || this.#visitor.atHint(BLOB_CHUNK, chunk.id, chunk)) continue
      if (!(await need(BLOB_CHUNK, chunk.id, chunk))) whole = false
    }
    if (!whole) this.pages.lacks(id)
    return whole
  }

  /** undefined: pruned meanwhile. */
  async #manifest({ stem }: Root): Promise<LoadedManifest | undefined> {
    const { ring } = this.#engine
    const reading = await this.#reread.read(names.snap(stem, 'manifest'), async (store) => {
      return await loadManifest(store, ring, stem, this.#signal)
    })
    if (!reading.sound) throw aborted(stem, `cannot be read: ${reading.error.message}`, reading.error)
    if (reading.value !== undefined) return reading.value
    // Looked at again: if its tombstone has appeared meanwhile, it was pruned.
    if (await this.#points.isTombstoned(stem, this.#signal)) return undefined
    throw aborted(stem, 'has lost its manifest')
  }

  /** undefined: proved absent everywhere. A page that is there and cannot be read ends the run. */
  async #load(root: Root, disk: ManifestDisk, pageNo: number, entry: PageRoot): Promise<Page | undefined> {
    const id = fromHex(entry.pageId, 32, 'page id')
    const wish = { type: BLOB_PAGE, id } as const
    const tried = new Set<string>()
    const failures: Error[] = []
    const open = async (places: Iterable<Location>): Promise<Page | undefined> => {
      for (const place of places) {
        const key = `${place.pack} ${place.off}`
        if (tried.has(key)) continue
        tried.add(key)
        const reading = await this.#reread.read(names.pack(place.pack), async (store) => {
          const content = await this.#engine.blobs.readAt(store, wish, place, this.#signal)
          return checkedPage(this.#engine.ring, content, { id, pageNo, diskBytes: disk.bytes })
        })
        if (reading.sound) return reading.value
        if (reading.error.code !== 'ObjectAbsent') failures.push(reading.error)
      }
      return undefined
    }
    const page =
      (await open([entry])) ??
      (await open(homesOf(this.#contents.segments, BLOB_PAGE, id))) ??
      (await open(await this.#late.homes(BLOB_PAGE, id)))
    if (page !== undefined) return page
    const [first] = failures
    if (first === undefined) return undefined
    throw aborted(root.stem, `has a page that cannot be read: ${first.message}`, first)
  }
}
