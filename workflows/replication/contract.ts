import type { Endpoint } from '../../drivers/values.ts'
import type { NamesThere, Requester, ResidueItem, Tuning, VmTarget } from '../shared/contract.ts'

/** `replication/<pair>`: one cycle at a time. */
export function replicationWorkflowId(pair: string): string {
  return `replication/${pair}`
}
/** `failover/<pair>`: one run at a time moves the guest, or ends the pair; a cycle under way is pushed aside. */
export function failoverWorkflowId(pair: string): string {
  return `failover/${pair}`
}
/** Beside both: a test takes nothing from the pair. */
export function standbyTestWorkflowId(pair: string): string {
  return `failover/${pair}/test`
}
export const replicationWorkflow = 'replicateVm'
export const failoverWorkflow = 'failOver'
export const standbyTestWorkflow = 'testFailover'

/** A VM, and where its standby is. */
export interface ReplicationPair {
  /** 32 hex digits; everything of the standby is found by it. */
  readonly id: string
  readonly source: VmTarget
  readonly endpoint: Endpoint
  readonly site: string
  /** Of the standby. */
  readonly name: string
  /** What networks of the source are at the standby; one that is not named stays itself. */
  readonly networks?: NamesThere['networks']
}

export interface ReplicationInput {
  readonly v: 1
  readonly pair: ReplicationPair
  readonly requestedBy: Requester
  readonly tuning: Tuning
  /** Nothing is built on what the standby holds. */
  readonly full: boolean
}
export interface ReplicationResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly pointId: string
  /** Instant of the source that the standby holds now. */
  readonly atMs: number
  readonly links: number
  readonly writtenBytes: number
  readonly isFull: boolean
  readonly durationMs: number
  readonly residue: readonly ResidueItem[]
}

/**
 * `planned`: the source is shut down, its last state brought over, nothing is lost · `unplanned`: the last whole state is
 * started now, the source is switched off if it can be reached · `failback`: the guest goes back to its source ·
 * `accept`: the standby stays where it runs, nothing follows any more · `remove`: the standby goes
 */
export type Move = 'planned' | 'unplanned' | 'failback' | 'accept' | 'remove'

export interface FailoverInput {
  readonly v: 1
  readonly pair: ReplicationPair
  readonly move: Move
  readonly requestedBy: Requester
  readonly tuning: Tuning
}
export interface FailoverResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly move: Move
  /** Instant of the state that runs now; null: the guest was not moved. */
  readonly atMs: number | null
  /** How much of the source's time is missing from it. 0: nothing. */
  readonly lostMs: number
  /** What became of the side that ran before. */
  readonly fence: 'off' | 'unreachable' | null
  /** From the moment that nobody ran until the guest was started. */
  readonly downMs: number
  readonly residue: readonly ResidueItem[]
}

export interface StandbyTestInput {
  readonly v: 1
  readonly pair: ReplicationPair
  /** How long the copy is left running after its guest has answered, for a person to look at. */
  readonly holdMs: number
  /** How long its guest may take to answer. */
  readonly limitMs: number
  readonly requestedBy: Requester
  readonly tuning: Tuning
}
export interface StandbyTestResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly answered: boolean
  readonly bootMs: number
  readonly residue: readonly ResidueItem[]
}
