import type { SerializedError } from '../../base/index.ts'
import type { BootReads } from '../../activities/instant/types.ts'
import type { RestorePlan } from '../../activities/restore/types.ts'
import { blamesThePoint } from '../shared/failures.ts'
import { fitting, fittingWhy } from './fitting.ts'
import type { DrillCheckResult, DrillInput, DrillResult } from './contract.ts'

/** What a drill has seen. */
export interface Evidence {
  /** As the point has them; empty until its restore is done. */
  readonly disks: RestorePlan['disks']
  readonly error: SerializedError | null
  readonly guest: 'up' | 'silent' | 'absent' | 'untried'
  readonly checks: readonly DrillCheckResult[]
  readonly screenshot: string | null
  readonly restoreSeconds: number
  readonly bootSeconds: number | null
  readonly rtoSeconds: number | null
  /** What the boot has read, of one out of the repository. */
  readonly boot: BootReads | null
}

export const untried: Evidence = {
  disks: [],
  error: null,
  guest: 'untried',
  checks: [],
  screenshot: null,
  restoreSeconds: 0,
  bootSeconds: null,
  rtoSeconds: null,
  boot: null,
}

type Asked = Pick<DrillInput, 'checks' | 'bootTimeoutMs'>

/**
 * `passed` only if the guest came up *and* something of the restored disks was checked in it: that it starts and its
 * agent answers says nothing of what is on them (rulings 16). What was not seen is `inconclusive`, never `passed`; what
 * was seen to be wrong is `failed`, whatever went wrong afterwards.
 */
export function verdictOf(input: Asked, evidence: Evidence): Omit<DrillResult, 'v' | 'outcome' | 'residue'> {
  const { checks, screenshot, restoreSeconds, bootSeconds, rtoSeconds } = evidence
  const [verdict, why] = judge(input, evidence)
  return {
    verdict,
    why: fittingWhy(why),
    checks: fitting(checks),
    screenshot,
    restoreSeconds,
    bootSeconds,
    rtoSeconds: verdict === 'passed' ? rtoSeconds : null,
  }
}

function judge(input: Asked, { error, guest, checks }: Evidence): [DrillResult['verdict'], string] {
  const failed = checks.filter((check) => !check.passed)
  const broke = error === null ? [] : [`${error.message} (${error.code})`]
  const unfit = checks.find((check, at) => !check.passed && input.checks[at]?.prepares)
  if (unfit !== undefined)
    return ['inconclusive', `the guest could not be prepared, so it was not asked: ${unfit.title}: ${unfit.detail}`]
  if (failed.length > 0) {
    return ['failed', [...failed.map((check) => `${check.title}: ${check.detail}`), ...broke].join('; ')]
  }
  if (guest === 'silent') {
    return ['failed', `the guest did not answer within ${Math.round(input.bootTimeoutMs / 1000)} s`]
  }
  if (error !== null) return [blamesThePoint(error) ? 'failed' : 'inconclusive', broke.join()]
  if (guest === 'absent') return ['inconclusive', 'the guest has no agent that could answer']
  if (guest === 'untried') return ['inconclusive', 'the guest was not booted']
  if (!input.checks.some(({ looksAtDisks = true }) => looksAtDisks)) {
    return ['inconclusive', 'the guest boots and its agent answers, but no check looked at what is on its disks']
  }
  if (checks.length < input.checks.length) return ['inconclusive', 'not all checks were run']
  const first = input.checks.filter(({ count }) => count?.expected === null)
  const alone = first.map(
    ({ title }) => `; “${title}” was counted for the first time, so with nothing to compare it with`,
  )
  return ['passed', `booted, ${checks.length} of ${checks.length} checks passed${alone.join('')}`]
}
