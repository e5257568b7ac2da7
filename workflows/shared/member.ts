import { condition, defineSignal, getExternalWorkflowHandle, setHandler, workflowInfo } from '@temporalio/workflow'
import type { DrillResult } from '../drill/contract.ts'
import type { RunControl } from './control.ts'
import { releaseMemberSignal, type Requester } from './contract.ts'
import { memberStandsSignal, type MemberReport } from '../recovery-plan/contract.ts'
import { errorOf } from './failures.ts'

const release = defineSignal<[Requester]>(releaseMemberSignal)
const stands = defineSignal<[MemberReport]>(memberStandsSignal)
/** How often a restore that waits looks whether anybody is there to say a word. */
const lookAgainMs = 6 * 3600_000

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

  /** `outlives`: it is not cancelled with the run of its plan, and ends by itself when that is there no more. */
  async stand(
    of: Omit<MemberReport, 'workflowId'>,
    control: RunControl,
    { stage, outlives }: { readonly stage: string; readonly outlives: boolean },
  ): Promise<void> {
    const { workflowId, parent } = workflowInfo()
    if (parent === undefined) return
    const plan = getExternalWorkflowHandle(parent.workflowId, parent.runId)
    control.stage(stage)
    while (!this.#isReleased) {
      try {
        await plan.signal(stands, { ...of, workflowId })
      } catch (thrown) {
        // A cancel is one; all else means that the run of the plan is there no more, and says nothing to anybody.
        if (errorOf(thrown) === undefined) throw thrown
        return
      }
      if (!outlives) return condition(() => this.#isReleased)
      await condition(() => this.#isReleased, lookAgainMs, { summary: 'until its recovery plan goes on' })
    }
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
