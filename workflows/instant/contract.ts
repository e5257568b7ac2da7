import type { BootList } from '../../activities/instant/types.ts'
import type { Endpoint, VmRef } from '../../drivers/values.ts'
import type { NamesThere, RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

export function instantWorkflowId(requestId: string): string {
  return `instant/${requestId}`
}
export const instantWorkflow = 'instantRestore'

/** Who holds the point that a VM runs from; such a hold is released by the run, never by “all pins”. */
export function instantHoldActor(operation: string): string {
  return `instant:${operation}`
}
export function isInstantHold(actor: string): boolean {
  return actor.startsWith('instant:')
}

/** What becomes of a VM that runs from a repository; refused before it runs and once somebody has decided. */
export const endInstantUpdate = 'endInstant'
export interface EndInstantWish extends Requester {
  readonly end: 'migrate' | 'discard'
}

export interface InstantInput extends NamesThere {
  readonly v: 1
  /** Chosen by the caller; makes the request idempotent. */
  readonly requestId: string
  readonly repository: RepositoryRef
  readonly stem: string
  /** The VM that the point is of. */
  readonly vmId: string
  readonly vmName: string
  readonly endpoint: Endpoint
  readonly site: string
  /** Of the new VM. */
  readonly name: string
  /** isolated: it reaches nothing · connected: the networks that the VM had, by their names there. */
  readonly network: 'isolated' | 'connected'
  readonly identity: 'new' | 'same'
  /** What a boot of the VM reads first, and which drill has shown it. Absent: no drill has. */
  readonly boot?: BootList
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

export interface InstantResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly end: 'migrated' | 'discarded'
  readonly vm: VmRef
  /** From the start of the run until the VM was started. */
  readonly bootedMs: number
  /** From then on until it stood alone or was gone. */
  readonly heldMs: number
  readonly residue: readonly ResidueItem[]
}
