/**
 * The steps of a backup as the workflow calls them. Arguments and results are small plain JSON: references instead of
 * secrets, counts instead of chunk lists. Each step may be called again with the same arguments after any crash.
 */
import type { AtRest } from '../../catalog/types.ts'
import type {
  ChangeRef,
  Consistency,
  DiskKey,
  DiskRef,
  Endpoint,
  Finding,
  GuestHook,
  MustFullReason,
  PointId,
  PointInTime,
  PointRequest,
  PowerState,
  Residue,
  TrackerId,
  VmRef,
} from '../../drivers/values.ts'
import type { ChangeFigures, DiskSelection } from '../../policy/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import type { SharedLimit } from '../shared/bandwidth.ts'

/** Every call names the VM, where it is, and the point: the key under which all remote objects of a round are found. */
export interface RoundRef {
  readonly endpoint: Endpoint
  readonly vm: VmRef
  readonly pointId: PointId
}

export interface PreflightInput extends RoundRef {
  readonly repository: RepositoryRef
  readonly mode: 'auto' | 'full'
  readonly want: Consistency
  readonly onQuiesceFailure: 'degrade' | 'fail'
  readonly freezeLimitMs: number
  /** Ids of points that were found damaged: if the newest one is, the next is full. */
  readonly damaged: readonly string[]
  /** Absent: every disk but those whose label says [NOBAK]. */
  readonly selection?: DiskSelection
  readonly hooks?: readonly GuestHook[]
  /** The VM is to be shut down for its point: refused where it runs and the hypervisor cannot do that. */
  readonly stopBefore?: boolean
  /** The installation, by id or name, whose marks on the VM and in the repository give way. */
  readonly takeOverFrom?: string
  /** `lastFulls` null: what was read in full when could not be looked up, so nothing is forced. */
  readonly fullInterval?: {
    readonly everyMs: number
    readonly lastFulls: readonly { readonly disk: string; readonly createdMs: number }[] | null
  }
}
export interface PlannedDisk {
  readonly disk: DiskRef
  readonly since: ChangeRef | null
  readonly full: MustFullReason | null
  /** What the driver expects now; `openPoint` has the last word. */
  readonly mode: 'full' | 'incremental'
  readonly why: MustFullReason | null
}
export interface PreflightResult {
  readonly series: string
  readonly tracker: TrackerId
  /** Newest recovery point of the series, named by the change references. */
  readonly parent: { readonly stem: string; readonly pointId: PointId; readonly createdMs: number } | null
  /** Of the point to be: how many of the VM came before it. It moves the audit's cursor on. */
  readonly ordinal: number
  readonly disks: readonly PlannedDisk[]
  readonly skipped: readonly { readonly disk: DiskKey; readonly label: string; readonly why: string }[]
  readonly warnings: readonly Finding[]
  readonly tags: readonly string[]
  readonly hypervisor: { readonly platform: string; readonly version: string; readonly host: string }
}

export interface OpenPointInput extends RoundRef {
  readonly request: PointRequest
}

export interface PartRange {
  /** From 1. */
  readonly part: number
  readonly disk: DiskKey
  /** 1 GiB pages (repository format §7.1). */
  readonly firstPage: number
  readonly nPages: number
}
export interface OpenSessionInput {
  readonly repository: RepositoryRef
  readonly session: string
  readonly series: string
  readonly parentStem: string | null
  readonly point: PointInTime
  readonly parts: readonly PartRange[]
}

export interface AuditInput extends RoundRef {
  readonly repository: RepositoryRef
  readonly point: PointInTime
  readonly parentStem: string
  readonly ordinal: number
  readonly disks: readonly DiskKey[]
}
export interface AuditResult {
  readonly checkedChunks: number
  readonly mismatched: readonly { readonly disk: DiskKey; readonly offset: number }[]
}

export interface CopyDiskInput extends RoundRef {
  readonly repository: RepositoryRef
  readonly session: string
  readonly point: PointInTime
  readonly range: PartRange
  /** Writer attempts of this start are `attemptBase + activity attempt`: higher than those of every earlier start. */
  readonly attemptBase: number
  /** 'full' reads everything even if the point is incremental (after a failed audit). */
  readonly mode: 'full' | 'incremental'
  readonly compressionLevel: number
  readonly journalSourceBytes: number | null
  readonly stallTimeoutMs: number
  /** That it shares with others; absent: none. */
  readonly limits?: readonly SharedLimit[]
}
export interface CopyDiskResult {
  readonly part: number
  readonly attempt: number
  readonly disk: DiskKey
  readonly readBytes: number
  readonly newBytes: number
  readonly bytesResumed: number
  /** Source bytes that had been read before by an attempt that was killed, and were read once more; null: unknown. */
  readonly bytesReadAgain: number | null
  readonly chunksNew: number
  readonly chunksReused: number
  readonly chunksZero: number
}

export type { AtRest } from '../../catalog/types.ts'

export interface CommitInput extends RoundRef {
  readonly repository: RepositoryRef
  readonly session: string
  readonly point: PointInTime
  readonly results: readonly { readonly part: number; readonly attempt: number }[]
  readonly disks: readonly { readonly id: DiskKey; readonly mode: 'full' | 'incremental'; readonly why: string }[]
  /** Commit attempts of this start are `attemptBase + activity attempt`, like those of a copy. */
  readonly attemptBase: number
  readonly ordinal: number
  readonly atRest: AtRest | null
  readonly origin: 'manual' | 'scheduled' | 'publish' | 'safety'
  readonly name: string | null
  readonly description: string | null
  readonly startedMs: number
  readonly run: string
  readonly tags: readonly string[]
  /** Category of the VM. */
  readonly retentionClass?: string
  readonly hypervisor: PreflightResult['hypervisor']
}
export interface CommittedPoint {
  readonly stem: string
  readonly validatedMs: number
  readonly createdMs: number
  readonly rescued: number
  readonly manifestBytes: number
  /** Until when its store keeps it, 0: it is not locked; absent: not known (and in histories of older versions). */
  readonly lockUntilMs?: number
}

export interface ReleaseResult {
  /** References that only the commit could name; losing them costs a full. */
  readonly refs: readonly { readonly disk: DiskKey; readonly ref: ChangeRef }[]
  readonly residue: readonly Residue[]
}

export interface StartedAgain {
  /** As it was found: `running` if somebody else had started it, or it never went down. */
  readonly before: PowerState
  readonly after: PowerState
}

/** As the repository measures it, with the point that was compared with. */
export interface PointChange extends ChangeFigures {
  readonly beforeSnap: string
  readonly beforeMs: number
}

export interface BackupActivities {
  /** Looks at VM, hypervisor and repository, and reports every problem at once. Claims the VM and switches change
   *  tracking on where that is a setting. */
  readonly preflight: (input: PreflightInput) => Promise<PreflightResult>
  /** Asks the guest to shut down, and waits for it; GuestRefused after `limitMs`, the plug is never pulled. */
  readonly shutDown: (input: RoundRef & { readonly limitMs: number }) => Promise<{ readonly after: PowerState }>
  /** Lets the VM run, also while its point is open. `watchMs` > 0: the guest was asked to shut down and may still be at
   *  it; it is watched for so long, and started when it goes down meanwhile. */
  readonly startAgain: (input: RoundRef & { readonly watchMs: number }) => Promise<StartedAgain>
  /** Freeze, snapshot, thaw: one short critical section. */
  readonly openPoint: (input: OpenPointInput) => Promise<PointInTime>
  readonly openSession: (input: OpenSessionInput) => Promise<void>
  /** Compares chunks outside the changed set with the parent's (drivers §5.3). */
  readonly auditTracker: (input: AuditInput) => Promise<AuditResult>
  readonly copyDisk: (input: CopyDiskInput) => Promise<CopyDiskResult>
  /** PointBroken if the point did not stay whole until the last byte was read. */
  readonly checkPoint: (input: RoundRef & { readonly point: PointInTime }) => Promise<void>
  /** Exports the configuration, publishes the manifest, checks it against garbage collection, validates. */
  readonly commitBackup: (input: CommitInput) => Promise<CommittedPoint>
  /** Whether the point became a recovery point after all; asked when a commit ended without an answer. null: proved
   *  absent. An unreadable repository is an error, never null. */
  readonly findCommitted: (input: {
    readonly repository: RepositoryRef
    readonly series: string
    readonly pointId: PointId
  }) => Promise<CommittedPoint | null>
  /** The driver's `commitPoint`: only after the repository has validated the point. */
  readonly releasePoint: (
    input: RoundRef & { readonly point: PointInTime; readonly stored: readonly DiskKey[] },
  ) => Promise<ReleaseResult>
  readonly endSession: (input: {
    readonly repository: RepositoryRef
    readonly session: string
    readonly outcome: 'committed' | 'failed'
  }) => Promise<void>
  /** Reads random chunks of the new point back through every check. */
  readonly spotCheck: (input: {
    readonly repository: RepositoryRef
    readonly stem: string
    readonly chunks: number
  }) => Promise<{ readonly chunks: number; readonly bytes: number }>
  /** What changed since the recovery point before it; null: it is the first. */
  readonly comparePoint: (input: {
    readonly repository: RepositoryRef
    readonly stem: string
  }) => Promise<PointChange | null>
  /** Compensation: no guest stays frozen or paused. */
  readonly ensureRunning: (input: RoundRef) => Promise<{ readonly wasFrozen: boolean; readonly wasPaused: boolean }>
  /** Compensation: undoes a round at any stage. */
  readonly abortPoint: (
    input: RoundRef & { readonly point: PointInTime | null },
  ) => Promise<{ readonly residue: readonly Residue[] }>
}
