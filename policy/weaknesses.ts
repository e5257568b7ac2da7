import type { CopyShortage } from './copies.ts'
import { firstDrillMs } from './drills.ts'
import type { Quiesce } from './plan.ts'
import type { KeepRules } from './retention.ts'

/**
 * Ways in which a VM that is backed up on time may still not come back (product P-POSTURE). Each was somebody's bad day:
 * backed up and never tested, kept too short, not quiet when it was copied.
 */
export type Weakness =
  | 'suspicious-change'
  | 'never-tested'
  | 'test-outdated'
  | 'test-failed'
  | 'one-repository'
  | CopyShortage
  | 'copies-late'
  | 'kept-too-short'
  | 'crash-consistent'
  | 'not-application-consistent'
  | 'no-plan'

/** All times in Unix milliseconds. */
export interface WeaknessFacts {
  readonly nowMs: number
  readonly excluded: boolean
  /** How often a drill is promised; null: never. */
  readonly drillEveryMs: number | null
  readonly lastPassedMs: number | null
  readonly lastVerdict: 'passed' | 'failed' | 'inconclusive' | null
  /** Instant of the oldest and consistency of the newest validated point; null: there is none. */
  readonly firstPointMs: number | null
  readonly newestConsistency: 'crash' | 'filesystem' | 'application' | null
  /** The VM did not run when it was made: nothing was to be frozen. */
  readonly isNewestAtRest: boolean
  /** Repositories from which its newest point can be restored. */
  readonly repositories: number
  /** What its category promises of copies and its newest point does not have, also not under way. */
  readonly shortages: readonly CopyShortage[]
  /** A point of it has not arrived in a mirror for longer than its plan takes to make the next one. */
  readonly areCopiesLate: boolean
  /** What changed before a point of it was flagged, and nobody has looked. */
  readonly isSuspicious: boolean
  readonly quiesce: Quiesce
  /** The plan that made the newest point wants application consistency. */
  readonly wantsApplication: boolean
  /** Rules by which its points age, of each plan that takes it. */
  readonly keep: readonly KeepRules[]
  readonly rpoMs: number
}

export const weaknessWords: { readonly [code in Weakness]: { readonly title: string; readonly hint: string } } = {
  'suspicious-change': {
    title: 'What changed on it looks like destruction',
    hint: 'Look at the point that is flagged; hold the last one before it until you know.',
  },
  'never-tested': {
    title: 'Backed up, never tested',
    hint: 'Run a drill: until one has passed nobody knows whether it comes back.',
  },
  'test-outdated': { title: 'The last test is too old', hint: 'Run a drill; its category promises one more often.' },
  'test-failed': { title: 'The last test failed', hint: 'Look at the evidence of the drill, and test again.' },
  'one-repository': {
    title: 'Its newest point lies in one repository only',
    hint: 'Give its plan a second target as a mirror: whatever takes the repository takes the point with it.',
  },
  'too-few-copies': {
    title: 'It has fewer copies than its category promises',
    hint: 'Give its plan another target as a mirror.',
  },
  'too-few-media': {
    title: 'Its copies lie on fewer kinds of media than its category promises',
    hint: 'Give its plan a target on another one. What a repository is on is said by holdfast repository set.',
  },
  'not-off-site': {
    title: 'Fewer of its copies are off site than its category promises',
    hint: 'Give its plan a target that stands elsewhere. If one does, say so: holdfast repository set NAME --stands-at PLACE.',
  },
  'not-immutable': {
    title: 'Fewer of its copies are immutable than its category promises',
    hint: 'Give its plan a target that locks its points: holdfast repo init with --lock-days.',
  },
  'copies-late': {
    title: 'Its copies in another repository lag',
    hint: 'The page of its repository says how far, and the page of a point why its copy failed.',
  },
  'kept-too-short': {
    title: 'Points are kept for less than a week',
    hint: 'Damage is often found later than that: keep daily or weekly points for longer.',
  },
  'crash-consistent': {
    title: 'Its points are crash-consistent only',
    hint: 'Install and start the guest agent, so that file systems are frozen for the snapshot.',
  },
  'not-application-consistent': {
    title: 'Its newest point is not application consistent, as its plan wants it',
    hint: 'Its run says which hook failed. Try the program in the guest, or take the hook out of the plan.',
  },
  'no-plan': { title: 'No plan takes it', hint: 'Add it to a plan: nobody backs it up by itself.' },
}

const dayMs = 86_400_000
/** Damage that nobody noticed for a week is no rarity. */
const shortestReachMs = 7 * dayMs

/** In the order of `weaknessWords`. A VM that is left out on purpose has none, one without points only what it lacks most. */
export function weaknesses(facts: WeaknessFacts): Weakness[] {
  if (facts.excluded) return []
  const found: Weakness[] = []
  if (facts.firstPointMs !== null) {
    if (facts.isSuspicious) found.push('suspicious-change')
    const test = testWeakness(facts, facts.firstPointMs)
    if (test !== null) found.push(test)
    if (facts.repositories === 1) found.push('one-repository')
    found.push(...facts.shortages)
    if (facts.areCopiesLate) found.push('copies-late')
    if (facts.keep.length > 0 && facts.keep.every((rules) => reachMs(rules, facts.rpoMs) < shortestReachMs))
      found.push('kept-too-short')
    if (!facts.isNewestAtRest && facts.quiesce !== 'none') {
      if (facts.newestConsistency === 'crash') found.push('crash-consistent')
      else if (facts.wantsApplication && facts.newestConsistency !== 'application')
        found.push('not-application-consistent')
    }
  }
  if (facts.keep.length === 0) found.push('no-plan')
  return found
}

function testWeakness(
  { nowMs, drillEveryMs, lastPassedMs, lastVerdict }: WeaknessFacts,
  firstPointMs: number,
): Weakness | null {
  if (lastVerdict === 'failed') return 'test-failed'
  if (drillEveryMs === null) return null
  if (lastPassedMs === null) return nowMs - firstPointMs > firstDrillMs ? 'never-tested' : null
  return nowMs - lastPassedMs > drillEveryMs ? 'test-outdated' : null
}

/** How far back the oldest point lies that these rules keep, once they have worked for long enough. */
function reachMs(rules: KeepRules, rpoMs: number): number {
  const { last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0, withinMs = 0 } = rules
  return Math.max(
    last * rpoMs,
    hourly * 3_600_000,
    daily * dayMs,
    weekly * 7 * dayMs,
    monthly * 28 * dayMs,
    yearly * 365 * dayMs,
    withinMs,
  )
}
