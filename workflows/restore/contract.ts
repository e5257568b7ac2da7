import type { Endpoint, VmRef } from '../../drivers/values.ts'
import type { DrillCheck } from '../drill/contract.ts'
import type { NamesThere, RepositoryRef, Requester, ResidueItem, Tuning, VmTarget } from '../shared/contract.ts'

export function restoreWorkflowId(requestId: string): string {
  return `restore/${requestId}`
}
/** Of a restore over the VM itself: the catalog tells it by its id from one that makes a new VM. */
export function restoreInPlaceWorkflowId(requestId: string): string {
  return restoreWorkflowId(`in-place/${requestId}`)
}
/** What its caller chose. */
export function requestIdOf(workflowId: string): string {
  return workflowId.split('/').at(-1) ?? ''
}
export const restoreWorkflow = 'restoreVm'

/** The names are for a new VM; one in its original place keeps its own. */
export interface RestoreInput extends NamesThere {
  readonly v: 1
  /** Chosen by the caller; makes the request idempotent. */
  readonly requestId: string
  readonly repository: RepositoryRef
  readonly stem: string
  readonly target:
    | { readonly kind: 'new'; readonly endpoint: Endpoint; readonly site: string; readonly name: string }
    /** Original place: a safety point is taken first; old disks are kept, tagged, until the operator removes them. */
    | { readonly kind: 'original'; readonly vm: VmTarget; readonly confirmName: string }
  /** Only these disks of the point, in the original place beside the others; none: the configuration alone. Absent: all. */
  readonly disks?: readonly string[]
  readonly identity: 'new' | 'same'
  /** null: as it was before the restore; a new VM stays off. */
  readonly powerOn: boolean | null
  /** Of a recovery plan: what its guest is asked once it runs. It stays ours until it is released. */
  readonly member?: {
    readonly checks: readonly DrillCheck[]
    readonly bootTimeoutMs: number
    /** How soon it looks whether its plan is still there. Default 6 h. */
    readonly lookEveryMs?: number
  }
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface RestoreResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly vm: VmRef
  readonly disks: readonly {
    readonly disk: string
    readonly size: number
    readonly writtenBytes: number
    readonly bytesResumed: number
  }[]
  readonly safetyPoint: string | null
  readonly poweredOn: boolean
  readonly durationMs: number
  readonly residue: readonly ResidueItem[]
}
