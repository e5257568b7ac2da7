/**
 * Whether a disk is read in full because of its full interval. A run that starts a little early counts as on time:
 * starts are spread over minutes, and a daily full among six-hourly runs must not slip to the fifth run of the day.
 * `lastFullMs` undefined: no full one is known, so the interval cannot be kept otherwise.
 */
export function isFullDue(fullEveryMs: number | null, lastFullMs: number | undefined, nowMs: number): boolean {
  if (fullEveryMs === null) return false
  if (lastFullMs === undefined) return true
  return nowMs - lastFullMs >= fullEveryMs - Math.min(fullEveryMs / 10, 3_600_000)
}
