import type { Requester, ResidueItem } from '../shared/contract.ts'

/**
 * One run of a plan. Its id names the plan and when: `plan/<plan>/<time>` if somebody asked, `plan/<plan>/at-<time>` if
 * its schedule did, `plan/<plan>/after-<time>` if the plan before it did. No lock: the VMs have theirs.
 */
export const planWorkflow = 'planRun'

/** `timeMs`: when somebody asked, to the second. */
export function planWorkflowId(plan: string, timeMs: number): string {
  const digits = new Date(timeMs).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)
  return `plan/${plan}/${digits.toLowerCase()}`
}

/** What the schedule of a plan is called. */
export function planScheduleId(plan: string): string {
  return `plan/${plan}`
}

/** What the engine appends the scheduled time to. */
export function scheduledPlanId(plan: string): string {
  return `plan/${plan}/at`
}

/** The run that a schedule starts at this time: which were started can be looked up without asking the engine. */
export function scheduledRunId(plan: string, atMs: number): string {
  return `${scheduledPlanId(plan)}-${new Date(atMs).toISOString().slice(0, 19)}Z`
}

/** When the schedule wanted this run to start; null: it was not started by a schedule. */
export function scheduledTimeOf(workflowId: string): number | null {
  const ms = Date.parse(/\/at-(.+)$/.exec(workflowId)?.[1] ?? '')
  return Number.isNaN(ms) ? null : ms
}

/** The run that follows one of the plan before it, which was opened at this time. */
export function followingRunId(plan: string, openedMs: number): string {
  return `plan/${plan}/after-${new Date(openedMs).toISOString().slice(0, 19)}Z`
}

/** What a run was started by; `after`: by the plan before it. */
export type PlanTrigger = 'schedule' | 'hand' | 'after'

export interface PlanRunInput {
  readonly v: 1
  /** Its name is its identity; what it says is read when the run begins. */
  readonly plan: string
  readonly trigger: PlanTrigger
  /** Workflow id of an earlier run: only what did not go well there. null: all that the plan selects. */
  readonly again: string | null
  readonly requestedBy: Requester
  /** 0; a long run goes on in a next part, so that no history grows without end. */
  readonly part: number
  /** Somebody said that it goes on although its window is closed, until it opens by itself; absent or null: nobody did. */
  readonly goesOnUntilMs?: number | null
}

export interface PlanRunCounts {
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  /** Not wanted any more: gone, or left out on purpose. */
  readonly skipped: number
}

/** A VM whose backup did not go well, and why. */
export interface PlanTrouble {
  readonly vm: string
  readonly state: 'failed' | 'cancelled' | 'skipped'
  readonly why: string
}

/** What came of every VM is in the catalog; here are the counts and the first of those that did not go well. */
export interface PlanRunResult {
  readonly v: 1
  readonly outcome: 'completed' | 'completed-with-residue'
  readonly counts: PlanRunCounts
  /** At most twenty. */
  readonly troubles: readonly PlanTrouble[]
  /** It goes on in a next part. */
  readonly more: boolean
  readonly residue: readonly ResidueItem[]
}
