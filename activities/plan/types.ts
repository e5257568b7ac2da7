import type { WindowNow } from '../../policy/index.ts'
import type { BackupInput } from '../../workflows/backup/contract.ts'
import type { PlanRunCounts, PlanTrigger, PlanTrouble } from '../../workflows/plan/contract.ts'
import type { Requester } from '../../workflows/shared/contract.ts'

export interface OpenedPlanRun {
  /** That have no end yet. */
  readonly vms: number
  /** At once. */
  readonly concurrency: number
  /** null: the plan has none. Absent in answers from before there were windows. */
  readonly window?: WindowNow | null
  /** Workflow id of another run of the plan that is under way: this one takes nothing. Absent: it takes what it says. */
  readonly skippedFor?: string
}

/** Of the window of a plan, as the clock of its run has it. */
interface WindowAsked {
  /** Unix milliseconds. */
  readonly atMs: number
  /** Somebody said that the run goes on although the window is closed, until then; null: nobody did. */
  readonly goesOnUntilMs: number | null
}

export type PlanVmState = 'completed' | 'completed-with-residue' | 'failed' | 'cancelled' | 'skipped'

export interface PlanVmEnd {
  readonly position: number
  /** Which try this was: one that is told again late never ends a later one. */
  readonly attempt: number
  readonly state: PlanVmState
  readonly runId: string | null
  /** One sentence: why it failed or was skipped; `''` if all went well. */
  readonly detail: string
  /** Whether trying again can help. */
  readonly mayRetry: boolean
}

export interface NextPlanVm {
  readonly position: number
  readonly workflowId: string
  readonly vmName: string
  /** 1, or more if it failed before. */
  readonly attempt: number
  readonly input: BackupInput
}

export interface NextAnswer {
  readonly next: NextPlanVm | null
  /** Nothing now, but what failed may be tried again then; null: no more. */
  readonly againMs: number | null
}

export interface PlanRunEnd {
  readonly counts: PlanRunCounts
  readonly troubles: readonly PlanTrouble[]
}

/** What of a plan's run is in the catalog: which VMs it takes, how far it is, and what came of each. */
export interface PlanActivities {
  /**
   * Selects the VMs, once: a repetition answers with what was selected. While another run of the plan is under way it
   * selects none: a start that nobody asked for is told as skipped. Throws NotFound for a plan that is gone, AlreadyRunning
   * for a run by hand.
   */
  readonly openPlanRun: (
    of: WindowAsked & {
      readonly planRun: string
      readonly runId: string
      readonly plan: string
      readonly trigger: PlanTrigger
      readonly again: string | null
    },
  ) => Promise<OpenedPlanRun>
  /**
   * The window as the plan says now; null: there is none any more. Outside it what the backups of the run hold takes no
   * room from others. May be called again.
   */
  readonly heedWindow: (
    of: WindowAsked & { readonly planRun: string; readonly plan: string },
  ) => Promise<WindowNow | null>
  /**
   * Writes down how one VM ended and gives the next. What is not to be backed up any more is skipped with its reason,
   * what should be and cannot has failed.
   * Idempotent by `lane` and `turn`: a repetition gives the same VM, so that none is taken twice and none is lost.
   */
  readonly nextPlanVm: (of: {
    readonly planRun: string
    readonly lane: string
    readonly turn: number
    readonly ended: PlanVmEnd | null
    /** False: only write down. */
    readonly wants: boolean
    readonly requestedBy: Requester
  }) => Promise<NextAnswer>
  /** What came of all; `rest`: why what was not begun never will be, null: it will. */
  readonly closePlanRun: (of: { readonly planRun: string; readonly rest: string | null }) => Promise<PlanRunEnd>
}
