/**
 * What follows from looks into the repositories (the RPO watchdog): whether what the catalog believes was seen lately, and
 * whether the clock by which ages are told can be believed. All times in milliseconds.
 */
export interface LookFacts {
  readonly nowMs: number
  /** Since when there is something to look at: the repository's registration. */
  readonly sinceMs: number
  /** The last look that came to its end; null: none did. */
  readonly lookedMs: number | null
  /** Code of the error of the last look; null: it came to its end. */
  readonly error: string | null
}

/**
 * `seen`: what the catalog says was found there lately. `lost`: it was there, and its place now answers that it is not.
 * `blind`: nobody can tell; that something could not be read never means that it is absent.
 */
export type LookState = 'seen' | 'lost' | 'blind'

/** Looks that fail for so long are passing: a mount that comes back, a store that restarts. */
export const blindAfterMs = 30 * 60_000

/** What a place says that answers and has no repository of ours. No waiting mends it. */
const gone = new Set(['RepositoryMissing', 'RepositoryForeign'])

/** Whether an error (its code) is the answer of a place that it holds no repository of ours. */
export function saysGone(error: string | null): boolean {
  return error !== null && gone.has(error)
}

export function lookState({ nowMs, sinceMs, lookedMs, error }: LookFacts): LookState {
  if (saysGone(error) && lookedMs !== null) return 'lost'
  // An age that is negative is no proof of anything.
  const ageMs = nowMs - (lookedMs ?? sinceMs)
  return ageMs > blindAfterMs || ageMs < -blindAfterMs ? 'blind' : 'seen'
}

/** The wall clock, and one that only ever goes forward at its own pace, read at the same moment. */
export interface ClockReading {
  readonly wallMs: number
  readonly steadyMs: number
}

export interface ClockView {
  /** By how much the wall clock has moved against the steady one since `base`; negative: back. */
  readonly driftMs: number
  /** Never behind what the steady clock says: a wall clock set back makes no point younger. */
  readonly nowMs: number
}

export function viewClock(base: ClockReading, now: ClockReading): ClockView {
  const expectedMs = base.wallMs + (now.steadyMs - base.steadyMs)
  return { driftMs: now.wallMs - expectedMs, nowMs: Math.max(now.wallMs, expectedMs) }
}

/** A clock that is disciplined moves by seconds. */
export const clockMovesMs = 2 * 60_000

/**
 * Whether less than `ms` has passed since then. What lies further ahead than clocks differ was dated before this one was set
 * back: nothing waits until it catches up.
 */
export function isWithin(sinceMs: number, ms: number, nowMs: number): boolean {
  const agoMs = nowMs - sinceMs
  return agoMs >= -clockMovesMs && agoMs < ms
}

export function hasMoved(driftMs: number): boolean {
  return Math.abs(driftMs) > clockMovesMs
}
