import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

/** `requestId`: 32 hex digits; names the session as well. */
export function filesWorkflowId(requestId: string): string {
  return `files/${requestId}`
}
export const filesWorkflow = 'fileRestore'

/** Ends the session; refused before the point is open, and once somebody has ended it. */
export const endFilesUpdate = 'endFiles'

export interface FilesInput {
  readonly v: 1
  /** Chosen by the caller; makes the request idempotent. */
  readonly requestId: string
  readonly repository: RepositoryRef
  readonly stem: string
  readonly vmId: string
  readonly vmName: string
  readonly site: string
  /** null: all that the point has. */
  readonly disks: readonly string[] | null
  /** `disks`: whole disks are taken as images, and no micro-VM is needed; default: `files`. */
  readonly view?: 'files' | 'disks'
  /** It ends by itself when nobody has asked for anything for so long. */
  readonly idleMs: number
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface FilesResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly end: 'idle' | 'asked'
  readonly openMs: number
  readonly residue: readonly ResidueItem[]
}
