/**
 * Steps of retention. Lists of points are of any length, histories are not: what the site sees goes to the server's
 * store as blobs, and only their names travel.
 */
import type { RepositoryRef } from '../../workflows/shared/contract.ts'

export interface Survey {
  /** SHA-256 of each part, as the server's store names them. */
  readonly blobs: readonly string[]
  readonly points: number
  readonly series: number
  readonly held: number
  /** When it was made, by the store's clock: ages count back from it. */
  readonly atMs: number
}

export interface SweepBatchPoint {
  readonly stem: string
  readonly policy: string
}

export interface Refusal {
  readonly stem: string
  readonly why: string
}

export interface CollectionSummary {
  readonly outcome: 'collected' | 'nothing' | 'stopped' | 'dry-run'
  readonly roots: number
  readonly listed: Count
  readonly live: Count
  readonly condemned: Count
  readonly reprieved: Count
  readonly deleted: Count
  readonly copied: Count
  readonly waiting: Count
  readonly young: Count
  readonly unknown: Count
  readonly notes: readonly string[]
  readonly durationMs: number
}
interface Count {
  readonly packs: number
  readonly bytes: number
}

export interface RetentionActivities {
  /** Every recovery point as keep rules see it, who holds what, and what is tombstoned. `series`: points of this one only. */
  readonly surveyRetention: (of: { readonly repository: RepositoryRef; readonly series?: string }) => Promise<Survey>
  /**
   * Puts tombstones. Again: yes, one that has a tombstone is done. What the repository does not let go — the newest, a
   * held one, the parent of a live session — is refused, whatever the plan says.
   */
  readonly tombstonePoints: (batch: {
    readonly repository: RepositoryRef
    readonly points: readonly SweepBatchPoint[]
    readonly actor: string
  }) => Promise<{ readonly refused: readonly Refusal[] }>
  /** Removes what is effectively tombstoned, and abandons manifests that nobody will validate any more. */
  readonly tidyRepository: (of: {
    readonly repository: RepositoryRef
    readonly actor: string
  }) => Promise<{ readonly abandoned: number; readonly removed: number; readonly forgotten: number }>
  /** One collection from its beginning in every attempt: nothing that is stored may go on for an earlier one (format §9.5). */
  readonly collectGarbage: (of: {
    readonly repository: RepositoryRef
    /** Blob of the snapshots that the catalog believes in; null: none. */
    readonly known: string | null
    readonly waits: 'usual' | 'none'
  }) => Promise<CollectionSummary>
  readonly holdPoint: (of: {
    readonly repository: RepositoryRef
    readonly stem: string
    readonly type: 'pin' | 'legal'
    readonly actor: string
    readonly reason: string
  }) => Promise<{ readonly hold: string }>
  readonly releaseHolds: (of: {
    readonly repository: RepositoryRef
    readonly holds: readonly string[]
  }) => Promise<void>
  /**
   * Several points of one repository, for a run. again: yes, what this actor holds already stays held. One that is going, or
   * all of them where access is read-only, are refused; nothing else is.
   */
  readonly holdPoints: (of: {
    readonly repository: RepositoryRef
    readonly stems: readonly string[]
    readonly type: 'pin'
    readonly actor: string
    readonly reason: string
  }) => Promise<{
    readonly held: readonly { readonly stem: string; readonly hold: string }[]
    readonly refused: readonly Refusal[]
  }>
  /** All holds of this actor, also those whose answer was lost. again: yes. */
  readonly releaseHoldsBy: (of: {
    readonly repository: RepositoryRef
    readonly actor: string
  }) => Promise<{ readonly released: readonly string[] }>
  /** One tombstone. Throws RetentionRefused with the reason where a guard of the repository keeps the point. */
  readonly removePoint: (of: {
    readonly repository: RepositoryRef
    readonly stem: string
    readonly actor: string
  }) => Promise<void>
}

export interface SweepPlanInput {
  readonly workflowId: string
  readonly runId: string
  readonly repositoryId: string
  readonly survey: Survey
  readonly maxShare: number
  readonly dryRun: boolean
  /** Whether a person has to agree; absent: a workflow of before 24 November 2026 does not say. */
  readonly approvalRequired?: boolean
}

export interface SweepPlan {
  /** Of exactly these points going. */
  readonly digest: string
  readonly points: number
  readonly series: number
  readonly going: number
  readonly asking: number
  readonly orphans: number
  /** The series that would lose most of those that ask, for the sentence that asks. */
  readonly worst: { readonly vm: string; readonly going: number; readonly points: number } | null
}

export interface RetentionRecordActivities {
  /** Plans by the policies that hold now, and stores the plan. The same plan again for the same run. */
  readonly planSweep: (of: SweepPlanInput) => Promise<SweepPlan>
  /**
   * Looks again after a wait: what a rule or a person keeps meanwhile is spared; nothing is added. Where nobody has
   * approved, a series that would by now lose more than its share is spared as well.
   */
  readonly confirmSweep: (
    of: Omit<SweepPlanInput, 'workflowId' | 'dryRun' | 'approvalRequired'> & { readonly isApproved: boolean },
  ) => Promise<{
    readonly going: number
    readonly spared: number
  }>
  /**
   * Throws RetentionRefused where a rule or a guard keeps the point by the policies that hold now; `survey`: of its series.
   * Counts of its own and the want of a policy keep no point that a person removes.
   */
  readonly judgePoint: (of: {
    readonly repositoryId: string
    readonly stem: string
    readonly survey: Survey
  }) => Promise<void>
  readonly recordSweepState: (of: {
    readonly runId: string
    readonly state: 'waiting' | 'removing' | 'collecting' | 'completed' | 'declined' | 'cancelled' | 'failed'
    readonly waits?: { readonly for: 'approval' | 'grace'; readonly untilMs: number }
    readonly approval?: { readonly user: string; readonly reason: string; readonly ms: number }
    readonly endedMs?: number
  }) => Promise<void>
  /**
   * Writes down what became of a batch, and gives the next one; empty at the end. What is kept by now is spared before it
   * is given out; `spared`: how many, by this call.
   */
  readonly nextSweepBatch: (of: {
    readonly runId: string
    readonly repositoryId: string
    readonly done: { readonly points: readonly SweepBatchPoint[]; readonly refused: readonly Refusal[] } | null
    readonly by: string
    readonly atMs: number
  }) => Promise<{ readonly points: readonly SweepBatchPoint[]; readonly spared: number }>
  /** Whether a collection is worth it, and what it has to find. */
  readonly prepareCollection: (of: {
    readonly repositoryId: string
    readonly want: 'auto' | 'always'
    readonly atMs: number
  }) => Promise<{ readonly why: string | null; readonly known: string | null }>
  readonly recordCollection: (of: {
    readonly runId: string
    readonly repositoryId: string
    readonly startedMs: number
    readonly endedMs: number
    readonly why: string
    readonly known: string | null
    readonly summary: CollectionSummary
  }) => Promise<void>
  readonly recordHold: (of: {
    readonly repositoryId: string
    readonly stem: string
    readonly hold: string
    readonly type: 'pin' | 'legal'
    readonly actor: string
    readonly reason: string
    readonly atMs: number
  }) => Promise<void>
  readonly recordHolds: (of: {
    readonly repositoryId: string
    readonly held: readonly { readonly stem: string; readonly hold: string }[]
    readonly type: 'pin'
    readonly actor: string
    readonly reason: string
    readonly atMs: number
  }) => Promise<void>
  readonly recordRelease: (of: { readonly holds: readonly string[] }) => Promise<void>
  readonly recordRemoval: (of: {
    readonly repositoryId: string
    readonly stem: string
    readonly by: string
    readonly why: string
    readonly atMs: number
  }) => Promise<void>
}
