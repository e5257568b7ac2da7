import { condition, defineSignal, isCancellation, log, patched, setHandler, workflowInfo } from '@temporalio/workflow'
import type { CapacityActivities, SlotAnswer } from '../../activities/capacity/types.ts'
import type { RunControl } from './control.ts'
import { slotsGrantedSignal } from './contract.ts'
import { errorOf } from './failures.ts'
import { controlSteps } from './options.ts'
import type { StepIds } from './steps.ts'

const slotsGranted = defineSignal(slotsGrantedSignal)
/** A word that got lost costs no more than this. */
const askAgainMs = 300_000

/** What a run takes room on. */
export interface SlotWish {
  readonly kind: 'backup' | 'restore' | 'drill'
  /** For lists: `Backup of web-01`. */
  readonly title: string
  /** 1 first … 5 last. */
  readonly priority: number
  readonly hostId: string
  readonly repositoryId: string
  readonly site: string
}

/** Asks the capacity governor for a slot and waits for it. Made first thing in a workflow: a signal may come early. */
export class Capacity {
  #words = 0

  constructor() {
    setHandler(slotsGranted, () => {
      this.#words += 1
    })
  }

  /** What the run holds is given back by the step that writes down its end, or when the engine says that it has ended. */
  async take(wish: SlotWish, control: RunControl, ids: StepIds): Promise<void> {
    if (!patched('2026-11-capacity-slots')) return
    for (;;) {
      const heard = this.#words
      const answer = await ask(wish, ids)
      if (answer === null || answer.granted) return
      const where = answer.waitsFor.join(', ')
      control.stage(`Waiting for a free slot: ${where}`)
      await condition(() => this.#words !== heard, askAgainMs, { summary: `waiting for a free slot: ${where}` })
    }
  }
}

/** null: the governor cannot be asked. A backup that was not made is worse than one too many at a time. */
async function ask(wish: SlotWish, ids: StepIds): Promise<SlotAnswer | null> {
  const { workflowId, runId } = workflowInfo()
  const { claimSlots } = controlSteps<CapacityActivities>('quick')
  try {
    return await claimSlots.executeWithOptions(ids.step('slot', 'Ask for a slot'), [{ ...wish, workflowId, runId }])
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.warn('the capacity governor could not be asked; the run goes on without a slot', { error: errorOf(thrown) })
    return null
  }
}
