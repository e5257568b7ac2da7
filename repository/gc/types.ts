/** What the repository's maintenance takes and says: plain objects for activities, the CLI and tests. */

/** Waiting times in milliseconds: economy, never safety (docs/repository-format.md §9.3, §9.6). */
export interface CollectWaits {
  /** A pack is condemned at this age at the earliest. Default 24 h. */
  readonly minAgeMs: number
  /** … and only if it is so much older than the oldest live session. Default 10 min. */
  readonly sessionSlackMs: number
  /** Between a final set and the deletion of its packs. Default 24 h. */
  readonly deleteDelayMs: number
  /** Between the deletion and the floor that retires the record. Default 1 h. */
  readonly retireDelayMs: number
  /** A condemned set without a final one counts as abandoned, and is evacuated, at this age. Default 24 h. */
  readonly abandonedMs: number
}

export interface CollectOptions {
  /** Finds out what would be condemned, and changes nothing. */
  readonly dryRun?: boolean
  /** `no waits`: all of them 0. Default: the waiting times above. */
  readonly waits?: Partial<CollectWaits> | 'none'
  /**
   * Packs with a smaller share of live bytes are copied together and condemned. 0: none are. Default 0.6.
   */
  readonly compactBelow?: number
  /** Bytes that compaction and evacuation copy in one run at most. Default 64 GiB. */
  readonly copyBytes?: number
  /** Snapshots that the caller believes in, as the catalogue lists them: one that is missing ends the run. */
  readonly knownPoints?: Iterable<string>
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

/** Packs and their bytes. */
export interface PackSum {
  readonly packs: number
  readonly bytes: number
}

export interface CollectReport {
  /** UUID of the run: owner of its records. */
  readonly run: string
  readonly dryRun: boolean
  /**
   * collected: what it condemned is final · nothing: nothing was to be condemned · stopped: another run was under way ·
   * dry-run: `condemned` says what would have been.
   */
  readonly outcome: 'collected' | 'nothing' | 'stopped' | 'dry-run'
  /** Of the run's record; null if it wrote none. */
  readonly epoch: number | null
  readonly roots: number
  /** Roots without validation of which something is proved absent: they are kept as far as they are there. */
  readonly incompleteRoots: number
  readonly pages: number
  readonly listed: PackSum
  /** With at least one blob that a root needs. */
  readonly live: PackSum
  readonly condemned: PackSum
  /** Condemned and then needed after all. */
  readonly reprieved: PackSum
  /** Deleted by this run, of its own final set or an earlier one. */
  readonly deleted: PackSum
  /** Live blobs copied out of packs that are mostly garbage or in an abandoned set. */
  readonly copied: PackSum
  /** Garbage that stays for now. */
  readonly kept: {
    /** Too young, or of the time of a live session. */
    readonly young: PackSum
    /** Contents not known: see `notes`. */
    readonly unknown: PackSum
    /** Under retention or a legal hold of the store, garbage or mostly so. */
    readonly locked: PackSum
    /** In a final set whose deletion is not due, or under retention in the store. */
    readonly waiting: PackSum
  }
  readonly index: { readonly merged: number; readonly written: number }
  readonly records: { readonly present: number; readonly retired: number; readonly floor: number }
  readonly sessionsSwept: number
  /** What is no failure and should be looked at. */
  readonly notes: readonly string[]
  readonly durationMs: number
}

// ── pruning ───────────────────────────────────────────────────────────────────────────────────────────────
/** What keep rules are evaluated on (§11.1), for one recovery point. */
export interface RetentionPoint {
  readonly stem: string
  readonly series: string
  readonly snap: string
  readonly vm: string
  readonly origin: 'scheduled' | 'manual' | 'publish' | 'safety' | 'catalog'
  /** Unix ms: `createdMs`, kept within what the store's time of the manifest allows; of a mirrored point, its own. */
  readonly timeMs: number
  /** Retention class that its writer wrote down (§4.4); '' if none. */
  readonly retentionClass: string
  /** Why it may not be removed whatever a rule says; null if it may. */
  readonly guard: 'newest' | 'held' | 'locked' | 'parent of a live session' | null
  /** Unix ms until which the store keeps it (§11.5); null: it is not locked, or no longer. */
  readonly lockedUntilMs: number | null
}

export interface PruneOptions {
  /** Points to put a tombstone on. A guarded one is refused, one that has a tombstone is left as it is. */
  readonly remove: readonly { readonly stem: string; readonly policy?: string }[]
  readonly reason: 'retention' | 'operator'
  /** Who decided: a person or a plan. */
  readonly actor: string
  readonly dryRun?: boolean
  /** false: only the tombstones; what is abandoned or effectively removed is left for a later call. Default: true. */
  readonly tidy?: boolean
  /** The sweep is refused if it takes more than this share of the recovery points of a series. Default 0.5; 1: any. */
  readonly maxShare?: number
  /** A manifest that was never validated is abandoned so long after its session was over. Default 24 h. */
  readonly abandonAfterMs?: number
  readonly signal: AbortSignal
}

export interface PruneReport {
  readonly dryRun: boolean
  /** Points that got a tombstone, or would. Their data go with a later collection. */
  readonly tombstoned: readonly string[]
  readonly refused: readonly { readonly stem: string; readonly why: string }[]
  /** Manifests that were never validated, abandoned. */
  readonly abandoned: readonly string[]
  /** Tombstoned points whose manifest was removed, and whose tombstone was (§11.3). */
  readonly removed: number
  /** Tombstoned points whose manifest the store keeps until its retention is over. */
  readonly locked: number
  readonly forgotten: number
}

export interface HoldRequest {
  readonly stem: string
  readonly type: 'pin' | 'legal'
  readonly actor: string
  readonly reason: string
}

export interface HoldEntry {
  /** `hold/…` */
  readonly name: string
  readonly snap: string
  /** unknown: its content does not count; its name keeps the snapshot all the same. */
  readonly type: 'pin' | 'legal' | 'unknown'
  readonly actor: string
  readonly reason: string
  readonly ms: number | null
}

// ── the index ─────────────────────────────────────────────────────────────────────────────────────────────
export interface RebuildOptions {
  /** Reads what is missing and changes nothing. */
  readonly dryRun?: boolean
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number, what: string) => void
}

export interface RebuildReport {
  readonly dryRun: boolean
  readonly packs: number
  /** Packs that the index did not know, or not whole. */
  readonly missing: number
  /** Of these: indexed now (or would be), and among them those whose table is damaged and that were scanned. */
  readonly indexed: number
  readonly scanned: number
  readonly unreadable: number
  readonly blobs: number
  /** Segments. */
  readonly written: number
  readonly notes: readonly string[]
  readonly durationMs: number
}
