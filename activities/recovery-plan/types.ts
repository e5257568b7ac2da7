/** What the control plane does for a run of a recovery plan. All are idempotent: by run, tier and VM. */
import type { MemberChange, TierChange } from '../../catalog/index.ts'
import type { RecoveryRunState } from '../../catalog/types.ts'
import type { ManualStep, RecoveryTier, TierNeed } from '../../policy/recovery.ts'
import type { DrillInput } from '../../workflows/drill/contract.ts'
import type { RecoveryInput } from '../../workflows/recovery-plan/contract.ts'
import type { RestoreInput } from '../../workflows/restore/contract.ts'
import type { Requester, ResidueItem } from '../../workflows/shared/contract.ts'

export type { MemberChange, RecoveryRunState, TierChange }

export interface OpenedRecovery {
  readonly atOnce: number
  readonly vms: number
  readonly tiers: readonly { readonly key: string; readonly after: readonly string[] }[]
}
export interface BegunTier {
  readonly name: string
  readonly delayMs: number
  readonly before: readonly ManualStep[]
  readonly then: readonly ManualStep[]
  readonly needs: TierNeed
  readonly members: readonly string[]
}
/** What brings a VM back: a drill in a rehearsal, a restore in a run. */
export type PlannedMember =
  | {
      readonly workflow: 'restoreDrill'
      readonly workflowId: string
      readonly vmName: string
      readonly input: DrillInput
    }
  | {
      readonly workflow: 'restoreVm'
      readonly workflowId: string
      readonly vmName: string
      readonly input: RestoreInput
    }

export type TierKey = Pick<RecoveryTier, 'key'>['key']

export interface RecoveryActivities {
  /** What the plan says now is what the run does. */
  readonly openRecovery: (input: {
    readonly workflowId: string
    readonly runId: string
    readonly startedMs: number
    readonly input: RecoveryInput
  }) => Promise<OpenedRecovery>
  readonly beginTier: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly atMs: number
  }) => Promise<BegunTier>
  /** Chooses the point and the place. Throws PointNotRestorable, NotFound, Unsupported. */
  readonly planMember: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly vmId: string
    /** From 1 on. */
    readonly attempt: number
    readonly atMs: number
    readonly requestedBy: Requester
  }) => Promise<PlannedMember>
  readonly noteTier: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly change: TierChange
    readonly atMs: number
  }) => Promise<void>
  readonly noteMember: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly vmId: string
    readonly change: MemberChange
  }) => Promise<void>
  /** What the drills and restores of the run have left behind, all of them. */
  readonly closeRecovery: (of: {
    readonly runId: string
    readonly state: RecoveryRunState
    readonly why: string
    readonly atMs: number
    readonly members: readonly string[]
  }) => Promise<{ readonly residue: readonly ResidueItem[] }>
}
