/**
 * What the control plane writes down about runs, points and proofs. All are idempotent: a run by its workflow and run
 * id, a point by its repository and stem, a proof by its run.
 */
import type { RunKind } from '../../catalog/types.ts'
import type { SerializedError } from '../../base/index.ts'
import type { ChangeRef, Consistency, DiskKey } from '../../drivers/values.ts'
import type { AtRest, PointChange } from '../backup/types.ts'
import type { BootReads } from '../instant/types.ts'
import type { BackupDiskResult } from '../../workflows/backup/contract.ts'
import type { RestorePlan } from '../restore/types.ts'
import type { DrillCheck, DrillResult } from '../../workflows/drill/contract.ts'
import type { Requester, ResidueItem } from '../../workflows/shared/contract.ts'

export interface RunRef {
  readonly workflowId: string
  readonly runId: string
}

export interface RunStarted extends RunRef {
  readonly kind: RunKind
  readonly vmId: string | null
  /** What the title names: of a run that is about a repository or a plan, that one's name. */
  readonly vmName: string
  /** null: none, or several. */
  readonly repositoryId: string | null
  /** Of the point that is restored or drilled; null for a backup. */
  readonly stem: string | null
  readonly site: string
  readonly startedMs: number
  readonly requestedBy: Requester
}

export interface PointRecord extends RunRef {
  readonly vmId: string
  readonly repositoryId: string
  readonly stem: string
  readonly pointId: string
  readonly series: string
  readonly parentPointId: string | null
  readonly createdMs: number
  readonly validatedMs: number
  readonly origin: 'manual' | 'scheduled' | 'publish' | 'safety'
  readonly name: string | null
  readonly description: string | null
  readonly plan: string | null
  readonly consistency: Consistency
  readonly freezeDurationMs: number | null
  readonly atRest: AtRest | null
  readonly disks: readonly BackupDiskResult[]
  readonly manifestBytes: number
  readonly lockUntilMs?: number
  readonly refs: readonly { readonly disk: DiskKey; readonly ref: ChangeRef }[]
}

export interface DamageRecord extends RunRef {
  readonly pointId: string
  readonly foundMs: number
  readonly error: SerializedError
}

/** What changed since the point before it, as the repository says it. */
export interface ChangeRecord {
  readonly pointId: string
  /** null: it is the first point of the VM there, or `problem` says why it could not be compared. */
  readonly change: PointChange | null
  readonly problem: string | null
}

/** What is optional is absent in runs of earlier versions. */
export interface ProofRecord extends RunRef {
  readonly vmId: string
  readonly repositoryId: string
  readonly stem: string
  readonly startedMs: number
  readonly endedMs: number
  readonly result: DrillResult
  readonly requestedBy?: Requester
  /** Where it was booted. */
  readonly hypervisor?: { readonly id: string; readonly platform: string }
  /** As the point has them; empty where the restore did not come to its end. */
  readonly disks?: RestorePlan['disks']
  /** In the order of the checks of the result. */
  readonly asked?: readonly DrillCheck[]
  /** Absent: from disks that were restored. */
  readonly bootedFrom?: 'repository'
  /** What its boot has read; null: nobody has seen it. */
  readonly boot?: BootReads | null
  /** SHA-256 of each output as a whole, in the same order. */
  readonly outputs?: readonly { readonly out: string | null; readonly err: string | null }[]
}

export interface RunFinished extends RunRef {
  /** Once more, for a catalog that was away when the run began. */
  readonly started: Omit<RunStarted, keyof RunRef>
  readonly outcome: 'completed' | 'completed-with-residue' | 'failed' | 'cancelled'
  readonly finishedMs: number
  readonly error: SerializedError | null
  readonly residue: readonly ResidueItem[]
  /** One sentence about what came out, for lists. */
  readonly summary: string
  /** What whoever looks at it has to know, however it ended; absent: nothing. */
  readonly attention?: string
  readonly bytesRead: number
  readonly bytesStored: number
  /** The point that came out, and how many of its chunks were read back. */
  readonly made: { readonly pointId: string; readonly spotCheckedChunks: number } | null
}

export interface RecordActivities {
  readonly recordRunStarted: (run: RunStarted) => Promise<void>
  readonly recordPoint: (point: PointRecord) => Promise<void>
  /** A validated point that could not be read back is no recovery point any more. */
  readonly recordDamage: (damage: DamageRecord) => Promise<void>
  /** Points of the VM in the repository that must not become a parent, and when each disk was last read in full (absent
   *  in histories of older versions). */
  readonly knownDamage: (of: { readonly vmId: string; readonly repositoryId: string }) => Promise<{
    readonly points: readonly string[]
    readonly fulls?: readonly { readonly disk: string; readonly createdMs: number }[]
  }>
  /** Judged against what the VM usually does. */
  readonly recordChange: (change: ChangeRecord) => Promise<{
    readonly isSuspicious: boolean
    readonly score: number
  }>
  readonly recordProof: (proof: ProofRecord) => Promise<void>
  readonly recordRunFinished: (run: RunFinished) => Promise<void>
}
