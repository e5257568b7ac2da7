import { lookOnly, type Engine } from './engine.ts'
import { FeatureGate } from './features.ts'
import {
  collect,
  holdInStore,
  listHolds,
  placeHold,
  prune,
  rebuildIndex,
  Recheck,
  releaseHold,
  releaseInStore,
  removedPoints,
  requireClock,
  retentionPoints,
} from './gc/index.ts'
import type { Fmt } from './format/index.ts'
import { GcStateReader } from './gcstate/index.ts'
import { IndexView } from './index-view/index.ts'
import { checkSigner, isGenuine, unlock, type DerivePassphrase } from './keys/index.ts'
import { keyObjects, requireFmt } from './objects.ts'
import { lockingConnect, Retention } from './lock/index.ts'
import { knownTraits } from './probing.ts'
import { claimSeries, readOwners } from './owners.ts'
import { BlobReader } from './read/blob-reader.ts'
import { LoadedPoint } from './read/open-point.ts'
import { Points } from './read/points.ts'
import { Quarantines } from './read/quarantine.ts'
import { comparePoints } from './read/compare.ts'
import { spotCheck } from './read/spot-check.ts'
import { readUsage } from './read/usage.ts'
import { capacityOf, connectTo, lockOf, repeatedSize, type Connect, type RepeatedSize } from './store/index.ts'
import type {
  CollectOptions,
  CollectReport,
  CommitOptions,
  CommitResult,
  CopyPartOptions,
  HoldEntry,
  HoldRequest,
  OpenOptions,
  OpenPoint,
  PartResult,
  PointChange,
  PointEntry,
  PruneOptions,
  PruneReport,
  RebuildOptions,
  RebuildReport,
  Repository,
  RepositoryLocation,
  RepositoryLock,
  RepositoryUsage,
  RetentionPoint,
  SeriesClaim,
  SeriesHead,
  SeriesOwner,
  SeriesOwners,
  SessionSpec,
  VerifyLedger,
  VerifyReport,
} from './types.ts'
import { FileLedger, SharedLedger, verifyRepository } from './verify/index.ts'
import { processBudget, WorkerPool, type BufferBudget } from './workers/index.ts'
import { commit } from './write/commit.ts'
import { copyPart } from './write/copy-part.ts'
import { Sessions } from './write/sessions.ts'

/** What `openRepository` takes besides, inside the room. */
export interface OpenInternals {
  readonly connect?: Connect
  readonly budget?: BufferBudget
  readonly clock?: () => number
  readonly warn?: (message: string) => void
  /** Threads that somebody else closes. */
  readonly pool?: WorkerPool
  /** Argon2id; default: in a child process. */
  readonly derive?: DerivePassphrase
  /** null: collections ask nothing of the store before they begin (§9.8). */
  readonly recheck?: RepeatedSize | null
}

/** Opens a repository with one secret. Throws RepositoryMissing, WrongSecret, KeysDamaged, FormatUnsupported. */
export async function openRepositoryWith(
  options: OpenOptions,
  internals: OpenInternals = {},
): Promise<OpenedRepository> {
  const { location, secret, cacheDir, threads } = options
  const first = (internals.connect ?? connectTo(location))()
  const warn = internals.warn ?? ((message: string) => process.emitWarning(message, 'RepositoryWarning'))
  const clock = internals.clock ?? Date.now
  const found = await requireFmt(first, location)
  const { fmt } = found
  for (const { name, why } of found.ignored) warn(`${name} was ignored: ${why}`)
  warnOfLock(location, fmt, warn)
  const retention = new Retention(fmt, clock)
  const bare = internals.connect ?? connectTo(location, await knownTraits(first, fmt, warn))
  const connect = lockingConnect(bare, retention)
  const store = connect()
  // The secret first: Argon2id runs before any buffer is taken (rulings 9).
  const recheck =
    internals.recheck === null ? undefined : new Recheck(connect, internals.recheck ?? (await repeatedSize(location)))
  const pool = internals.pool ?? new WorkerPool(threads)
  await using failed = new AsyncDisposableStack()
  failed.defer(async () => {
    await recheck?.end()
    if (internals.pool === undefined) await pool[Symbol.asyncDispose]()
  })
  if (options.purpose === 'collect') recheck?.begin()
  if (options.purpose !== undefined) pool.warm(options.purpose === 'move' ? pool.size : 1)
  const unlocked = await unlock(await keyObjects(store), fmt.repo, secret, internals.derive)
  const { ring, inventory } = unlocked
  checkSigner(fmt, ring)
  for (const { name, why } of inventory.damaged) warn(`${name} is damaged: ${why}`)
  const features = new FeatureGate({ fmt, ring, store, clock, warn })
  await features.require('read', new AbortController().signal)
  const view = new IndexView({ cacheDir, repo: fmt.repo, warn })
  const quarantines = new Quarantines({ repo: fmt.repo, clock, warn })
  const engine: Engine = {
    fmt,
    ring,
    inventory,
    keyConflict: unlocked.conflict,
    keySuperseded: unlocked.superseded,
    features,
    retention,
    recheck,
    store,
    connect,
    gc: new GcStateReader(fmt.repo, (record) => isGenuine(record, ring)),
    view,
    pool,
    budget: internals.budget ?? processBudget,
    blobs: new BlobReader({ ring, store, connect, view, pool, quarantines }),
    quarantines,
    clock,
    warn,
  }
  const ledger = FileLedger.in(cacheDir, fmt.repo, warn)
  failed.move()
  return new OpenedRepository(engine, { location, ledger, ownsPool: internals.pool === undefined })
}

/** Whether a repository locks its objects was decided when it was made (§11.5), not by how somebody writes its place. */
function warnOfLock(location: RepositoryLocation, { lock }: Fmt, warn: (message: string) => void): void {
  const named = lockOf(location)
  if (named === undefined || named === lock?.mode) return
  const is = lock === undefined ? 'locks nothing' : `locks its objects in ${lock.mode} mode`
  warn(`the location names a lock in ${named} mode; the repository was made otherwise and ${is}`)
}

/** An open repository: each method is one protocol step of the rooms behind it. */
export class OpenedRepository implements Repository {
  readonly id: string
  readonly location: RepositoryLocation
  readonly lock: RepositoryLock | null
  /** For tests and the rooms of this folder. */
  readonly engine: Engine
  readonly #ownsPool: boolean
  readonly #sessions: Sessions
  readonly #points: Points
  readonly #ledger: VerifyLedger

  constructor(
    engine: Engine,
    parts: { readonly location: RepositoryLocation; readonly ledger: VerifyLedger; readonly ownsPool: boolean },
  ) {
    this.#ownsPool = parts.ownsPool
    this.#ledger = parts.ledger
    this.engine = engine
    this.id = engine.ring.repo
    this.location = parts.location
    const { lock, generationDays } = engine.fmt
    this.lock = lock === undefined ? null : { ...lock, generationDays }
    this.#sessions = new Sessions(engine)
    this.#points = new Points(engine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.recheck?.end()
    if (this.#ownsPool) await this.engine.pool[Symbol.asyncDispose]()
    this.engine.view[Symbol.dispose]()
  }

  series(vm: { readonly platform: string; readonly scope: string; readonly vm: string }): string {
    return this.engine.ring.identity().series(vm)
  }

  listPoints(options?: Parameters<Repository['listPoints']>[0]): AsyncIterable<PointEntry> {
    return this.#points.list(options)
  }

  heads(signal: AbortSignal): AsyncIterable<SeriesHead> {
    return this.#points.heads(signal)
  }

  async owners(series: string, signal: AbortSignal): Promise<SeriesOwners> {
    return await readOwners(this.engine, series, signal)
  }

  async claimSeries(claim: SeriesClaim, signal: AbortSignal): Promise<SeriesOwner> {
    return await claimSeries(this.engine, claim, signal)
  }

  /** For the rooms of this folder. */
  get points(): Points {
    return this.#points
  }

  async openPoint(stem: string, options?: { readonly explicit?: boolean }): Promise<OpenPoint> {
    return await this.#open(stem, options?.explicit ?? false)
  }

  async openSession(spec: SessionSpec, signal: AbortSignal): Promise<SessionSpec> {
    return await this.#sessions.open(spec, signal)
  }

  async readSession(session: string): Promise<SessionSpec | undefined> {
    return await this.#sessions.read(session, new AbortController().signal)
  }

  async copyPart(options: CopyPartOptions): Promise<PartResult> {
    return await copyPart(this.engine, this.#sessions, options)
  }

  async commit(options: CommitOptions): Promise<CommitResult> {
    return await commit(this.engine, this.#sessions, options)
  }

  async endSession(session: string, outcome: 'committed' | 'failed'): Promise<void> {
    await this.#sessions.end(session, outcome)
  }

  async verify(options: Parameters<Repository['verify']>[0]): Promise<VerifyReport> {
    const points = this.#points.list({ signal: options.signal, unreadable: 'show' })
    // Reading back (L5) comes upon damage, and would note it.
    const engine = options.quarantine === true ? this.engine : lookOnly(this.engine)
    const own = options.ledger ?? this.#ledger
    if (options.shared === undefined) return await verifyRepository(engine, { ...options, ledger: own, points })
    const ledger = new SharedLedger(own, options.shared, options.signal, (message) => this.engine.warn(message))
    try {
      return await verifyRepository(engine, { ...options, ledger, points })
    } finally {
      await ledger.handOn()
    }
  }

  async spotCheck(
    stem: string,
    count: number,
    signal: AbortSignal,
  ): Promise<{ readonly chunks: number; readonly bytes: number }> {
    await using point = await this.#open(stem, false)
    return await spotCheck(point, count, signal)
  }

  async usage(signal = new AbortController().signal): Promise<RepositoryUsage> {
    return await readUsage(this.engine, this.#points, () => capacityOf(this.location), signal)
  }

  async compareWithPrevious(stem: string, signal: AbortSignal): Promise<PointChange | null> {
    const before = await this.#points.previous(stem, signal)
    if (before === undefined) return null
    await using after = await this.#open(stem, false)
    await using previous = await this.#open(before.stem, false)
    const figures = await comparePoints(previous, after, signal)
    return { beforeSnap: before.snap, beforeMs: before.createdMs, ...figures }
  }

  async collect(options: CollectOptions): Promise<CollectReport> {
    return await collect(this.engine, this.#points, options)
  }

  async retentionClock(): Promise<number> {
    return await requireClock(this.engine)
  }

  async retentionPoints(signal: AbortSignal, series?: readonly string[]): Promise<RetentionPoint[]> {
    return await retentionPoints(this.engine, this.#points, signal, series)
  }

  async removedPoints(signal: AbortSignal): Promise<string[]> {
    return await removedPoints(this.#points, signal)
  }

  async prune(options: PruneOptions): Promise<PruneReport> {
    return await prune(this.engine, this.#points, options)
  }

  async hold(request: HoldRequest, signal: AbortSignal): Promise<string> {
    const name = await placeHold(this.engine, request, signal)
    if (request.type === 'legal') await holdInStore(this.engine, request.stem, signal)
    return name
  }

  async listHolds(signal: AbortSignal): Promise<HoldEntry[]> {
    return await listHolds(this.engine, signal)
  }

  async release(hold: string): Promise<void> {
    const { signal } = new AbortController()
    await releaseInStore(this.engine, hold, signal, () => releaseHold(this.engine, hold))
  }

  async rebuildIndex(options: RebuildOptions): Promise<RebuildReport> {
    return await rebuildIndex(this.engine, options)
  }

  async #open(stem: string, explicit: boolean): Promise<LoadedPoint> {
    const { entry, manifest } = await this.#points.load(stem, explicit)
    return new LoadedPoint(this.engine, manifest, entry)
  }
}
