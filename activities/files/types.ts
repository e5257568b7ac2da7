/** The steps of a file restore: a micro-VM of the site's machine has a point open until nobody asks any more. */
import type { RepositoryRef } from '../../workflows/shared/contract.ts'

export interface OpenFiles {
  /** 32 hex digits; names the socket. */
  readonly session: string
  readonly repository: RepositoryRef
  readonly stem: string
  /** null: all. */
  readonly disks: readonly string[] | null
  readonly idleMs: number
  /** `disks`: no micro-VM; disks are handed out as images, files are not. Default: `files`, which hands out both. */
  readonly view?: 'files' | 'disks'
}

/** What is told with each heartbeat of `openFiles`. */
export interface FilesBeat {
  readonly v: 1
  readonly what: string
  /** null: it is not open yet. */
  readonly idleMs: number | null
  readonly volumes: number | null
}

export interface FilesActivities {
  /** The micro-VM, built if it is not in the cache. again: yes. */
  readonly prepareFiles: () => Promise<void>
  /**
   * Opens the point and answers at the session's socket until nobody has asked for `idleMs`, or it is cancelled. again:
   * yes, it is opened anew. Throws Unsupported if its micro-VM breaks again and again.
   */
  readonly openFiles: (input: OpenFiles) => Promise<void>
  /** Compensation as well: also of what is not open. */
  readonly closeFiles: (input: { readonly session: string }) => Promise<void>
}
