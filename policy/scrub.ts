/** When a repository is read again by itself. All in milliseconds. */
const dailyMs = 86_400_000
const againMs = 3_600_000

export interface ScrubFacts {
  readonly nowMs: number
  /** When the pace was set; the first one begins then. */
  readonly setMs: number
  /** When a verify that reads packs last came to its end, and when one was last begun. */
  readonly countedMs: number | null
  readonly triedMs: number | null
}

/** Whether the next part of a repository is to be read now: once a day, an hour after one that did not get through. */
export function isScrubDue({ nowMs, setMs, countedMs, triedMs }: ScrubFacts): boolean {
  // A clock that was set back must not stop it for as long as it was wrong.
  const within = (sinceMs: number | null, ms: number): boolean =>
    sinceMs !== null && nowMs >= sinceMs && nowMs - sinceMs < ms
  if (within(triedMs, againMs)) return false
  if (countedMs === null || countedMs < setMs) return true
  return !within(triedMs ?? countedMs, dailyMs) || (triedMs !== null && countedMs < triedMs)
}
