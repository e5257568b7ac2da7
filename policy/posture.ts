import { clockMovesMs } from './watch.ts'

/**
 * Protection posture of one VM (product P-POSTURE): the newest validated point against the promise, never the colour of
 * the last run. `late`, `overdue` and `failed` are the three ways of being at risk.
 */
export type PostureState = 'protected' | 'late' | 'overdue' | 'failed' | 'unprotected' | 'excluded'

/** All times in Unix milliseconds. */
export interface PostureFacts {
  readonly nowMs: number
  readonly rpoMs: number
  readonly excluded: boolean
  /** Instant of the newest validated point that is not dated ahead, else of one that is; null: there is none. */
  readonly newestPointMs: number | null
  readonly backupRunning: boolean
  /** A run of a plan that is open has it among what is still to be backed up, or is being. */
  readonly inPlanRun: boolean
  /** Longest of the last ten completed backups (the 95th percentile of ten by nearest rank); null: none yet. */
  readonly usualDurationMs: number | null
  /** The newest ended backup that started after the newest point, and ended in failure. */
  readonly lastAttemptFailed: boolean
}

export interface Posture {
  readonly state: PostureState
  /** Age of the newest point, negative where it is dated ahead; null without one. */
  readonly ageMs: number | null
}

/**
 * What a start is spread by (`ScheduleTiming.jitterMs`), of a plan that starts as often as the RPO says: one that comes so
 * much after the one before is on time.
 */
export function startSpread(rpoMs: number): number {
  return Math.min(Math.floor(rpoMs / 10), spreadMs)
}
/** As `timingOf` has it. */
export const spreadMs = 15 * 60_000

/** How far beyond the RPO a VM still counts as protected while the run that renews it is on time. */
export function renewalGrace(rpoMs: number, usualDurationMs: number | null): number {
  return Math.min(usualDurationMs ?? 0, Math.floor(rpoMs / 4))
}

/**
 * While the run that renews it is on time, a quarter of the RPO at most: the spread of its start, and then what it usually
 * takes. How long the others of its plan take is nothing that its own backups say: in a run of a plan it has all of the
 * quarter. What tries again after a failure is not on time.
 */
function graceOf({ rpoMs, usualDurationMs, backupRunning, inPlanRun, lastAttemptFailed }: PostureFacts): number {
  const most = Math.floor(rpoMs / 4)
  const spread = startSpread(rpoMs)
  if (lastAttemptFailed) return spread
  if (inPlanRun) return most
  return backupRunning ? Math.min(spread + renewalGrace(rpoMs, usualDurationMs), most) : spread
}

export function posture(facts: PostureFacts): Posture {
  const ageMs = facts.newestPointMs === null ? null : facts.nowMs - facts.newestPointMs
  return { state: stateOf(facts, ageMs), ageMs }
}

/** By more than clocks differ: a point from the future proves nothing about how old it is. */
export function isDatedAhead(ageMs: number): boolean {
  return ageMs < -clockMovesMs
}

function stateOf(facts: PostureFacts, ageMs: number | null): PostureState {
  if (facts.excluded) return 'excluded'
  if (ageMs === null) return 'unprotected'
  if (!isDatedAhead(ageMs) && ageMs <= facts.rpoMs + graceOf(facts)) return 'protected'
  if (facts.backupRunning) return 'late'
  return facts.lastAttemptFailed ? 'failed' : 'overdue'
}
