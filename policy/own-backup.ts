import type { KeepRules } from './retention.ts'
import { isWithin } from './watch.ts'

/** When the catalog is written into a repository again. All in milliseconds. */
export interface OwnBackupPace {
  /** After the last change, so that a busy minute is one backup. */
  readonly quietMs: number
  /** After the first change at the latest, however busy it goes on. */
  readonly latestMs: number
  /** Without any change. */
  readonly dailyMs: number
  /** After a try that failed. */
  readonly againMs: number
  /** Older than this it is told: a day, and time for what was away to come back. */
  readonly tooOldMs: number
}

const minute = 60_000
const hour = 60 * minute

export const ownBackupPace: OwnBackupPace = {
  quietMs: 2 * minute,
  latestMs: hour,
  dailyMs: 24 * hour,
  againMs: 10 * minute,
  tooOldMs: 26 * hour,
}

/** Which versions of the catalog a repository keeps. */
export const ownBackupKeeps: KeepRules = { last: 8, daily: 14, weekly: 8, timeZone: 'UTC' }

export interface OwnBackupFacts {
  readonly nowMs: number
  /** When the newest was made; null: none. */
  readonly madeMs: number | null
  /** When the last try began, and whether it failed. */
  readonly triedMs: number | null
  readonly hasFailed: boolean
  /** Of the changes since the newest one; null: nothing has changed. */
  readonly firstChangeMs: number | null
  readonly lastChangeMs: number | null
}

/** Whether the catalog is to be written into the repository now. */
export function isOwnBackupDue(facts: OwnBackupFacts, pace: OwnBackupPace = ownBackupPace): boolean {
  const { nowMs, madeMs, triedMs, firstChangeMs, lastChangeMs } = facts
  if (facts.hasFailed && triedMs !== null && isWithin(triedMs, pace.againMs, nowMs)) return false
  if (facts.hasFailed) return true
  // A clock that was set back must not stop it for as long as it was wrong.
  if (madeMs !== null && (nowMs < madeMs || nowMs - madeMs >= pace.dailyMs)) return true
  if (firstChangeMs === null || lastChangeMs === null) return madeMs === null
  return nowMs - lastChangeMs >= pace.quietMs || nowMs - firstChangeMs >= pace.latestMs
}

/** `none`: not one is there. `old`: a rebuild from it would miss more than a day. */
export function ownBackupState(
  facts: Pick<OwnBackupFacts, 'nowMs' | 'madeMs' | 'hasFailed'>,
  pace: OwnBackupPace = ownBackupPace,
): 'ok' | 'none' | 'old' | 'failing' {
  if (facts.madeMs === null) return 'none'
  // One that is dated ahead of the clock is as old as nobody knows.
  if (!isWithin(facts.madeMs, pace.tooOldMs + 1, facts.nowMs)) return 'old'
  return facts.hasFailed ? 'failing' : 'ok'
}
