import type { SerializedError } from '../../base/index.ts'
import type { DiskKey, MustFullReason } from '../../drivers/values.ts'
import { isFullReason } from '../shared/summaries.ts'

/** What the rounds of one run have learned; a round is one frozen state of the VM. */
export interface RoundHistory {
  readonly brokenPoints: number
  readonly forcedFull: ReadonlyMap<DiskKey | '*', MustFullReason>
}

export const firstRound: RoundHistory = { brokenPoints: 0, forcedFull: new Map() }

/** A point that breaks is replaced at most so often within one run (drivers §5.1). */
const maxNewPoints = 2

/**
 * Whether a failed round is followed by another one, with a fresh point. A distrusted change reference makes its disk
 * full; that ends, because each such round adds a disk. null: the run fails.
 */
export function nextRound(history: RoundHistory, error: SerializedError): RoundHistory | null {
  // Nobody's fault, and it may happen every week.
  if (error.code === 'PointBroken' && error.data?.['givenBack'] === true) return history
  if (error.code === 'PointBroken' && history.brokenPoints < maxNewPoints) {
    return { ...history, brokenPoints: history.brokenPoints + 1 }
  }
  // A replication came in between look and freeze: the next round waits for it at its look.
  if (error.code === 'Busy' && error.data?.['otherRound'] === true) return history
  if (error.retry === 'full') {
    const disk = (typeof error.data?.['disk'] === 'string' ? error.data['disk'] : '*') as DiskKey | '*'
    const why = error.data?.['why']
    if (history.forcedFull.has(disk) || history.forcedFull.has('*')) return null
    const reason = isFullReason(why) ? why : 'reference-missing'
    return { ...history, forcedFull: new Map([...history.forcedFull, [disk, reason]]) }
  }
  return null
}
