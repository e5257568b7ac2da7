import { HoldfastError } from '../../base/index.ts'

/** Why a point that a person wants to remove stays (product P-RUNBOOK). */
export function keptError(stem: string, why: string): HoldfastError {
  return new HoldfastError('RetentionRefused', `${stem.slice(-32)} stays: ${why}`, {
    hint: 'Release its hold, change the policy, or wait until no rule keeps it.',
    data: { stem, why },
  })
}

/** Another repository has no whole copy of it, and is to have one. */
export function neededError(stem: string, why: string): HoldfastError {
  return new HoldfastError('RetentionRefused', `${stem.slice(-32)} stays: the copy here is ${why}`, {
    hint: 'Wait until it is copied there, try that copy again, or remove that one first.',
    data: { stem, why },
  })
}
