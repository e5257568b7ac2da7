import { HoldfastError, isHoldfastError, MiB } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import {
  BLOB_CHUNK,
  CHUNK_SHIFT,
  encodeSegment,
  PACK_DATA,
  PACK_META,
  PAGE_BYTES,
  pageEntryCount,
  pageLength,
  toHex,
  type JournalEntry,
  type JournalRun,
  type Page,
  type RootEntry,
} from '../format/index.ts'
import { segmentObject } from '../index-view/index.ts'
import type { ManifestDiskReader } from '../read/disk-reader.ts'
import { cancelled, type ObjectStore } from '../store/index.ts'
import type { Sealed } from '../workers/index.ts'
import type { CopyPartOptions, PartPlan } from '../types.ts'
import { ChunkSource } from './chunk-reader.ts'
import { isSealedSource, readSupply, sealedSupply, type ChunkSupply } from './chunk-supply.ts'
import { ExtentCursor, type Piece, type PlanItem } from './extents.ts'
import type { Homes, Knowledge } from './knowledge.ts'
import { READ_AHEAD, type PackMemory, type PartBuffers, type Slot } from './part-buffers.ts'
import { namedChunk, PageBuilder } from './page-builder.ts'
import type { Placed } from './pack-builder.ts'
import { PackWriter, segmentOf, type FinishedPack } from './pack-writer.ts'
import { namedRoot, PageStore, type OpenRoot } from './page-store.ts'
import { Progress } from './progress.ts'
import type { Resumed } from './resume.ts'
import { putSmall, type SessionLog } from './session-log.ts'
import { onSide, withSide } from './sides.ts'

/** §7.2 S3: a journal at the latest after so many packs, or so long. */
const JOURNAL_PACKS = 64
const JOURNAL_MS = 60_000
const CHUNK = 2 ** CHUNK_SHIFT
/** Meta packs are closed early: their pages wait in memory (§4.2 allows it at any time). */
const META_PACK_BYTES = 8 * MiB
/** Decisions that may wait for their turn. */
const MAX_QUEUED = 512

export interface PartCopyParts {
  readonly engine: Engine
  readonly store: ObjectStore
  readonly knowledge: Knowledge
  readonly log: SessionLog
  readonly buffers: PartBuffers
  readonly options: CopyPartOptions
  readonly series: string
  readonly plan: PartPlan
  readonly resumed: Resumed
  /** The disk in the parent, for an incremental. */
  readonly parent: { readonly reader: ManifestDiskReader; readonly roots: readonly RootEntry[] } | undefined
  /** Aborted with the first failure. */
  readonly controller: AbortController
}

/** What a part comes to (S5). */
export interface PartOutcome {
  readonly roots: readonly RootEntry[]
  readonly homes: Homes
  readonly readBytes: number
  readonly newBytes: number
  /** Smallest stamp of what the part's attempts have put (§4.4, `stampEpoch`); undefined if they put nothing. */
  readonly uploadStamp: number | undefined
}

/** What becomes of a chunk. */
type Decision =
  | { readonly kind: 'zero' }
  | { readonly kind: 'known'; readonly id: Uint8Array; readonly placed: Promise<Placed> }
  | {
      readonly kind: 'new'
      readonly id: Uint8Array
      readonly sealed: Promise<Sealed>
      readonly place: (placed: Placed) => void
    }

/**
 * S2 to S5 for one attempt of one part (§7.2). Chunks are read, hashed and sealed side by side; what becomes of them is
 * decided, and placed in packs, in the order of the disk, so that a journal can say *everything before this byte*.
 */
export class PartCopy {
  readonly #parts: PartCopyParts
  readonly #packs: PackWriter
  readonly #metaPacks: PackWriter
  readonly #pages: PageStore
  readonly #source: ChunkSource
  readonly #progress: Progress
  readonly #homes: Homes
  readonly #start: number
  readonly #end: number
  /** Two queues in disk order: deciding, and placing. */
  #decided: Promise<void> = Promise.resolve()
  #placed: Promise<void> = Promise.resolve()
  #queued = 0
  /** Read, and not placed yet. */
  #chunksAhead = 0
  #onDequeued: (() => void) | undefined
  /** Chunks decided to be stored whose segment is not in the index yet. */
  readonly #storing = new Map<string, Promise<Placed>>()
  /** Pages complete but for the names of their packs. */
  #finished: { readonly builder: PageBuilder; readonly index: number }[] = []
  readonly #roots: (OpenRoot | undefined)[]
  // Since the last journal.
  #entries: { readonly pageNo: number; readonly entryNo: number; readonly id: Uint8Array; readonly placed: Placed }[] =
    []
  #runs: JournalRun[] = []
  #segments: string[] = []
  #durablePacks: string[] = []
  #journalledAt: number
  #journalledRead = 0
  #nextOffset: number
  #newBytes = 0
  #uploadStamp: number | undefined
  #failure: HoldfastError | undefined

  constructor(parts: PartCopyParts) {
    const { engine, store, knowledge, options, series, plan, resumed, controller } = parts
    this.#parts = parts
    this.#homes = resumed.homes
    this.#start = plan.firstPage * PAGE_BYTES
    this.#end = Math.min(options.diskBytes, this.#start + plan.nPages * PAGE_BYTES)
    this.#nextOffset = resumed.nextOffset
    this.#uploadStamp = resumed.uploadStamp
    this.#roots = new Array<OpenRoot | undefined>(plan.nPages).fill(undefined)
    this.#journalledAt = engine.clock()
    const { signal } = controller
    const writer = {
      store,
      ring: engine.ring,
      pool: engine.pool,
      clock: engine.clock,
      stamp: () => knowledge.base,
      retention: engine.retention,
      signal,
    }
    const identity = { repo: engine.ring.repo, series }
    this.#packs = new PackWriter({
      ...writer,
      identity: { ...identity, kind: PACK_DATA },
      takeMemory: () => this.#progress.waiting('repository', () => parts.buffers.takePack()),
    })
    this.#metaPacks = new PackWriter({
      ...writer,
      identity: { ...identity, kind: PACK_META },
      takeMemory: () => Promise.resolve(metaMemory()),
    })
    this.#pages = new PageStore({
      engine,
      knowledge,
      packs: this.#metaPacks,
      homes: this.#homes,
      diskBytes: options.diskBytes,
      signal,
    })
    this.#source = new ChunkSource(options.source, parts.parent?.reader, signal)
    this.#progress = new Progress(options.onProgress, {
      durableOffset: resumed.nextOffset,
      bytesResumed: resumed.bytesResumed,
    })
  }

  get progress(): Progress {
    return this.#progress
  }

  /** S2 to S5, the result object included. */
  async run(): Promise<PartOutcome> {
    const { resumed, options, controller } = this.#parts
    const from = Math.min(this.#end, Math.max(this.#start, resumed.nextOffset))
    const cursor = new ExtentCursor(options.source.extents(from, this.#end, controller.signal), from, this.#end)
    try {
      for (let index = 0; index < this.#parts.plan.nPages; index++) await this.#page(index, from, cursor)
      await this.#placed
    } catch (error) {
      this.#fail(error)
    } finally {
      await cursor.close().catch((error: unknown) => this.#fail(withSide('source', error)))
    }
    if (this.#failure !== undefined) throw this.#failure
    return await this.#finish()
  }

  /** Gives memory back. What still runs keeps its own. */
  abandon(): void {
    this.#packs.abandon()
    this.#metaPacks.abandon()
  }

  async #page(index: number, from: number, cursor: ExtentCursor): Promise<void> {
    const { options, plan, parent, resumed } = this.#parts
    const pageNo = plan.firstPage + index
    const origin = pageNo * PAGE_BYTES
    const end = Math.min(this.#end, origin + pageLength(options.diskBytes, pageNo))
    const parentRoot = parent?.roots[pageNo]
    const touched = resumed.pages.has(pageNo) || (end > from && (await this.#nextExtent(cursor)) < end)
    const { bad } = this.#parts.knowledge
    if (parentRoot !== undefined && !touched && (bad.isEmpty || (await this.#isUnharmed(parentRoot, pageNo)))) {
      await this.#enqueue(async () => {
        this.#roots[index] = { kind: 'done', root: parentRoot }
        this.#nextOffset = Math.max(this.#nextOffset, end)
      })
      return
    }
    const { page, forced } = await this.#parentPage(parentRoot, pageNo)
    const count = pageEntryCount(options.diskBytes, pageNo, CHUNK_SHIFT)
    const builder = new PageBuilder(pageNo, CHUNK_SHIFT, count, page)
    this.#restore(builder)
    await this.#decideAgain(builder, from)
    if (end > from) {
      const start = Math.max(origin, from)
      const first = Math.floor((start - origin) / CHUNK)
      const items = cursor.items({
        origin,
        start,
        end,
        size: CHUNK,
        gaps: parentRoot !== undefined,
        forced: new Set([...forced].filter((entry) => entry >= first)),
      })
      for await (const item of items) await this.#item(builder, item)
    }
    await this.#enqueue(async () => {
      this.#finished.push({ builder, index })
      this.#nextOffset = Math.max(this.#nextOffset, end)
    })
  }

  async #nextExtent(cursor: ExtentCursor): Promise<number> {
    return await this.#progress.waiting('source', () => onSide('source', () => cursor.next()))
  }

  /** §6.7 step 1: no quarantined slot lies in the page, that of its blob included. */
  async #isUnharmed(root: RootEntry, pageNo: number): Promise<boolean> {
    if (root.kind !== 'page') return true
    const { bad } = this.#parts.knowledge
    if (bad.has(root.pack, root.slot)) return false
    const page = await this.#loadParentPage(pageNo)
    return page?.entries.every((entry) => entry.kind !== 'chunk' || !bad.has(entry.pack, entry.slot)) ?? false
  }

  /** §6.7 step 2: the parent's page, and the entries that cannot be carried over as they are. */
  async #parentPage(
    root: RootEntry | undefined,
    pageNo: number,
  ): Promise<{ readonly page: Page | undefined; readonly forced: ReadonlySet<number> }> {
    if (root === undefined) return { page: undefined, forced: new Set() }
    const { options, knowledge } = this.#parts
    const count = pageEntryCount(options.diskBytes, pageNo, CHUNK_SHIFT)
    const all = new Set(Array.from({ length: count }, (_, entry) => entry))
    if (root.kind !== 'page') {
      const entries = Array.from({ length: count }, () => ({ kind: root.kind }))
      return { page: { chunkShift: CHUNK_SHIFT, pageNo, entries }, forced: new Set() }
    }
    const page = await this.#loadParentPage(pageNo)
    // No home of it can be read, or it has other chunks (§6.6): every chunk counts as changed.
    if (page === undefined || page.chunkShift !== CHUNK_SHIFT) return { page: undefined, forced: all }
    const forced = new Set<number>()
    for (const [entry, chunk] of page.entries.entries()) {
      if (chunk.kind === 'chunk' && knowledge.bad.has(chunk.pack, chunk.slot)) forced.add(entry)
    }
    return { page, forced }
  }

  /** undefined: lost in every place. */
  async #loadParentPage(pageNo: number): Promise<Page | undefined> {
    const { parent, controller } = this.#parts
    try {
      return await onSide('store-read', async () => await parent?.reader.page(pageNo, controller.signal))
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'ChunkLost') return undefined
      throw error
    }
  }

  /** Entries and runs of earlier attempts (§7.6). */
  #restore(builder: PageBuilder): void {
    const { pages } = this.#parts.resumed
    for (const run of pages.runs(builder.pageNo)) builder.setHole(run.entryNo, run.count, run.kind)
    for (const { entryNo, id, pack, slot, off, clen } of pages.chunks(builder.pageNo)) {
      builder.setChunk(entryNo, id, { pack: { name: pack }, slot, off, clen })
    }
  }

  /** Decided by an earlier attempt, in a slot that is quarantined by now. */
  async #decideAgain(builder: PageBuilder, before: number): Promise<void> {
    const { options, resumed, controller } = this.#parts
    const origin = builder.pageNo * PAGE_BYTES
    for (const entry of resumed.again.get(builder.pageNo) ?? []) {
      const start = origin + entry * CHUNK
      const end = Math.min(options.diskBytes, start + CHUNK)
      if (start >= before) continue
      const cursor = new ExtentCursor(options.source.extents(start, end, controller.signal), start, end)
      const gaps = builder.parent !== undefined
      for await (const item of cursor.items({ origin, start, end, size: CHUNK, gaps, forced: new Set([entry]) })) {
        await this.#item(builder, item)
      }
      await cursor.close()
    }
  }

  async #item(builder: PageBuilder, item: PlanItem): Promise<void> {
    if (item.kind === 'run') {
      const { index, count, as } = item
      await this.#enqueue(async () => this.#setHole(builder, index, count, as))
      return
    }
    if (await this.#takeOtherHome(builder, item)) return
    await this.#chunk(builder, item.index, item.pieces)
  }

  /** An untouched chunk whose slot is quarantined takes the hint of another usable home, if the index has one (§6.7). */
  async #takeOtherHome(builder: PageBuilder, item: Extract<PlanItem, { kind: 'chunk' }>): Promise<boolean> {
    const inherited = builder.parent?.entries[item.index]
    if (inherited?.kind !== 'chunk' || item.pieces.some(({ kind }) => kind !== 'gap')) return false
    const home = this.#parts.knowledge.home(BLOB_CHUNK, inherited.id)
    if (home === undefined) return false
    const { pack, slot, off, clen, stamp } = home
    await this.#enqueue(async () => {
      this.#homes.add(pack, stamp)
      this.#setChunk(builder, item.index, inherited.id, { pack: { name: pack }, slot, off, clen })
    })
    return true
  }

  /** Reads, identifies, decides, seals and places one chunk. Resolves when reading has begun. */
  async #chunk(builder: PageBuilder, index: number, pieces: readonly Piece[]): Promise<void> {
    const { buffers, options, controller } = this.#parts
    const at = builder.pageNo * PAGE_BYTES + index * CHUNK
    const length = Math.min(options.diskBytes - at, CHUNK)
    // One that is known gives its memory back at once; it still is read again if this attempt dies now.
    await this.#dequeuedUntil(() => this.#chunksAhead < READ_AHEAD)
    this.#chunksAhead += 1
    const slot = await buffers.takeSlot()
    const supply = await this.#supply(at, slot.bytes, length, pieces)
    supply.identified.catch((error: unknown) => this.#fail(error))
    const decision = this.#decide(supply, slot)
    await this.#enqueue(async () => {
      await this.#progress.waiting('source', () => supply.filled)
      const entry = await this.#progress.waiting('mover', () => decision)
      if (entry.kind === 'zero') this.#setHole(builder, index, 1, 'zero')
      else if (entry.kind === 'known') {
        const placed = await entry.placed
        this.#progress.add({ chunksReused: 1 })
        this.#setChunk(builder, index, entry.id, placed)
      } else {
        const sealed = await this.#progress.waiting('mover', () => entry.sealed)
        await this.#progress.waiting('repository', async () => options.pace?.(sealed.length, controller.signal))
        const placed = await this.#packs.append(slot.bytes.subarray(0, sealed.length))
        this.#newBytes += sealed.length
        this.#progress.add({ chunksNew: 1, bytesStored: sealed.length })
        slot.release(true)
        entry.place(placed)
        this.#setChunk(builder, index, entry.id, placed)
      }
      this.#progress.add({ bytesRead: supply.bytesRead() })
      this.#advance(at + length)
      this.#chunksAhead -= 1
      await this.#journalIfDue()
    })
  }

  /** Where a chunk comes from: another repository has it sealed, or it is read. */
  async #supply(at: number, memory: Uint8Array, length: number, pieces: readonly Piece[]): Promise<ChunkSupply> {
    const { engine, options, controller } = this.#parts
    const { source, compressionLevel } = options
    const stored = isSealedSource(source) ? await source.sealed(at, length, controller.signal) : undefined
    if (stored !== undefined) return sealedSupply(stored, memory, length)
    return readSupply(engine, this.#source, { at, length, memory, pieces, level: compressionLevel ?? 1 })
  }

  /** In disk order: what to do with a chunk. A chunk that is being stored is not stored twice. */
  #decide(supply: ChunkSupply, slot: Slot): Promise<Decision> {
    const { knowledge } = this.#parts
    const decision = this.#decided.then(async (): Promise<Decision> => {
      const found = await supply.identified
      if (found === 'zero') {
        // Its memory is needed no more: what is known is read on while packs are closed for a journal.
        slot.release(true)
        return { kind: 'zero' }
      }
      const id = found
      const key = toHex(id)
      const storing = this.#storing.get(key)
      if (storing !== undefined) {
        slot.release(true)
        return { kind: 'known', id, placed: storing }
      }
      const home = knowledge.home(BLOB_CHUNK, id)
      if (home !== undefined) {
        slot.release(true)
        const { pack, slot: number, off, clen, stamp } = home
        this.#homes.add(pack, stamp)
        const placed = Promise.resolve<Placed>({ pack: { name: pack }, slot: number, off, clen })
        return { kind: 'known', id, placed }
      }
      const { promise, resolve, reject } = Promise.withResolvers<Placed>()
      this.#storing.set(key, promise)
      promise.catch((error: unknown) => this.#fail(error))
      const sealed = supply.seal()
      sealed.catch((error: unknown) => {
        this.#fail(error)
        reject(withSide('logic', error))
      })
      return { kind: 'new', id, sealed, place: resolve }
    })
    this.#decided = decision.then(
      () => undefined,
      (error: unknown) => this.#fail(error),
    )
    return decision
  }

  #setHole(builder: PageBuilder, index: number, count: number, kind: 'zero' | 'unallocated'): void {
    builder.setHole(index, count, kind)
    this.#runs.push({ pageNo: builder.pageNo, entryNo: index, count, kind })
    this.#progress.add({ chunksZero: count })
    this.#advance(builder.pageNo * PAGE_BYTES + (index + count) * CHUNK)
  }

  #setChunk(builder: PageBuilder, index: number, id: Uint8Array, placed: Placed): void {
    builder.setChunk(index, id, placed)
    this.#entries.push({ pageNo: builder.pageNo, entryNo: index, id, placed })
  }

  #advance(offset: number): void {
    this.#nextOffset = Math.max(this.#nextOffset, Math.min(offset, this.#end))
    this.#progress.reached(this.#nextOffset)
  }

  /** Work in disk order; waits while too much is queued. Throws what has failed. */
  async #enqueue(work: () => Promise<void>): Promise<void> {
    this.#throwIfFailed()
    this.#queued += 1
    this.#placed = this.#placed
      .then(async () => {
        this.#throwIfFailed()
        await work()
      })
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#queued -= 1
        this.#onDequeued?.()
      })
    await this.#dequeuedUntil(() => this.#queued < MAX_QUEUED)
  }

  async #dequeuedUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      await new Promise<void>((resolve) => (this.#onDequeued = resolve))
      this.#throwIfFailed()
    }
  }

  async #journalIfDue(): Promise<void> {
    const { engine, options } = this.#parts
    const read = this.#progress.bytesRead - this.#journalledRead
    const due =
      this.#packs.pending >= JOURNAL_PACKS ||
      read >= (options.journalSourceBytes ?? 256 * MiB) ||
      engine.clock() - this.#journalledAt >= JOURNAL_MS
    if (due) await this.#progress.waiting('repository', () => this.#journal())
  }

  /** S3. */
  async #journal(): Promise<void> {
    const { engine, store, knowledge, log, plan, controller } = this.#parts
    if (await onSide('store-read', () => knowledge.renewIfOld(store, controller.signal))) this.#homes.lift(knowledge)
    await this.#packs.close()
    await onSide('store-write', () => store.flush())
    await this.#index()
    await log.fence()
    const entries = this.#entries.map(({ pageNo, entryNo, id, placed }): JournalEntry => ({
      pageNo,
      entryNo,
      shift: CHUNK_SHIFT,
      chunk: namedChunk(id, placed),
    }))
    const read = this.#progress.bytesRead
    await log.put(
      {
        type: 'journal',
        disk: plan.disk,
        nextOffset: this.#nextOffset,
        entries,
        runs: this.#runs,
        homes: this.#homes.of(entries.map(({ chunk }) => chunk.pack)),
        readBytes: read - this.#journalledRead,
      },
      this.#durablePacks.splice(0),
      this.#segments.splice(0),
    )
    this.#journalledRead = read
    this.#journalledAt = engine.clock()
    this.#entries = []
    this.#runs = []
    this.#progress.durable(this.#nextOffset)
    await this.#finishPages()
  }

  /** Pages whose chunks all lie in closed packs. */
  async #finishPages(): Promise<void> {
    const { parent } = this.#parts
    for (const { builder, index } of this.#finished.splice(0)) {
      const { page, hintReplaced } = builder.finish()
      this.#roots[index] = await this.#pages.finish(page, hintReplaced, parent?.roots[builder.pageNo])
    }
  }

  /** L0 for all packs that are durable now, known to this process from here on. */
  async #index(): Promise<void> {
    const { engine, store, options, controller } = this.#parts
    const packs = [...this.#packs.drain(), ...this.#metaPacks.drain()]
    if (packs.length === 0) return
    const content = encodeSegment(
      segmentOf(packs, { repo: engine.ring.repo, createdMs: engine.clock(), producer: options.session }),
    )
    const { sha, name } = segmentObject(content)
    await onSide('store-write', () => putSmall(store, name, content, controller.signal))
    await engine.view.add(sha, content)
    this.#segments.push(sha)
    for (const pack of packs) this.#nowDurable(pack)
  }

  #nowDurable(pack: FinishedPack): void {
    this.#homes.add(pack.sha, pack.stamp)
    this.#durablePacks.push(pack.sha)
    this.#uploadStamp = Math.min(this.#uploadStamp ?? pack.stamp, pack.stamp)
    for (const { id } of pack.entries) this.#storing.delete(toHex(id))
  }

  /** S4 and S5. */
  async #finish(): Promise<PartOutcome> {
    const { store, log, plan, resumed } = this.#parts
    await this.#packs.close()
    await this.#finishPages()
    await this.#metaPacks.close()
    await onSide('store-write', () => store.flush())
    await this.#index()
    const roots = this.#roots.map((root, index) => {
      if (root === undefined) throw new HoldfastError('Internal', `page ${plan.firstPage + index} was not decided`)
      return namedRoot(root)
    })
    const readBytes = resumed.readBytes + this.#progress.bytesRead
    const newBytes = resumed.newBytes + this.#newBytes
    await log.fence()
    await log.put(
      {
        type: 'result',
        disk: plan.disk,
        firstPage: plan.firstPage,
        roots,
        homes: this.#homes.all(),
        readBytes,
        newBytes,
      },
      this.#durablePacks.splice(0),
      this.#segments.splice(0),
    )
    this.#progress.durable(this.#end)
    this.#progress.report()
    return { roots, homes: this.#homes, readBytes, newBytes, uploadStamp: this.#uploadStamp }
  }

  /** The first failure counts; it stops everything else. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    const { controller, options } = this.#parts
    this.#failure = options.signal.aborted ? cancelled(options.signal) : withSide('logic', error)
    controller.abort(this.#failure)
    this.#onDequeued?.()
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
    const { signal } = this.#parts.controller
    if (signal.aborted) throw cancelled(signal)
  }
}

/** Memory of its own: meta packs are small, and few. */
function metaMemory(): PackMemory {
  return { bytes: new Uint8Array(new SharedArrayBuffer(META_PACK_BYTES)), release: () => undefined }
}
