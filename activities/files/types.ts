/** The steps of a file restore: a micro-VM of the site's machine has a point open until nobody asks any more. */
import type { Endpoint, VmRef } from '../../drivers/values.ts'
import type { FilesPlace, RestoredFiles } from '../../workflows/files/contract.ts'
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

/** Files of a session on their way into the guest of a VM that runs. */
export interface FilesToGuest {
  readonly endpoint: Endpoint
  readonly vm: VmRef
  /** 32 hex digits chosen by the workflow: names what is not whole in the guest. */
  readonly operation: string
  readonly session: string
  readonly volume: string
  readonly paths: readonly string[]
  readonly place: FilesPlace
  /** Start of the run, part of names. */
  readonly stampMs: number
}
/** Per path, in their order; paths of the guest. */
export interface FilesToGuestPlan {
  readonly targets: readonly string[]
  /** The folder of each target, without links on its way; absent: a plan of before 24 November 2026. */
  readonly folders?: readonly string[]
  /**
   * The folder of its own in which each grows, open to nobody but root: where only root may rename it, on the file system of
   * the target; where there is no such place, beside the target.
   */
  readonly staged: readonly string[]
}

export interface FilesActivities {
  /**
   * Looks only: that the point is open, what is asked for is in it, the guest runs commands for us, has the place and, but
   * for `replace`, nothing of that name. again: yes. Throws NotFound, InvalidRequest (also for a name that is taken: nobody waits for it), GuestAgentDisabled.
   */
  readonly planFilesRestore: (input: FilesToGuest) => Promise<FilesToGuestPlan>
  /** again: yes; goes on with the path that was not whole. Throws TargetWriteFailed if the guest has read something else. */
  readonly restoreFilesToGuest: (
    input: FilesToGuest & { readonly plan: FilesToGuestPlan; readonly stallTimeoutMs: number },
  ) => Promise<RestoredFiles>
  /** Compensation: removes what grows, by its name, and nothing else. again: yes. */
  readonly dropStagedFiles: (input: FilesToGuest & Pick<FilesToGuestPlan, 'staged'>) => Promise<void>
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
