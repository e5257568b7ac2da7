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
  readonly kind: 'backup' | 'restore' | 'drill' | 'mirror' | 'verify'
  /** For lists: `Backup of web-01`. */
  readonly title: string
  /** 1 first … 5 last; 6: in the background. */
  readonly priority: number
  /** null: it reads and writes no hypervisor. */
  readonly hostId: string | null
  readonly repositoryId: string
  /** Where a mirror copies from. */
  readonly otherRepositoryId?: string
  readonly site: string
  /** Whose disks are read or written where they lie; absent or null: none of a VM that is there already. */
  readonly vmId?: string | null
}

/** Asks the capacity governor for a slot and waits for it. Made first thing in a workflow: a signal may come early. */
export class Capacity {
  #words = 0
  #attention: string | null = null

  constructor() {
    setHandler(slotsGranted, () => {
      this.#words += 1
    })
  }

  /** What whoever looks at the run has to know; null: nothing. */
  get attention(): string | null {
    return this.#attention
  }

  /** What the run holds is given back by the step that writes down its end, or when the engine says that it has ended. */
  async take(wish: SlotWish, control: RunControl, ids: StepIds): Promise<void> {
    const isBackground = wish.kind === 'mirror' || wish.kind === 'verify'
    if (!patched(isBackground ? '2026-11-background-slots' : '2026-11-capacity-slots')) return
    for (;;) {
      const heard = this.#words
      const answer = await ask(wish, ids)
      if (answer === null) {
        const waited = urgent(wish) ? 'a minute' : 'ten minutes'
        this.#attention = `It went on without a slot: the capacity governor could not be asked for ${waited}`
        control.stage(this.#attention)
        return
      }
      if (answer.granted) return
      const where = answer.waitsFor.join(', ')
      control.stage(`Waiting for a free slot: ${where}`)
      await condition(() => this.#words !== heard, askAgainMs, { summary: `waiting for a free slot: ${where}` })
    }
  }
}

/** Somebody waits for it. */
function urgent({ kind }: SlotWish): boolean {
  return kind === 'restore'
}

/**
 * null: the governor could not be asked, for ten minutes of retries, or for one where a person waits. A backup that was not
 * made is worse than one too many at a time; the run says that it had none.
 */
async function ask(wish: SlotWish, ids: StepIds): Promise<SlotAnswer | null> {
  const { workflowId, runId } = workflowInfo()
  const { claimSlots } = controlSteps<CapacityActivities>('quick')
  const options = {
    ...ids.step('slot', 'Ask for a slot'),
    ...(urgent(wish) && { scheduleToCloseTimeout: '1 minute' as const }),
  }
  try {
    return await claimSlots.executeWithOptions(options, [{ ...wish, workflowId, runId }])
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.warn('the capacity governor could not be asked; the run goes on without a slot', { error: errorOf(thrown) })
    return null
  }
}
