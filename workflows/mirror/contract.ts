import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

/** `mirror/<source>/<target>`: one run at a time copies from one repository into another. */
export function mirrorWorkflowId(sourceId: string, targetId: string): string {
  return `mirror/${sourceId}/${targetId}`
}
export const mirrorWorkflow = 'mirrorRepository'

/** Which points: those that the catalog wants in the target by then, oldest first (`catalog.mirrors`). */
export interface MirrorInput {
  readonly v: 1
  readonly source: RepositoryRef
  readonly target: RepositoryRef
  readonly requestedBy: Requester
  readonly tuning: Tuning
  /** 0; a long run goes on in a next part, so that no history grows without end. */
  readonly part: number
  /** What the parts before came to; absent: there was none, or they said nothing of it. */
  readonly before?: MirrorTally
}

/** What a run has come to so far, in all of its parts. */
export interface MirrorTally {
  /** Made by this run, and found there. */
  readonly mirrored: number
  readonly there: number
  /** Removed in the target meanwhile, and left so. */
  readonly removed: number
  readonly bytesStored: number
  /** Content that was read back from the target. */
  readonly bytesVerified: number
  /** How many could not be copied, and the first of them. */
  readonly failed: number
  readonly firstFailures: readonly { readonly vmName: string; readonly problem: string }[]
}

export interface MirrorResult extends MirrorTally {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  /** It goes on in a next part. */
  readonly more: boolean
  readonly residue: readonly ResidueItem[]
}
