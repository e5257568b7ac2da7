const dayMs = 86_400_000

/** A drill is not due before the first point is so old (product P-DRILL). */
export const firstDrillMs = 30 * dayMs
/** A VM that was added today is not drilled today: its first points come first. */
const settleMs = dayMs
/** So long before it is due a drill is begun, at most: one that fails can be repeated before the promise is broken. */
const longestLeadMs = 14 * dayMs
/** After a drill that did not pass, or came to no verdict. A new point is there by then. */
const againAfterMs = dayMs

/** All times in Unix milliseconds. */
export interface DrillFacts {
  /** How often a drill is promised. */
  readonly everyMs: number
  /** Instant of the oldest validated point; null: there is nothing to prove yet. */
  readonly firstPointMs: number | null
  readonly lastPassedMs: number | null
  /** When one was last begun, however it ended. */
  readonly triedMs: number | null
}

export interface DrillTimes {
  /** From then on the promise is broken. */
  readonly dueMs: number
  /** From then on Holdfast begins it by itself. */
  readonly fromMs: number
}

/** When the next drill is due; null: the VM has no point. */
export function drillTimes({ everyMs, firstPointMs, lastPassedMs, triedMs }: DrillFacts): DrillTimes | null {
  if (firstPointMs === null) return null
  const again = triedMs === null || (lastPassedMs !== null && triedMs <= lastPassedMs) ? 0 : triedMs + againAfterMs
  if (lastPassedMs === null)
    return { dueMs: firstPointMs + firstDrillMs, fromMs: Math.max(firstPointMs + settleMs, again) }
  const dueMs = lastPassedMs + everyMs
  return { dueMs, fromMs: Math.max(dueMs - Math.min(everyMs / 4, longestLeadMs), again) }
}
