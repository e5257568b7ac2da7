/** What the control plane does for a run of a recovery plan. All are idempotent: by run, tier and VM. */
import type { MemberChange, TierChange } from '../../catalog/index.ts'
import type { RecoveryRunState } from '../../catalog/types.ts'
import type { SeenOriginal } from '../../policy/originals.ts'
import type { ManualStep, RecoveryTier, TierNeed } from '../../policy/recovery.ts'
import type { DrillInput } from '../../workflows/drill/contract.ts'
import type { RecoveryInput } from '../../workflows/recovery-plan/contract.ts'
import type { RestoreInput } from '../../workflows/restore/contract.ts'
import type { RepositoryRef, Requester, ResidueItem, VmTarget } from '../../workflows/shared/contract.ts'

export type { MemberChange, RecoveryRunState, TierChange }

export interface OpenedRecovery {
  readonly atOnce: number
  readonly vms: number
  readonly tiers: readonly { readonly key: string; readonly after: readonly string[] }[]
  /** For real: what is looked at before anything is made. Absent in runs of earlier versions. */
  readonly originals?: readonly Original[]
}
/** Where a VM of the plan lives. */
export interface Original {
  readonly target: VmTarget
}
/** A drill or restore that has ended. `residue`: as it said; null: it did not end well, its own row knows. */
export interface MemberEnd {
  readonly tier: string
  readonly vmId: string
  readonly workflowId: string
  readonly residue: readonly ResidueItem[] | null
}
/** Copies in one repository that VMs of a run come back from. */
export interface ChosenCopies {
  readonly repository: RepositoryRef
  readonly stems: readonly string[]
  readonly after: string
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
  /** What the plan says now is what the run does, from the points that there are now. */
  readonly openRecovery: (input: {
    readonly workflowId: string
    readonly runId: string
    readonly startedMs: number
    readonly input: RecoveryInput
  }) => Promise<OpenedRecovery>
  /**
   * The next copies that the VMs of the run come back from, as far as the catalog knows, to be held where they lie: of one
   * repository at a time. `after`: what the last answer said; null: from the beginning. null: there are no more.
   */
  readonly nextChosen: (of: { readonly runId: string; readonly after: string | null }) => Promise<ChosenCopies | null>
  readonly beginTier: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly atMs: number
  }) => Promise<BegunTier>
  /** What keeps a run for real from its begin: all VMs that are there already, or may be, and that nobody has accepted. */
  readonly admitRecovery: (of: {
    readonly runId: string
    /** One that is not in it was nowhere to be looked for. */
    readonly seen: readonly { readonly vmId: string; readonly seen: SeenOriginal }[]
    readonly beside: readonly string[]
  }) => Promise<{ readonly problems: readonly string[] }>
  /** The place, and the point that was chosen. Throws PointNotRestorable, RecoveryRefused, NotFound, Unsupported. */
  readonly planMember: (of: {
    readonly runId: string
    readonly tier: TierKey
    readonly vmId: string
    /** From 1 on. */
    readonly attempt: number
    readonly atMs: number
    readonly requestedBy: Requester
    /** VMs that come back although they, or copies of them, are there. */
    readonly beside?: readonly string[]
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
    /** What brought it back has ended: `removed` is said only of one that left nothing. */
    readonly end?: Pick<MemberEnd, 'workflowId' | 'residue'>
  }) => Promise<void>
  /** Whether a run of a plan goes on; `unknown`: the catalog does not know it. */
  readonly isRecoveryOpen: (of: { readonly runId: string }) => Promise<{ readonly state: 'open' | 'ended' | 'unknown' }>
  /** What the drills and restores of the run have left behind, all of them; `why` says it as well. */
  readonly closeRecovery: (of: {
    readonly runId: string
    readonly state: RecoveryRunState
    readonly why: string
    readonly atMs: number
    /** Instead of `why`, where something was left. */
    readonly whyLeft?: string
    readonly members: readonly string[]
    readonly ends?: readonly MemberEnd[]
  }) => Promise<{ readonly residue: readonly ResidueItem[]; readonly why?: string }>
}
