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

/** From when on the next part of a repository is to be read: once a day, an hour after one that did not get through; not after now: it is due. */
export function nextScrubMs({ nowMs, setMs, countedMs, triedMs }: ScrubFacts): number {
  // A clock that was set back must not stop it for as long as it was wrong.
  const after = (sinceMs: number | null, ms: number): number => (sinceMs === null || nowMs < sinceMs ? 0 : sinceMs + ms)
  const isUnread = countedMs === null || countedMs < setMs || (triedMs !== null && countedMs < triedMs)
  return Math.max(after(triedMs, againMs), isUnread ? 0 : after(triedMs ?? countedMs, dailyMs))
}

export function isScrubDue(facts: ScrubFacts): boolean {
  return facts.nowMs >= nextScrubMs(facts)
}
