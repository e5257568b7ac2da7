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
}

export interface MirrorResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  /** Made by this run, and found there. */
  readonly mirrored: number
  readonly there: number
  /** Removed in the target meanwhile, and left so. */
  readonly removed: number
  readonly bytesStored: number
  /** Content that was read back from the target. */
  readonly bytesVerified: number
  /** It goes on in a next part. */
  readonly more: boolean
  readonly residue: readonly ResidueItem[]
}
