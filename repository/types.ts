/**
 * The public face of the repository: what activities, the CLI and tests use. Plain objects and streams; nothing here
 * knows hypervisors. Section numbers refer to docs/repository-format.md.
 */
import type { RepositoryLocation } from '../base/index.ts'

import type {
  CollectOptions,
  CollectReport,
  HoldEntry,
  HoldRequest,
  PruneOptions,
  PruneReport,
  RebuildOptions,
  RebuildReport,
  RetentionPoint,
} from './gc/types.ts'
import type { SeriesClaim, SeriesOwner, SeriesOwners } from './owners.ts'

export type { SeriesClaim, SeriesOwner, SeriesOwners }

/** 32 lower-case hex digits. */
export type Uuid32 = string
/** `snap/<series32>/<rev16>-<uuid32>`, without extension. */
export type Stem = string

export type { RepositoryLocation }

/** What opens a key slot (§5.4). Never logged, never in arguments, histories or errors. */
export type UnlockSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** `HFR1-…` */
  | { readonly kind: 'recovery'; readonly text: string }
  /** As many `HFS1-…` as are needed, or more. */
  | { readonly kind: 'shares'; readonly texts: readonly string[] }
  /** `HFE1-…`, the private key of an escrow holder. */
  | { readonly kind: 'escrow'; readonly text: string }

// ── copying ───────────────────────────────────────────────────────────────────────────────────────────────
export type SourceExtent = {
  readonly offset: number
  readonly length: number
  readonly kind: 'data' | 'zero' | 'unallocated'
}

/** One disk at one point in time, as the writer reads it. An activity adapts a driver's reader to it. */
export interface DiskSource {
  /** Bytes; a positive multiple of 512. */
  readonly size: number
  /**
   * 'all': every byte can be read. 'changed': only ranges that `extents` yields; the rest of a chunk touched in part
   * then comes from the parent's chunk (rulings 7).
   */
  readonly readable: 'all' | 'changed'
  /** Sorted, disjoint extents in [start, end). A full is gap-free; in an incremental a gap is unchanged. */
  extents(start: number, end: number, signal: AbortSignal): AsyncIterable<SourceExtent>
  /** Fills `into` completely or throws. Concurrent calls are allowed up to `maxInFlight`. `into` is on shared memory. */
  read(at: number, into: Uint8Array, signal: AbortSignal): Promise<void>
  readonly maxInFlight: number
}

export interface CopyProgress {
  /** Everything before this byte of the disk is decided and durable (journalled). */
  readonly durableOffset: number
  /** Everything before this byte has been read from the source or decided without reading. */
  readonly offset: number
  /** Bytes read from the source by this attempt, zero chunks included. */
  readonly bytesRead: number
  /** Bytes of the part's range that were already decided when this attempt started (resumed, not read again). */
  readonly bytesResumed: number
  /** Stored bytes of new chunk blobs, by this attempt. */
  readonly bytesStored: number
  readonly chunksNew: number
  readonly chunksReused: number
  readonly chunksZero: number
  /** What the copy mostly waits for since the last report. */
  readonly bottleneck: 'source' | 'mover' | 'repository'
}

export interface PartPlan {
  /** From 1. */
  readonly part: number
  /** `id` of the disk in the manifest: unique in it, stable over the series. */
  readonly disk: string
  readonly firstPage: number
  readonly nPages: number
}

/** Everything that a session fixes before the first upload (§7.1). Chosen by the workflow, the same in every attempt. */
export interface SessionSpec {
  readonly session: Uuid32
  readonly snap: Uuid32
  readonly series: string
  /** Unix ms of the frozen instant. */
  readonly createdMs: number
  /** A recovery point of the same series, or null. */
  readonly parentStem: Stem | null
  /** Installation id. */
  readonly owner: Uuid32
  readonly parts: readonly PartPlan[]
  /** The driver's PointInTime, carried and not interpreted; ≤ 256 KiB of canonical JSON. */
  readonly point: { readonly [name: string]: unknown } | null
  readonly leaseSec?: number
}

/** Resolves when so many stored bytes may go over the line; rejects with the signal. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>

/** true: room in the memory that all copies of the process share is waited for, for as long as others take; false: it came. */
export type OnWaiting = (isWaiting: boolean) => void

export interface StreamOptions {
  /** Waited for before so many stored bytes are fetched; several at a time ask. */
  readonly pace?: Pace
  /** Memory comes to it before backups and verifies, and out of a reserve. */
  readonly isRestore?: boolean
  readonly onWaiting?: OnWaiting
}

export interface CopyPartOptions {
  readonly session: Uuid32
  readonly part: number
  /** From 1, higher than every earlier attempt of this part; fences older ones (§7.1). */
  readonly attempt: number
  readonly diskBytes: number
  readonly source: DiskSource
  /** 'full' ignores the parent's entries (deduplication by id still applies). */
  readonly mode: 'full' | 'incremental'
  /** zstd level. Default 1. */
  readonly compressionLevel?: number
  /** Journal at the latest after so many source bytes (rulings 8). Default 256 MiB. */
  readonly journalSourceBytes?: number
  /** Waited for before so many sealed bytes are stored; what is stored already is not asked about. */
  readonly pace?: Pace
  readonly onWaiting?: OnWaiting
  readonly signal: AbortSignal
  readonly onProgress: (progress: CopyProgress) => void
}

export interface PartResult {
  readonly part: number
  readonly attempt: number
  readonly disk: string
  readonly readBytes: number
  readonly newBytes: number
  /** By this attempt alone: what a resume did not have to read again. */
  readonly bytesReadThisAttempt: number
  readonly bytesResumed: number
  readonly chunksNew: number
  readonly chunksReused: number
  readonly chunksZero: number
}

// ── committing ────────────────────────────────────────────────────────────────────────────────────────────
export interface ConfigPart {
  readonly name: string
  readonly type: 'native' | 'portable' | 'firmware' | 'tpm' | 'catalog' | 'audit'
  readonly content: AsyncIterable<Uint8Array> | Uint8Array
}

/** §4.4 `source` of a mirrored point. Times in Unix milliseconds; `retentionMs` is the time by which it is kept (§11.1). */
export interface MirrorSource {
  readonly repo: Uuid32
  readonly snap: Uuid32
  readonly createdMs: number
  readonly retentionMs: number
}

export interface CommitOptions {
  readonly session: Uuid32
  readonly attempt: number
  /** Which attempt of each part to publish; others are ignored (§7.1, fencing). */
  readonly results: readonly { readonly part: number; readonly attempt: number }[]
  readonly vm: {
    readonly id: string
    readonly name: string
    readonly platform: string
    readonly scope: string
    readonly tags: readonly string[]
  }
  readonly point: {
    readonly origin: 'scheduled' | 'manual' | 'publish' | 'safety' | 'catalog'
    readonly name?: string
    readonly description?: string
    readonly startedMs: number
    readonly run: string
  }
  readonly consistency: { readonly level: 'crash' | 'filesystem' | 'application'; readonly detail: string }
  readonly hypervisor: { readonly platform: string; readonly version: string; readonly host: string }
  readonly disks: readonly {
    readonly id: string
    readonly label: string
    readonly bytes: number
    readonly sectorSize: number
    readonly changeRef: { readonly kind: string; readonly id: string } | null
    readonly mode: 'full' | 'incremental'
    readonly why: string
  }[]
  readonly configs: readonly ConfigPart[]
  readonly retention: { readonly class: string; readonly policy: string }
  /** Of a point that was made in another repository (§13): where it comes from, and when that was finished. */
  readonly mirrored?: MirrorSource & { readonly finishedMs: number }
  /** Reads a chunk again from the source in a rescue (§7.4 step 7). */
  readonly reread?: (disk: string, at: number, into: Uint8Array) => Promise<void>
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

export interface CommitResult {
  readonly stem: Stem
  readonly snap: Uuid32
  readonly validatedMs: number
  readonly passes: number
  readonly rescued: number
  readonly manifestBytes: number
  /** Unix seconds until which the store keeps what the point needs (§11.5); 0: it is not locked. */
  readonly lockUntilSec: number
  readonly disks: readonly { readonly id: string; readonly readBytes: number; readonly newBytes: number }[]
}

// ── reading ───────────────────────────────────────────────────────────────────────────────────────────────
/** §3.3. `recovery-point` is the only one that restores without being asked for explicitly. */
export type PointState =
  | 'recovery-point'
  | 'not-validated'
  | 'tombstoned'
  | 'tombstone-unverifiable'
  | 'held'
  | 'manifest-lost'
  /** One of its objects cannot be read now, or not with these keys: what it is is not known. */
  | 'unreadable'

export interface PointEntry {
  readonly stem: Stem
  readonly series: string
  readonly snap: Uuid32
  readonly createdMs: number
  readonly state: PointState
  readonly validatedMs: number | null
  /** Only of state `unreadable`: which object, and why. */
  readonly unreadable?: { readonly object: string; readonly message: string }
}

/** What a look from outside finds of one series. Nothing older than its newest recovery point was read. */
export interface SeriesHead {
  readonly series: string
  /** The newest point that counts, read and checked; null: none does. */
  readonly newest: PointEntry | null
  /**
   * Snapshots that are not proved absent: `newest`, what could not be read, and of everything older what has by its listing a
   * manifest, a validation, and no tombstone unless it is held.
   */
  readonly standing: readonly Uuid32[]
  /** The newest object that could not be read; null: all could. */
  readonly unreadable: { readonly object: string; readonly message: string } | null
}

export interface DiskInfo {
  readonly id: string
  readonly label: string
  readonly bytes: number
  readonly sectorSize: number
  readonly mode: 'full' | 'incremental'
  readonly why: string
  readonly readBytes: number
  readonly newBytes: number
  /** hex */
  readonly imageRoot: string
  readonly changeRef: { readonly kind: string; readonly id: string } | null
}

export interface PointInfo extends PointEntry {
  readonly parentSnap: Uuid32 | null
  /** Of a mirrored point: the repository and the point there that it was made from (§4.4 `source`). */
  readonly mirroredFrom: { readonly repo: Uuid32; readonly snap: Uuid32 } | null
  readonly vm: CommitOptions['vm']
  readonly point: CommitOptions['point'] & { readonly frozenMs: number; readonly finishedMs: number }
  readonly consistency: CommitOptions['consistency']
  readonly hypervisor: CommitOptions['hypervisor']
  readonly disks: readonly DiskInfo[]
  readonly configs: readonly {
    readonly name: string
    readonly type: string
    readonly bytes: number
    readonly sha256: string
  }[]
  readonly retention: {
    readonly class: string
    readonly policy: string
    /** Unix seconds until which the store refuses to remove what the point needs; 0: not locked. */
    readonly lockUntilSec: number
    readonly hold: boolean
  }
}

/** A run of bytes as a restore meets it. `hole`: no data stored, reads as zeros. */
export type DiskRun = { readonly offset: number; readonly length: number; readonly kind: 'data' | 'hole' }

/** Random access to one disk of one point; memory bounded whatever its size; safe for concurrent calls. */
export interface DiskReader {
  readonly info: DiskInfo
  /** Fills `into` from byte `at`; every check of §7.8 is on. Throws ChunkLost with the byte range, never wrong bytes. */
  read(at: number, into: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Data and holes of [start, end), sorted, gap-free. */
  runs(start: number, end: number): AsyncIterable<DiskRun>
  /** Decoded data in ascending order with read-ahead in the worker pool; holes are left out. Buffers may be reused
   *  after the consumer asks for the next one. The fast path for whole-disk restore. */
  stream(
    start: number,
    end: number,
    signal: AbortSignal,
    options?: StreamOptions,
  ): AsyncIterable<{ readonly offset: number; readonly data: Uint8Array }>
}

export interface OpenPoint extends AsyncDisposable {
  readonly info: PointInfo
  disk(id: string): DiskReader
  /** Checks bytes and sha256 as it goes; throws at the end if they differ. */
  config(name: string): AsyncIterable<Uint8Array>
}

/**
 * What became of the disks between one point and the next, in bytes of disk; `…Stored`: of what compression left of them.
 * *Soft* is a chunk that can be compressed to four fifths or less: documents, databases, code. *Hard* is any other:
 * archives, films, what is encrypted.
 */
export interface ChangeFigures {
  /** Of the disks that both points have. */
  readonly comparedBytes: number
  /** Held by the earlier point, holes left out. An estimate where more than 256 GiB of a disk did not change. */
  readonly heldBytes: number
  readonly softBytes: number
  /** Other content in the same place. */
  readonly rewrittenBytes: number
  readonly rewrittenStoredBefore: number
  readonly rewrittenStored: number
  /** Of that, what was hard before. */
  readonly rewrittenHardBytes: number
  /** Of that, what could be compressed before and hardly can now. */
  readonly turnedBytes: number
  /** Content where there was a hole. */
  readonly addedBytes: number
  readonly addedStored: number
  readonly addedHardBytes: number
  /** A hole where there was content. */
  readonly removedBytes: number
  readonly removedSoftBytes: number
}
export interface PointChange extends ChangeFigures {
  /** The point that it was compared with. */
  readonly beforeSnap: Uuid32
  readonly beforeMs: number
}

// ── verifying ─────────────────────────────────────────────────────────────────────────────────────────────
/** rulings 14: quick = L1 + L2 + L1r; data = L3 + L1r; full = L4. Each includes what is cheaper. */
export type VerifyLevel = 'quick' | 'data' | 'full'

export interface Damage {
  readonly pack: string | null
  readonly object: string
  readonly found: 'L1' | 'L1r' | 'L2' | 'L3' | 'L4' | 'L5' | 'keys' | 'manifest'
  readonly message: string
  /** The bytes are there and wrong, or proved absent. False: they could not be read now, or a newer version wrote them. */
  readonly proved: boolean
  /** Points and byte ranges that need what is damaged: no other sound home of it is known. */
  readonly affects: readonly {
    readonly stem: Stem
    readonly vm: string
    readonly disk: string | null
    readonly ranges: readonly { readonly start: number; readonly end: number }[]
  }[]
}

export interface VerifyReport {
  readonly level: VerifyLevel
  readonly points: number
  readonly packs: number
  /** Of these: judged by an earlier attempt, as the ledger says (`since`), and not read again. */
  readonly packsResumed: number
  readonly chunks: number
  readonly bytes: number
  readonly damages: readonly Damage[]
  /** `bad/` objects that this verify wrote (§12.2); 0 in a dry run. */
  readonly quarantined: number
  /** What is no damage and should be known: points left out, objects of other installations, reads that failed once. */
  readonly notes: readonly string[]
  readonly durationMs: number
  /** Levels data and full over all packs: how far reading has come, this verify included. Else null. */
  readonly coverage: ReadCoverage | null
}

/** How much of a repository was ever read as a whole, as the ledger knows it. Bytes; Unix milliseconds. */
export interface ReadCoverage {
  readonly packs: number
  readonly bytes: number
  readonly readPacks: number
  readonly readBytes: number
  /** Of the packs that were read: the oldest last pass; null: none was. */
  readonly oldestMs: number | null
}

/** When a pack was last read whole and judged, Unix milliseconds; 0: never. What could not be read has not been judged. */
export interface LedgerPass {
  readonly pack: string
  readonly l3Ms: number
  readonly l4Ms: number
}

/**
 * §12.1: the last pass of each pack, by which a verify with a byte budget goes on where the one before stopped. Losing it
 * costs a second pass, nothing else.
 */
export interface VerifyLedger {
  /** Ascending by pack. What is recorded meanwhile may or may not show. */
  passes(signal: AbortSignal): AsyncIterable<LedgerPass>
  record(
    passes: readonly { readonly pack: string; readonly level: 'L3' | 'L4'; readonly atMs: number }[],
  ): Promise<void>
}

export interface RepositoryUsage {
  readonly points: number
  readonly series: number
  readonly packs: number
  /** Bytes stored in packs. */
  readonly storedBytes: number
  /** Unique chunk content before compression. */
  readonly uniqueBytes: number
  /** Sum over recovery points of the chunk-covered bytes of their disks. */
  readonly logicalBytes: number
  /** Of the file system under a posix store; null where unknown. */
  readonly capacityBytes: number | null
  readonly freeBytes: number | null
}

export type * from './gc/types.ts'
export type * from './heal/types.ts'
export type * from './mirror/types.ts'

/** §11.5: what the repository was made with. Nobody can change it: a point keeps the lock that it was published with. */
export interface RepositoryLock {
  /** A point is locked for so long from its publication, by the store's clock. */
  readonly days: number
  /** compliance: nobody can end or shorten it, the account's owner included · governance: who has a special right can. */
  readonly mode: 'governance' | 'compliance'
  /** Locks end with generations of so many days: an object stays up to one generation longer. */
  readonly generationDays: number
}

// ── the repository ────────────────────────────────────────────────────────────────────────────────────────
export interface Repository extends AsyncDisposable {
  /** Repository UUID, 32 hex digits. */
  readonly id: Uuid32
  readonly location: RepositoryLocation
  /** null: it locks nothing. */
  readonly lock: RepositoryLock | null
  /** §3.2: the stable series of a VM, a keyed hash of platform, scope and vm. */
  series(vm: { readonly platform: string; readonly scope: string; readonly vm: string }): string
  /**
   * Newest first inside a series; all states; streamed. A point that cannot be read throws, so that nobody writes or deletes
   * as if it were not there; with `unreadable: 'show'` it is an entry of that state, for whoever only reads.
   */
  listPoints(options?: {
    readonly series?: string
    readonly signal?: AbortSignal
    readonly unreadable?: 'throw' | 'show'
  }): AsyncIterable<PointEntry>
  /** One entry a series, for whoever looks often: one listing, and of each series only its newest point is read. */
  heads(signal: AbortSignal): AsyncIterable<SeriesHead>
  /** Who protects a series. Throws what the store throws: what cannot be read now is not absent. */
  owners(series: string, signal: AbortSignal): Promise<SeriesOwners>
  /** Marks a series as protected by an installation unless another one has it. Returns who has it. again: yes. */
  claimSeries(claim: SeriesClaim, signal: AbortSignal): Promise<SeriesOwner>
  /** Manifest decoded; pages are loaded on demand. `explicit` opens what is no recovery point, at the reader's risk. */
  openPoint(stem: Stem, options?: { readonly explicit?: boolean }): Promise<OpenPoint>
  /** S0 of part 0. again: yes, an existing `open` object of the same session is adopted if it says the same. */
  openSession(spec: SessionSpec, signal: AbortSignal): Promise<SessionSpec>
  /** What the session's `open` object says; undefined if proved absent. */
  readSession(session: Uuid32): Promise<SessionSpec | undefined>
  /** S0–S5 of one part, resumed from its journals. again: yes, with a higher attempt. */
  copyPart(options: CopyPartOptions): Promise<PartResult>
  /** W0–W3. again: yes: publishes the same recovery point, never a second one. */
  commit(options: CommitOptions): Promise<CommitResult>
  /** W4. again: yes. */
  endSession(session: Uuid32, outcome: 'committed' | 'failed'): Promise<void>
  verify(options: {
    readonly level: VerifyLevel
    /** Default: every point that restores, and every pack. With it: these points and the packs they need. */
    readonly stems?: readonly Stem[]
    /** Puts what is proved damaged into `bad/`, so that the next backup stores it again. Default: dry run. */
    readonly quarantine?: boolean
    /** Levels data and full, without stems: bytes of packs to read at most, oldest last pass first. Default: all. */
    readonly budget?: number
    /** Default: a file in the cache directory. */
    readonly ledger?: VerifyLedger
    /** What other hosts have read counts too, and what is read here is told to it. It may fail: see `SharedLedger`. */
    readonly shared?: VerifyLedger
    /**
     * Levels data and full, without stems: goes on where an attempt that began then, in Unix milliseconds by this host's
     * clock, was cut off. Packs that the ledger has as judged since are not read again, unless they are quarantined.
     */
    readonly since?: number
    /** After everything that a point refers to was looked at, whatever was found. */
    readonly onPoint?: (stem: Stem) => void
    readonly signal: AbortSignal
    readonly onProgress: (done: number, total: number, what: string) => void
  }): Promise<VerifyReport>
  /** Reads `count` random chunks of a point back through the reader with all checks; the cheap proof after a commit. */
  spotCheck(
    stem: Stem,
    count: number,
    signal: AbortSignal,
  ): Promise<{ readonly chunks: number; readonly bytes: number }>
  /** Lists what is there and opens the pages of all points: of a large repository that takes hours. */
  usage(signal?: AbortSignal): Promise<RepositoryUsage>
  /** What changed since the recovery point before it of the same series; null: it is the first. Reads pages, no chunk. */
  compareWithPrevious(stem: Stem, signal: AbortSignal): Promise<PointChange | null>
  /** One garbage collection (§9). again: yes, at any time, beside anything. Deletes nothing where a root cannot be read. */
  collect(options: CollectOptions): Promise<CollectReport>
  /** Unix ms by the store's clock. Throws RetentionRefused where this host's differs too much to decide by time (§11.1). */
  retentionClock(): Promise<number>
  /** Every recovery point as keep rules see it (§11.1); `series`: only of these. */
  retentionPoints(signal: AbortSignal, series?: readonly string[]): Promise<RetentionPoint[]>
  /** Stems that carry a tombstone that counts and are held by nobody, as long as they are remembered (§11.3). */
  removedPoints(signal: AbortSignal): Promise<Stem[]>
  /** Tombstones, abandoned manifests, and the removal of both (§11). again: yes. Throws RetentionRefused. */
  prune(options: PruneOptions): Promise<PruneReport>
  /**
   * Keeps a recovery point whatever rules say (§11.2). The hold's name. Throws HoldRefused. A legal one is placed in the store as
   * well, where that can lock; what goes wrong there throws, and the hold stands.
   */
  hold(request: HoldRequest, signal: AbortSignal): Promise<string>
  listHolds(signal: AbortSignal): Promise<HoldEntry[]>
  /** again: yes. */
  release(hold: string): Promise<void>
  /** Index segments for packs that the index does not know, from the packs themselves. again: yes, beside anything. */
  rebuildIndex(options: RebuildOptions): Promise<RebuildReport>
}

export interface CreateOptions {
  readonly location: RepositoryLocation
  readonly passphrase: string
  /** Argon2id cost; default m 262,144 KiB, t 3, p 4. Tests lower it to the bound of §4.12. */
  readonly argon2?: { readonly m: number; readonly t: number; readonly p: number }
  /** Completes an interrupted init (§3.4). */
  readonly resume?: boolean
  /**
   * A mount whose listings may lag (§14.3) is refused unless the operator says: `accept`, then every writer waits for them
   * to settle; `one-host`, then no other host ever uses the repository.
   */
  readonly degraded?: 'accept' | 'one-host'
  /**
   * The repository that the new one is to mirror: both give equal content equal ids, so that chunks are compared, and healed,
   * by id (§13). All other keys are its own. Default: an identity of its own.
   */
  readonly mirrorOf?: Repository
  /**
   * §11.5: every point is locked in the store for so many days from its publication. For ever: it cannot be added, changed or
   * taken away later. The mode is that of the location (`object-lock`, `immutability`), else compliance. Generations of 30 days
   * unless said otherwise.
   */
  readonly lock?: { readonly days: number; readonly generationDays?: number }
  readonly onProgress?: (what: string) => void
}

export interface OpenOptions {
  readonly location: RepositoryLocation
  readonly secret: UnlockSecret
  /** Where index segments are cached on this host. Disposable. */
  readonly cacheDir: string
  /** Worker threads for hashing, compression and sealing, about 30 MiB each. Default: cores, at most 4. */
  readonly threads?: number
  /**
   * What it is opened for now, begun while the key is derived: `collect` repeats of the probe what a collection does (§9.8),
   * `move` starts the threads through which whole disks or packs go.
   */
  readonly purpose?: 'collect' | 'move'
}

export interface ProbeReport {
  readonly passed: boolean
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[]
  readonly staleMs: number
  readonly skewMs: number
  /** Bytes per second, put and get of 32 MiB objects. */
  readonly writeRate: number
  readonly readRate: number
}
