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

/** Reasons for reading a disk in full that nobody decided; the others are a first point, a full that was due or asked for, and disks that no changes are known of. */
const unexpected: ReadonlySet<string> = new Set([
  'tracking-off',
  'reference-missing',
  'reference-inconsistent',
  'reference-inactive',
  'reference-of-another-point',
  'epoch-changed',
  'size-changed',
  'volume-changed',
  'foreign-snapshot',
  'reverted',
  'known-bad-build',
  'previous-round-uncertain',
  'extent-query-failed',
  'audit-mismatch',
  'parent-damaged',
])

/** Whether that a disk was read in full is news to whoever wanted its changes only (product P-SMART). `why`: as the driver gave it. */
export function isUnexpectedFull(mode: 'full' | 'incremental', why: string): boolean {
  return mode === 'full' && unexpected.has(why)
}
