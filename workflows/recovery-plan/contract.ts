import type { MemberEvidence, RecoveryEnd, RecoveryMode, TierChoice } from '../../policy/recovery.ts'
import type { Requester, ResidueItem } from '../shared/contract.ts'

/** `recovery/<plan>/<time>`: one rehearsal or run of a plan. */
export const recoveryWorkflow = 'recoveryPlan'

/** `timeMs`: when somebody asked, to the second. */
export function recoveryWorkflowId(plan: string, timeMs: number): string {
  return `recovery/${plan}/${new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()}`
}

/** Who holds the points that a run has chosen; such holds are released by the run, never by “all pins”. */
export function recoveryHoldActor(runId: string): string {
  return `recovery:${runId}`
}
export function isRecoveryHold(actor: string): boolean {
  return actor.startsWith('recovery:')
}

export interface RecoveryInput {
  readonly v: 1
  /** Of the plan; what it says is read when the run begins. */
  readonly planId: string
  readonly planName: string
  /** `rehearse`: isolated, and nothing of it is left · `run`: VMs come back as new ones and are started. */
  readonly mode: RecoveryMode
  /** No point taken after this instant; null: the newest of each VM. */
  readonly untilMs: number | null
  /** Manual steps are skipped; only a rehearsal may. */
  readonly withoutPeople: boolean
  /** How long a rehearsal waits for a person before it ends by itself; a run waits for as long as it takes. */
  readonly patienceMs: number
  /** For real: VMs that come back although they, or copies of them, run. Absent in runs of earlier versions. */
  readonly beside?: readonly string[]
  /** Events of its history beyond which nothing is tried again. Default 6,000. */
  readonly mostEvents?: number
  readonly requestedBy: Requester
}

export interface RecoveryResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly mode: RecoveryMode
  readonly vms: number
  /** From the start until the last tier was done. */
  readonly rtoMs: number
  readonly waitedMs: number
  readonly residue: readonly ResidueItem[]
}

/** From a drill or restore of the run: it stands. */
export const memberStandsSignal = 'memberStands'
export interface MemberReport extends MemberEvidence {
  readonly workflowId: string
  readonly why: string
  readonly restoreSeconds: number
  readonly bootSeconds: number | null
  readonly rtoSeconds: number | null
}

/** A manual step is done. Refused for one that nobody waits for. */
export const approveStepUpdate = 'approveStep'
export interface StepApproval extends Requester {
  readonly tier: string
  /** Id of what the tier waits for. */
  readonly wait: string
}
/** What becomes of a tier that did not come up. Refused for one that asks nothing. */
export const chooseTierUpdate = 'chooseTier'
export interface TierWord extends StepApproval {
  readonly choice: TierChoice
}
/** Ends the run at any time. Refused once it is ending. */
export const abortRecoveryUpdate = 'abortRecovery'
export interface AbortWish extends Requester {
  readonly end: RecoveryEnd
}
