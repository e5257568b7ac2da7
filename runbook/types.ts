import type { SerializedError } from '../base/index.ts'
import type { DrillResult } from '../workflows/drill/contract.ts'
import type { RunKind } from './kinds.ts'

/** Six phases of a backup; restore and drill use those that apply, plus their own. */
export type Phase =
  | 'prepare'
  | 'quiesce'
  | 'copy'
  | 'commit'
  | 'verify'
  | 'restore'
  | 'boot'
  | 'prove'
  | 'look'
  | 'backups'
  | 'tiers'
  | 'survey'
  | 'approve'
  | 'remove'
  | 'collect'
  | 'cleanup'

export type StepState =
  | 'scheduled'
  | 'waiting-for-worker'
  | 'running'
  | 'retrying'
  | 'stalled'
  | 'paused'
  | 'waiting-for-approval'
  | 'done'
  | 'skipped'
  | 'failed'
  | 'compensating'
  | 'compensated'
  | 'cancelled'
  | 'residue'

export type RunState =
  | 'running'
  | 'paused'
  | 'waiting'
  | 'completed'
  | 'completed-with-residue'
  | 'failed'
  | 'cancelled'
  | 'terminated'

export type DrillVerdict = DrillResult['verdict']

export type { RunKind } from './kinds.ts'

/** What an operator can do about a step or run. `command` is the same act on the command line. */
export interface NextAction {
  readonly id:
    | 'approve'
    | 'step-done'
    | 'choose'
    | 'pause'
    | 'resume'
    | 'cancel'
    | 'retry'
    | 'retry-now'
    | 'start-again'
    | 'open-docs'
    | 'start-worker'
    | 'free-space'
    | 'restore'
    | 'drill'
  readonly label: string
  readonly explanation: string
  readonly command: string | null
  readonly who: 'viewer' | 'operator' | 'restorer' | 'admin'
  readonly primary: boolean
}

export interface StepProgress {
  readonly bytesDone: number
  readonly bytesTotal: number
  readonly bytesRead: number
  readonly bytesStored: number
  readonly bytesResumed: number
  readonly durableOffset: number
  /** Bytes per second over the last reports; null before the second one. */
  readonly rate: number | null
  readonly secondsLeft: number | null
  readonly bottleneck: 'source' | 'mover' | 'repository' | 'target' | null
  /** Unix ms of the newest heartbeat. */
  readonly seenMs: number
}

export interface StepAttempt {
  readonly attempt: number
  readonly startedMs: number | null
  readonly endedMs: number | null
  readonly worker: string | null
  readonly error: SerializedError | null
  /** `resumed at 11.8 GiB; 24 MiB were read again`, or `; how much was read again is unknown`. */
  readonly note: string | null
}

export interface Step {
  /** Permalink inside the run: `#step-<id>`; the activity id. */
  readonly id: string
  readonly title: string
  /** One line for people: what it found or did. */
  readonly detail: string | null
  readonly phase: Phase
  readonly state: StepState
  readonly startedMs: number | null
  readonly endedMs: number | null
  readonly attempt: number
  readonly maxAttempts: number | null
  readonly nextAttemptMs: number | null
  readonly worker: string | null
  readonly queue: string | null
  readonly progress: StepProgress | null
  readonly attempts: readonly StepAttempt[]
  readonly error: SerializedError | null
  readonly compensates: string | null
  readonly input: unknown
  readonly result: unknown
  /** Ids of history events, for the raw view. */
  readonly events: readonly number[]
  readonly actions: readonly NextAction[]
  readonly quiet: boolean
}

export interface PhaseView {
  readonly phase: Phase
  readonly title: string
  readonly state: StepState
  readonly summary: string
  readonly startedMs: number | null
  readonly endedMs: number | null
  readonly steps: readonly Step[]
}

/** A pause, a resume, a cancel request: rows with user, time and reason. */
export interface OperatorNote {
  readonly ms: number
  readonly what: string
  readonly who: string | null
  readonly reason: string | null
}

export interface ResidueRow {
  readonly kind: string
  readonly id: string
  readonly error: string
  readonly hint: string
}

export interface Runbook {
  readonly v: 1
  readonly workflowId: string
  readonly runId: string
  readonly kind: RunKind
  readonly title: string
  /** The sentence below the title. */
  readonly sentence: string
  readonly state: RunState
  /** What a drill that has ended found out: its run is `completed` whatever that was. Null of all other runs. */
  readonly verdict: DrillVerdict | null
  readonly startedMs: number
  readonly endedMs: number | null
  readonly resumedTimes: number
  readonly progress: StepProgress | null
  readonly phases: readonly PhaseView[]
  readonly notes: readonly OperatorNote[]
  readonly error: SerializedError | null
  readonly residue: readonly ResidueRow[]
  readonly actions: readonly NextAction[]
  readonly eventCount: number
  readonly facts: RunFacts
}

/** What the history does not know; gathered by the caller (catalog, task-queue descriptions), plain JSON (rulings 1). */
export interface RunFacts {
  readonly vmName: string | null
  readonly repositoryName: string | null
  readonly platform: string | null
  /** Status word of the driver's evidence. */
  readonly driverEvidence: string | null
  /** Per queue: last poll of any worker, or null if none is known. */
  readonly pollers: { readonly [queue: string]: { readonly count: number; readonly lastSeenMs: number | null } }
  readonly nowMs: number
}

/**
 * A history in canonical protobuf JSON (`historyToJSON` of `@temporalio/common/lib/proto-utils.js`): what Temporal tells,
 * what the archive keeps and what the replay corpus holds. Payload `data` is base64.
 */
export interface RunHistory {
  readonly events: readonly {
    readonly eventId: string
    /** RFC 3339 */
    readonly eventTime: string
    /** `EVENT_TYPE_ACTIVITY_TASK_SCHEDULED`… */
    readonly eventType: string
    readonly [attributes: string]: unknown
  }[]
}

/** What `describe` knows of an activity that has not ended: its start and heartbeats are not in the history yet. */
export interface PendingStep {
  readonly activityId: string
  readonly activityType: string
  readonly state: 'scheduled' | 'started' | 'cancel-requested' | 'paused'
  readonly attempt: number
  /** 0: unlimited. */
  readonly maximumAttempts: number
  readonly scheduledMs: number | null
  readonly startedMs: number | null
  readonly nextAttemptMs: number | null
  readonly heartbeatMs: number | null
  /** First value of the newest heartbeat, decoded; null if there was none. */
  readonly heartbeat: unknown
  readonly worker: string | null
  /** Failure of the attempt before, in protobuf JSON (`temporal.api.failure.v1.Failure`). */
  readonly lastFailure: unknown
}
