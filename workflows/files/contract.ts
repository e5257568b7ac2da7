import type { RepositoryRef, Requester, ResidueItem, Tuning, VmTarget } from '../shared/contract.ts'

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

/** Files of a session into the guest that runs. */
export function restoreFilesWorkflowId(requestId: string): string {
  return `restore/files/${requestId}`
}
export const restoreFilesWorkflow = 'restoreFiles'

/**
 * Where they go. `beside`: to where they were, as `NAME.restored-YYYYMMDDThhmm` · `folder`: into this folder of the guest,
 * under their own names, which must be free · `replace`: in the place of what is there now; plain files and links only.
 */
export type FilesPlace =
  | { readonly kind: 'beside' }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'replace' }

export interface RestoreFilesInput {
  readonly v: 1
  readonly requestId: string
  /** Of the open point. */
  readonly session: string
  readonly volume: string
  readonly paths: readonly string[]
  readonly place: FilesPlace
  readonly vm: VmTarget
  readonly repository: RepositoryRef
  readonly stem: string
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface RestoredFiles {
  /** Where each of the paths is now, in the guest. */
  readonly made: readonly string[]
  readonly files: number
  readonly folders: number
  readonly links: number
  readonly bytes: number
  /** Files whose hash the guest has computed, and that is the one of the point. */
  readonly verified: number
  /** The first of what was left out, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
  readonly skippedCount: number
}
export interface RestoreFilesResult extends RestoredFiles {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly durationMs: number
  readonly residue: readonly ResidueItem[]
}
