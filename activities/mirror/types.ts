/**
 * Steps of a mirror run: which copies are wanted is in the catalog, the copying is one step per point, and what came of each
 * is written down before the next ones are taken.
 */
import type { CopyOutcome, WantedCopy } from '../../catalog/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'

export type { CopyOutcome, WantedCopy } from '../../catalog/index.ts'

export interface MirrorActivities {
  /**
   * Publishes one point in the target under its keys, and reads back what it changed there (format §13). Again: yes; goes
   * on by the journals of the target, and a superseded attempt is refused at its commit. A point that its source has lost,
   * or that the target does not take, is an outcome; a store that is away, a cancel and mistakes end it.
   */
  readonly mirrorPoint: (of: {
    readonly source: RepositoryRef
    readonly target: RepositoryRef
    readonly copy: WantedCopy
  }) => Promise<CopyOutcome>
}

export interface MirrorRecordActivities {
  /**
   * Writes down what came of the last ones and takes the next in hand. Idempotent: what a run has in hand and has not told
   * of comes again.
   */
  readonly nextCopies: (of: {
    readonly runId: string
    readonly sourceId: string
    readonly targetId: string
    readonly done: readonly CopyOutcome[]
    readonly atMs: number
    /** False: only write down. */
    readonly wants: boolean
  }) => Promise<{ readonly copies: readonly WantedCopy[] }>
  /** What the run still has in hand is given back; `problem`: why, null: it was cancelled. */
  readonly releaseCopies: (of: {
    readonly runId: string
    readonly sourceId: string
    readonly targetId: string
    readonly problem: string | null
    readonly atMs: number
  }) => Promise<void>
}
