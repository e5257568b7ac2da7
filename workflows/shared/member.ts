import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { ExternalWorkflowHandle } from '@temporalio/workflow'
import type { RecoveryActivities } from '../../activities/recovery-plan/types.ts'
import type { DrillResult } from '../drill/contract.ts'
import type { RunControl } from './control.ts'
import { releaseMemberSignal, type Requester } from './contract.ts'
import { memberStandsSignal, type MemberReport } from '../recovery-plan/contract.ts'
import { errorOf } from './failures.ts'
import { controlSteps } from './options.ts'
import type { StepIds } from './steps.ts'

const release = defineSignal<[Requester]>(releaseMemberSignal)
const stands = defineSignal<[MemberReport]>(memberStandsSignal)
/** When a restore that waits looks for the first time whether anybody is there to say a word; at last it does once a day. */
const lookAgainMs = 6 * 3600_000
const dayMs = 24 * 3600_000

export interface Standing {
  /** Shown on the run. */
  readonly stage: string
  /** It is not cancelled with the run of its plan, and ends by itself when that is there no more. */
  readonly outlives: boolean
  readonly lookEveryMs?: number | undefined
}

/**
 * A drill or a restore that belongs to the run of a recovery plan: once it stands it tells that run, and stays as it is
 * until it is released, which means its ordinary end. A cancel undoes it. Made first thing in a workflow: a word may
 * come early.
 */
export class Membership {
  #isReleased = false

  constructor() {
    setHandler(release, () => {
      this.#isReleased = true
    })
  }

  /** Until it is released, or nobody is there any more to do so. However long that takes, the history of the plan does not grow. */
  async stand(
    of: Omit<MemberReport, 'workflowId'>,
    control: RunControl,
    ids: StepIds,
    { stage, outlives, lookEveryMs = lookAgainMs }: Standing,
  ): Promise<void> {
    const { workflowId, parent } = workflowInfo()
    if (parent === undefined) return
    const plan = getExternalWorkflowHandle(parent.workflowId, parent.runId)
    control.stage(stage)
    if (this.#isReleased || !(await tell(plan, { ...of, workflowId }))) return
    if (!outlives) return condition(() => this.#isReleased)
    const summary = 'until its recovery plan goes on'
    for (let waitMs = lookEveryMs; !(await condition(() => this.#isReleased, waitMs, { summary }));) {
      waitMs = Math.max(waitMs, Math.min(dayMs, waitMs * 2))
      // A word to the run itself would make its history longer with every look.
      const state = patched('plan-by-catalog') ? await stateOfPlan(parent.runId, ids) : 'unknown'
      if (state === 'ended') return
      if (state === 'unknown' && !(await tell(plan, { ...of, workflowId }))) return
    }
  }
}

/** false: the run of the plan is there no more. Throws when this one is cancelled. */
async function tell(plan: ExternalWorkflowHandle, report: MemberReport): Promise<boolean> {
  try {
    await plan.signal(stands, report)
    return true
  } catch (thrown) {
    // A cancel is one; all else means that the run of the plan is there no more, and says nothing to anybody.
    if (errorOf(thrown) === undefined) throw thrown
    return false
  }
}

/** A catalog that is away says nothing: the plan is taken to go on. */
async function stateOfPlan(runId: string, ids: StepIds): Promise<'open' | 'ended' | 'unknown'> {
  const { isRecoveryOpen } = controlSteps<RecoveryActivities>('quick')
  try {
    const { state } = await isRecoveryOpen.executeWithOptions(ids.step('plan-open', 'Does its recovery plan go on?'), [
      { runId },
    ])
    return state
  } catch (thrown) {
    if (errorOf(thrown) === undefined) throw thrown
    return 'open'
  }
}

/** What the run of the plan needs of a drill, or of what was asked after a restore. */
export function reportOf(
  result: Pick<DrillResult, 'verdict' | 'why' | 'restoreSeconds' | 'bootSeconds' | 'rtoSeconds'>,
  guest: MemberReport['guest'],
): Omit<MemberReport, 'workflowId'> {
  const { verdict, why, restoreSeconds, bootSeconds, rtoSeconds } = result
  return { verdict, why, restoreSeconds, bootSeconds, rtoSeconds, guest }
}
