const dayMs = 86_400_000

/** A drill is not due before the first point is so old (product P-DRILL). */
export const firstDrillMs = 30 * dayMs
/** A VM that was added today is not drilled today: its first points come first. */
const settleMs = dayMs
/** So long before it is due a drill is begun, at most: one that fails can be repeated before the promise is broken. */
const longestLeadMs = 14 * dayMs
/**
 * After the first drill that did not pass, or came to no verdict: a new point is there by then. After each further one
 * twice as long, so that a VM that never passes does not take the place of others.
 */
const againAfterMs = dayMs
const longestPauseMs = 16 * dayMs

/** All times in Unix milliseconds. */
export interface DrillFacts {
  /** How often a drill is promised. */
  readonly everyMs: number
  /** Instant of the oldest validated point; null: there is nothing to prove yet. */
  readonly firstPointMs: number | null
  readonly lastPassedMs: number | null
  /** When one was last begun, however it ended. */
  readonly triedMs: number | null
  /** How many were begun since the last that passed. */
  readonly tries: number
}

export interface DrillTimes {
  /** From then on the promise is broken. */
  readonly dueMs: number
  /** From then on Holdfast begins it by itself. */
  readonly fromMs: number
}

/** When the next drill is due; null: the VM has no point. */
export function drillTimes({ everyMs, firstPointMs, lastPassedMs, triedMs, tries }: DrillFacts): DrillTimes | null {
  if (firstPointMs === null) return null
  const again =
    triedMs === null || tries === 0 ? 0 : triedMs + Math.min(againAfterMs * 2 ** (tries - 1), longestPauseMs)
  if (lastPassedMs === null)
    return { dueMs: firstPointMs + firstDrillMs, fromMs: Math.max(firstPointMs + settleMs, again) }
  const dueMs = lastPassedMs + everyMs
  return { dueMs, fromMs: Math.max(dueMs - Math.min(everyMs / 4, longestLeadMs), again) }
}
