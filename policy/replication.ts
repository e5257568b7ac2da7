import { mirrorLagMs } from './mirror.ts'
import { clockMovesMs } from './watch.ts'

/**
 * A pair: a VM and the standby that follows it.
 *
 * `seeding`: no state of it ever came whole · `following` · `failing-over` and `failing-back`: a run moves the guest ·
 * `failed-over`: the standby is the one that runs
 */
export type ReplicationState = 'seeding' | 'following' | 'failing-over' | 'failed-over' | 'failing-back'
/** `accept`: the standby stays where it runs, and nothing follows any more. */
export type ReplicationAct = 'cycle' | 'failover' | 'failback' | 'test' | 'remove' | 'accept'

const second = 1000
/** The tenth would be one too many: the state is written anew (product P-REPL). */
export const mostLinks = 9
/** Shorter promises are refused. */
export const shortestRpoMs = 60 * second
export const defaultRpoMs = 300 * second
export const longestRpoMs = 7 * 86_400 * second
/** A cycle never begins sooner after the end of the one before: what waits to read the VM comes in between. */
const shortestPauseMs = 20 * second
const firstRetryMs = 20 * second
const longestRetryMs = 600 * second
/** For so long a backup that was there before the last cycle ended goes first. */
const backupFirstMs = 600 * second

/**
 * A run that ended without saying which of the two runs leaves `failing-over` or `failing-back`. Every act is then asked of
 * the standby's own record, which refuses what it does not allow; while the run is open, no other one begins.
 */
const allowed: { readonly [act in ReplicationAct]: readonly ReplicationState[] } = {
  cycle: ['seeding', 'following', 'failing-over', 'failing-back'],
  failover: ['following', 'failing-over', 'failing-back'],
  failback: ['failed-over', 'failing-over', 'failing-back'],
  test: ['following'],
  remove: ['seeding', 'following', 'failing-over', 'failing-back'],
  accept: ['failed-over', 'failing-over', 'failing-back'],
}

const because: { readonly [state in ReplicationState]: string } = {
  seeding: 'no state of the standby has come whole yet',
  following: 'the source runs and the standby follows it',
  'failing-over': 'a failover is under way, or has ended without saying who runs',
  'failed-over': 'the standby has taken over',
  'failing-back': 'a failback is under way, or has ended without saying who runs',
}

/** Why this cannot be done now, in words; null: it can. */
export function replicationRefusal(state: ReplicationState, act: ReplicationAct): string | null {
  return allowed[act].includes(state) ? null : because[state]
}

/** Of another pair of the same VM, as far as it concerns this one. */
export interface SiblingPair {
  readonly name: string
  readonly endpointName: string
  readonly state: ReplicationState
}

/** Why nothing else is done with a VM, in words: its guest is, or may be, at the standby of one of these pairs. null: at none. */
export function standingStill(pairs: readonly SiblingPair[]): string | null {
  const moved = pairs.find(({ state }) => state !== 'seeding' && state !== 'following')
  if (moved === undefined) return null
  const where = `${moved.name} on ${moved.endpointName}`
  return moved.state === 'failed-over' ? `${where} has taken over` : `${where} has taken over or may have`
}

/** As `replicationRefusal`, with what is known of the other pairs of the VM: two standbys would be two copies that run. */
export function pairRefusal(
  { state, siblings }: { readonly state: ReplicationState; readonly siblings: readonly SiblingPair[] },
  act: ReplicationAct,
): string | null {
  const refusal = replicationRefusal(state, act)
  if (refusal !== null) return refusal
  if (act === 'cycle' || act === 'failover' || act === 'failback') return standingStill(siblings)
  const [other] = siblings
  // It would follow a source that is off for good, and could be started beside the one that stays.
  if (act === 'accept' && other !== undefined)
    return `${other.name} on ${other.endpointName} would go on to follow a source that nobody uses; remove that standby first`
  return null
}

/** Times in Unix milliseconds. */
export interface ReplicationFacts {
  readonly nowMs: number
  readonly state: ReplicationState
  readonly isPaused: boolean
  readonly rpoMs: number
  /** Instant of the source that the standby holds; null: none. */
  readonly headMs: number | null
  /** When a cycle was last begun; null: never. */
  readonly triedMs: number | null
  /** When the last one ended; null: it runs, or there was none. */
  readonly endedMs: number | null
  /** Cycles that failed since the last that came whole. */
  readonly failures: number
  /** When the oldest backup of the VM began that is still open; null: none is. */
  readonly backupMs: number | null
  /** Other pairs of the VM. */
  readonly siblings: readonly SiblingPair[]
}

/** How long ago that was. What lies ahead was dated by another clock, or before this one was set back: it holds up nothing. */
function agoOf(ms: number, nowMs: number): number {
  return ms - nowMs > clockMovesMs ? Number.POSITIVE_INFINITY : nowMs - ms
}

/** Whether a cycle begins by itself: half way through the promise, so that the other half is there for the cycle itself. */
export function isCycleDue(facts: ReplicationFacts): boolean {
  const { nowMs, state, isPaused, rpoMs, headMs, triedMs, endedMs, failures, backupMs, siblings } = facts
  if (standingStill(siblings) !== null) return false
  if (isPaused || (state !== 'seeding' && state !== 'following')) return false
  if (backupMs !== null && endedMs !== null && endedMs >= backupMs && agoOf(endedMs, nowMs) < backupFirstMs)
    return false
  const triedAgo = triedMs === null ? Number.POSITIVE_INFINITY : agoOf(triedMs, nowMs)
  if (failures > 0)
    return agoOf(endedMs ?? 0, nowMs) >= Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(10, failures - 1))
  if (headMs === null) return triedAgo >= shortestPauseMs
  const pausedMs = endedMs === null ? triedAgo : agoOf(endedMs, nowMs)
  return pausedMs >= Math.min(shortestPauseMs, rpoMs / 2) && agoOf(headMs, nowMs) >= rpoMs / 2
}

/**
 * How far the standby is behind; null: it is not meant to follow now. Of one that never held a state: since it was made. A
 * state that is dated ahead of the clock may be as old as it lies ahead.
 */
export function replicationLagMs(facts: {
  readonly nowMs: number
  readonly state: ReplicationState
  readonly headMs: number | null
  readonly createdMs: number
  readonly siblings: readonly SiblingPair[]
}): number | null {
  const { nowMs, state, headMs, createdMs, siblings } = facts
  if (standingStill(siblings) !== null) return null
  if (state === 'failed-over' || state === 'failing-over' || state === 'failing-back') return null
  return mirrorLagMs(headMs ?? createdMs, nowMs)
}
