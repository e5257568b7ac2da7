import type { SerializedError } from '../../base/index.ts'
import type { DrillCheckResult, DrillInput, DrillResult } from './contract.ts'

/** What a drill has seen. */
export interface Evidence {
  readonly error: SerializedError | null
  readonly firmware: string
  readonly guest: 'up' | 'silent' | 'absent' | 'untried'
  readonly checks: readonly DrillCheckResult[]
  readonly screenshot: string | null
  readonly restoreSeconds: number
  readonly bootSeconds: number | null
  readonly rtoSeconds: number | null
}

export const untried: Evidence = {
  error: null,
  firmware: 'unknown',
  guest: 'untried',
  checks: [],
  screenshot: null,
  restoreSeconds: 0,
  bootSeconds: null,
  rtoSeconds: null,
}

/** Errors that say something about the point; all others say something about the day. */
const blamesThePoint = new Set<string>([
  'ChunkLost',
  'PackDamaged',
  'FormatError',
  'RecordForged',
  'PointNotRestorable',
  'ObjectAbsent',
  'SizeMismatch',
])

export function booted(evidence: Evidence): boolean {
  return evidence.guest === 'up'
}

/**
 * `passed` only if the guest came up *and* something of the restored disks was checked in it: that a kernel starts
 * which was not on them proves nothing (rulings 16). What was not seen is `inconclusive`, never `passed`.
 */
export function verdictOf(input: DrillInput, evidence: Evidence): Omit<DrillResult, 'v' | 'outcome' | 'residue'> {
  const { checks, screenshot, restoreSeconds, bootSeconds, rtoSeconds } = evidence
  const [verdict, why] = judge(input, evidence)
  return {
    verdict,
    why,
    checks,
    screenshot,
    restoreSeconds,
    bootSeconds,
    rtoSeconds: verdict === 'passed' ? rtoSeconds : null,
  }
}

function judge(input: DrillInput, { error, guest, checks, firmware }: Evidence): [DrillResult['verdict'], string] {
  if (error !== null) {
    return [blamesThePoint.has(error.code) ? 'failed' : 'inconclusive', `${error.message} (${error.code})`]
  }
  if (guest === 'absent') return ['inconclusive', 'the guest has no agent that could answer']
  if (guest !== 'up') return ['failed', `the guest did not answer within ${Math.round(input.bootTimeoutMs / 1000)} s`]
  const failed = checks.filter((check) => !check.passed)
  if (failed.length > 0) return ['failed', failed.map((check) => `${check.title}: ${check.detail}`).join('; ')]
  if (checks.length < input.checks.length) return ['inconclusive', 'not all checks were run']
  if (checks.length === 0 && firmware === 'direct-kernel') {
    return ['inconclusive', 'the guest boots a kernel that is not on its disks, and no check looked at the disks']
  }
  if (checks.length === 0)
    return ['passed', 'booted from its own disks and the agent answers; no further check is defined']
  return ['passed', `booted, ${checks.length} of ${checks.length} checks passed`]
}
