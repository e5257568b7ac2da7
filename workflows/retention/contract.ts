import type { RepositoryRef, Requester, ResidueItem, Tuning } from '../shared/contract.ts'

// ── retentionSweep ────────────────────────────────────────────────────────────────────────────────────────
/** `retention/<repository>`: a repository is swept by one run at a time; a dry run needs not wait for a sweep that waits. */
export function sweepWorkflowId(repositoryId: string, mode: SweepInput['mode'] = 'sweep'): string {
  return mode === 'plan' ? `retention/${repositoryId}/plan` : `retention/${repositoryId}`
}
export const sweepWorkflow = 'retentionSweep'

export interface SweepInput {
  readonly v: 1
  readonly repository: RepositoryRef
  /** 'plan': says what would go and which rule keeps the rest, and changes nothing. */
  readonly mode: 'plan' | 'sweep'
  /** 'grace': goes on by itself after `graceMs`, unless a series would lose too much. 'required': a person says so. */
  readonly approval: 'grace' | 'required'
  readonly graceMs: number
  /** How long it waits for a person before it ends without having removed anything. */
  readonly approveWithinMs: number
  /** 0 … 1: a series that would lose more of its points at once is not touched before a person has agreed. */
  readonly maxShare: number
  /** 'auto': when it is worth the reading. */
  readonly collect: 'auto' | 'always' | 'never'
  /** 'none': without the waiting times of the collector, which are economy and not safety (rulings 13). */
  readonly waits: 'usual' | 'none'
  readonly requestedBy: Requester
  readonly tuning: Tuning
}

/** Update: agrees to exactly the plan whose digest it names. Refused when that is no longer the plan. */
export const approveSweepUpdate = 'approveSweep'
export interface SweepApprovalWish extends Requester {
  readonly digest: string
}

export interface SweepResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly ended: 'planned' | 'completed' | 'declined'
  readonly digest: string
  readonly points: number
  readonly going: number
  /** Series that would lose more than their share. */
  readonly asking: number
  readonly removed: number
  readonly refused: number
  /** Planned to go, and kept by a later look. */
  readonly spared: number
  /** Still to go: the next sweep takes them. */
  readonly left: number
  readonly collection: {
    readonly why: string
    readonly outcome: string
    readonly deletedPacks: number
    readonly deletedBytes: number
    readonly waitingBytes: number
  } | null
  readonly residue: readonly ResidueItem[]
}

// ── keepPoint, removePoint ────────────────────────────────────────────────────────────────────────────────
/** Short acts on one point, for a person who waits. `request`: 32 hex digits. */
export function keepPointWorkflowId(request: string): string {
  return `keep-point/${request}`
}
export const keepPointWorkflow = 'keepPoint'

export interface KeepPointInput {
  readonly v: 1
  readonly repository: RepositoryRef
  readonly stem: string
  readonly act:
    | { readonly kind: 'hold'; readonly type: 'pin' | 'legal' }
    /** Names of the holds to end. */
    | { readonly kind: 'release'; readonly holds: readonly string[] }
  readonly requestedBy: Requester
}

/** A point that lies in two repositories can be removed from both at a time. */
export function removePointWorkflowId(repositoryId: string, pointId: string): string {
  return `remove-point/${repositoryId}/${pointId}`
}
export const removePointWorkflow = 'removePoint'

export interface RemovePointInput {
  readonly v: 1
  readonly repository: RepositoryRef
  /** A point that a rule keeps by now is not removed by hand. */
  readonly stem: string
  readonly requestedBy: Requester
}
