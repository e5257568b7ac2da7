/**
 * The steps of replication. The source is read through a point of its own tracker, so that backups and replication know
 * nothing of each other; a standby is found by its operation, which is the id of the pair.
 */
import type { ErrorNote, ReplicatedState } from '../../catalog/index.ts'
import type {
  Consistency,
  DiskKey,
  Endpoint,
  PointId,
  PointInTime,
  PowerState,
  Residue,
  TrackerId,
  VmRef,
} from '../../drivers/values.ts'
import type { StandbyView, TargetVm } from '../../drivers/facets.ts'
import type { ReplicationAct, ReplicationState } from '../../policy/index.ts'
import type { RoundRef } from '../backup/types.ts'

export type { ReplicatedState }

/** A standby: where it is, and the pair that it belongs to. */
export interface StandbyAt {
  readonly endpoint: Endpoint
  readonly operation: string
}
/** What is written, and where: a state of a standby, or the volumes of a VM that gets its guest back. */
export type Sink =
  | (StandbyAt & {
      readonly kind: 'standby'
      readonly name: string
      /** Network of the source → network of the standby; one that is not named stays itself. */
      readonly networks?: { readonly [from: string]: string | null }
    })
  | (StandbyAt & { readonly kind: 'original'; readonly vm: VmRef; readonly target: TargetVm | null })

export interface OpenSourceInput extends RoundRef {
  readonly tracker: TrackerId
  readonly want: Consistency
  readonly freezeLimitMs: number
  readonly sink: Sink
  /** Nothing may build on what is there. */
  readonly full: boolean
  /** Of the last round of this tracker, for a sink that keeps no record of it. */
  readonly since: PointInTime | null
}

export interface ReplicateDiskInput {
  readonly source: RoundRef
  readonly point: PointInTime
  readonly disk: DiskKey
  readonly sink: Sink
  readonly stallTimeoutMs: number
  /** Nobody runs until it is there: no bandwidth limit holds it up. */
  readonly isDown?: boolean
}
export interface ReplicateDiskResult {
  readonly disk: DiskKey
  readonly writtenBytes: number
  readonly bytesResumed: number
}

export interface ReplicationActivities {
  /** What the standby is now; null: there is none. */
  readonly inspectStandby: (of: StandbyAt) => Promise<StandbyView | null>
  /** Freeze, snapshot, thaw; incremental where what the sink holds is known and short enough, else full. */
  readonly openSource: (input: OpenSourceInput) => Promise<PointInTime>
  /** Makes the volumes of the state that this point is; of an original, the target. */
  readonly beginState: (input: {
    readonly source: RoundRef
    readonly point: PointInTime
    readonly sink: Sink
  }) => Promise<Sink>
  readonly replicateDisk: (input: ReplicateDiskInput) => Promise<ReplicateDiskResult>
  /** The state is whole: the standby can be taken over in it from now on. */
  readonly publishState: (input: {
    readonly standby: StandbyAt
    readonly point: PointInTime
  }) => Promise<ReplicatedState>
  readonly takeOver: (input: StandbyAt & { readonly takeover: PointId }) => Promise<VmRef>
  /** Compensation: the standby follows again. */
  readonly withdrawTakeover: (input: StandbyAt & { readonly takeover: PointId }) => Promise<void>
  /** The VM that had taken over follows again, in this state; null: it was given other disks, and follows without any. */
  readonly adoptStandby: (
    input: StandbyAt & { readonly state: PointId; readonly atMs: number },
  ) => Promise<ReplicatedState | null>
  readonly releaseStandby: (input: StandbyAt) => Promise<void>
  readonly removeStandby: (input: StandbyAt) => Promise<{ readonly residue: readonly Residue[] }>
  /** Boots a copy of the head where it reaches nothing, and waits for its guest to answer. */
  readonly testStandby: (
    input: StandbyAt & { readonly test: string; readonly name: string; readonly limitMs: number },
  ) => Promise<{ readonly answered: boolean; readonly bootMs: number }>
  /** Compensation and end of a test. */
  readonly endStandbyTest: (
    input: StandbyAt & { readonly test: string },
  ) => Promise<{ readonly residue: readonly Residue[] }>
  /** A source that runs is switched off, whatever its guest says. */
  readonly fenceSource: (input: {
    readonly endpoint: Endpoint
    readonly vm: VmRef
  }) => Promise<{ readonly before: PowerState; readonly after: PowerState }>
}

export interface ReplicationRecordActivities {
  /** The run acts on the pair from now on. */
  readonly beginReplication: (of: {
    readonly id: string
    readonly act: ReplicationAct
    readonly runId: string
    readonly atMs: number
    /** It takes the place of a cycle that is under way; else Busy until that is over. Absent: a failover does. */
    readonly aside?: boolean
  }) => Promise<{
    readonly state: ReplicationState
    /** Before it. */
    readonly was: ReplicationState
    readonly headMs: number | null
    readonly standby: VmRef | null
  }>
  readonly recordState: (of: {
    readonly id: string
    readonly runId: string
    readonly made: ReplicatedState
    readonly bytes: number
    readonly durationMs: number
    readonly atMs: number
  }) => Promise<void>
  readonly endReplication: (of: {
    readonly id: string
    readonly runId: string
    /** null: as it is written down. */
    readonly state: ReplicationState | null
    readonly error: ErrorNote | null
    readonly atMs: number
    readonly change: {
      readonly fence?: 'off' | 'unreachable'
      readonly movedMs?: number
      readonly lostMs?: number
      readonly standby?: VmRef
    }
    readonly head: ReplicatedState | null
  }) => Promise<void>
  readonly recordStandbyTest: (of: {
    readonly id: string
    readonly outcome: 'answered' | 'silent' | 'failed'
    readonly atMs: number
  }) => Promise<void>
  readonly forgetReplication: (of: { readonly id: string }) => Promise<void>
}
