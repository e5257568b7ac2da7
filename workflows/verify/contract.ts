import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

/** `verify/<repository>`: a repository is verified by one run at a time. */
export function verifyWorkflowId(repositoryId: string): string {
  return `verify/${repositoryId}`
}
export const verifyWorkflow = 'verifyRepository'

/** quick: sizes, tables and references · data: every stored byte hashed · full: every chunk opened (rulings 14). */
export type VerifyLevel = 'quick' | 'data' | 'full'

export interface VerifyInput {
  readonly v: 1
  readonly repository: RepositoryRef
  readonly level: VerifyLevel
  /** Puts what is proved damaged into `bad/`, so that the next backup stores it again. Else nothing is written. */
  readonly quarantine: boolean
  /** Bytes of packs to read at most, those first whose last pass is oldest; null: all. */
  readonly budgetBytes: number | null
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface VerifyResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  /** unreadable: nothing is proved damaged, and some of it could not be read. */
  readonly verdict: 'sound' | 'damaged' | 'unreadable'
  readonly level: VerifyLevel
  readonly points: number
  readonly packs: number
  readonly packsResumed: number
  readonly bytes: number
  readonly damages: number
  readonly unreadable: number
  readonly quarantined: number
  readonly damagedPoints: number
  readonly unreadablePoints: number
  readonly mendedPoints: number
  readonly residue: readonly ResidueItem[]
}
