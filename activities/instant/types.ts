/**
 * The steps of an instant restore. A point is served to a hypervisor of this site, a VM boots on it, is attended until a
 * person has decided, and then stands alone or goes. All of them find what they made before by the operation.
 */
import type { SerializedError } from '../../base/index.ts'
import type { TargetVm } from '../../drivers/facets.ts'
import type { PowerState, VmRef } from '../../drivers/values.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import type { RestorePlace, TargetRef } from '../restore/types.ts'

export interface ServedPoint extends TargetRef {
  readonly repository: RepositoryRef
  readonly stem: string
}

/**
 * What a guest has read of its disks until it answered, in the order of the first read: 1,024 MiB at most. It is no part of
 * any point: which MiB a boot reads hardly changes from one to the next.
 */
export interface BootReads {
  readonly bytes: number
  /** Runs in MiB from the beginning of the disk: the first, and how many. */
  readonly disks: readonly {
    readonly key: string
    readonly runs: readonly (readonly [first: number, count: number])[]
  }[]
}

/** What the newest drill out of the repository has shown of a VM. */
export interface BootList extends BootReads {
  readonly drillId: string
  readonly recordedMs: number
}

export interface InstantTarget extends ServedPoint {
  readonly target: TargetVm
}

/** What is told with each heartbeat of `attendInstant`. Bytes: of the guest since its VM was started, of the repository
 *  since this worker serves it. */
export interface InstantBeat {
  readonly v: 1
  readonly power: PowerState
  readonly readBytes: number
  readonly writtenBytes: number
  readonly overlayBytes: number
  /** null: another process of the machine serves it. */
  readonly fetchedBytes: number | null
}

export interface InstantActivities {
  /** Serves all disks of the point at a socket of this machine, from now on and after every restart, until `endServing`.
   *  `boot` is read ahead meanwhile, behind what guests ask for; a worker that starts later reads nothing ahead. */
  readonly serveDisks: (input: ServedPoint & { readonly boot?: BootReads | null }) => Promise<{
    readonly socket: string
    readonly disks: readonly { readonly key: string; readonly size: number }[]
  }>
  /** Makes and starts the VM; one that runs already is the answer. */
  readonly bootInstant: (input: ServedPoint & { readonly place: RestorePlace }) => Promise<TargetVm>
  /** What was read of the disks until now; null: another process of the machine serves them, or none. */
  readonly readsOfBoot: (input: TargetRef) => Promise<BootReads | null>
  /** Sees to it that the point is served and the guest runs, and tells what both do. Ends by itself after `forMs`. */
  readonly attendInstant: (input: InstantTarget & { readonly forMs: number }) => Promise<void>
  /** The copy into the VM's own volumes, while it runs; goes on where an earlier attempt stood. */
  readonly migrateInstant: (input: InstantTarget) => Promise<VmRef>
  /** Compensation as well: also of what is not served. */
  readonly endServing: (input: TargetRef) => Promise<void>
}

export type InstantState = 'starting' | 'running' | 'migrating' | 'migrated' | 'discarded' | 'failed'

export interface InstantRecordActivities {
  readonly recordInstant: (of: {
    readonly runId: string
    readonly workflowId: string
    readonly repositoryId: string
    /** There. */
    readonly stem: string
    readonly vmId: string
    readonly endpointId: string
    /** Of the new VM. */
    readonly name: string
    readonly network: 'isolated' | 'connected'
    readonly requestedUser: string
    readonly startedMs: number
    /** What is read ahead. Absent: nothing is. */
    readonly boot?: Omit<BootList, 'disks'>
  }) => Promise<void>
  /** `error`: why a copy ended early; the VM goes on. An ended one stays as it is. */
  readonly recordInstantState: (of: {
    readonly runId: string
    readonly state: InstantState
    readonly error: SerializedError | null
    readonly atMs: number
  }) => Promise<void>
}
