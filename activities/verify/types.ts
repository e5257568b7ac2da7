/**
 * Steps of a verify. What was found may be any number of damages and points, histories are not: the findings go to the
 * server's store as blobs, and only their names and counts travel.
 */
import type { SerializedError } from '../../base/index.ts'
import type { ReadCoverage } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import type { VerifyLevel } from '../../workflows/verify/contract.ts'

export interface CheckSummary {
  /** Findings and checked points, as the server's store names them. */
  readonly blobs: readonly string[]
  readonly points: number
  readonly packs: number
  /** Of the packs: judged by an attempt that was cut off, and not read again. */
  readonly packsResumed: number
  /** By the last attempt. */
  readonly chunks: number
  readonly bytes: number
  /** Objects that are proved damaged, or proved gone. */
  readonly damages: number
  /** Objects that could not be read now: nobody knows what they are. */
  readonly unreadable: number
  readonly quarantined: number
  /** The first few; `notesLeft` more were made. */
  readonly notes: readonly string[]
  readonly notesLeft: number
  /** How far reading has come; of a quick verify, and of workers that did not count it: none. */
  readonly coverage?: ReadCoverage | null
}

export interface VerifyActivities {
  /** Opens the repository and tells the time by the worker's clock, by which packs that are judged from now on are known. */
  readonly beginVerify: (of: {
    readonly repository: RepositoryRef
  }) => Promise<{ readonly atMs: number; readonly points: number }>
  /**
   * One verify (format §12.1). Again: yes; packs that were judged since `sinceMs` by this worker's ledger are not read
   * again. Damage is a result; only a store that is away, a cancel and mistakes end it.
   */
  readonly checkRepository: (of: {
    readonly repository: RepositoryRef
    readonly level: VerifyLevel
    readonly quarantine: boolean
    /** Bytes of packs to read at most; null: all. */
    readonly budgetBytes: number | null
    readonly sinceMs: number
  }) => Promise<CheckSummary>
}

export interface VerifyRecordActivities {
  readonly recordVerifyStarted: (of: {
    readonly workflowId: string
    readonly runId: string
    readonly repositoryId: string
    readonly level: VerifyLevel
    readonly quarantine: boolean
    readonly budgetBytes: number | null
    readonly startedMs: number
  }) => Promise<void>
  /**
   * Writes the findings down, takes the validation of damaged points back, and notes what is verified now. What could not
   * be read changes no point. Again: yes.
   */
  readonly recordFindings: (of: {
    readonly runId: string
    readonly summary: CheckSummary
    readonly atMs: number
  }) => Promise<{ readonly damagedPoints: number; readonly unreadablePoints: number; readonly mendedPoints: number }>
  /** Of a run that did not come to its end: what it could not read is unknown, neither damaged nor sound. */
  readonly recordVerifyEnd: (of: {
    readonly runId: string
    readonly state: 'cancelled' | 'failed'
    readonly error: SerializedError | null
    readonly atMs: number
  }) => Promise<void>
}
