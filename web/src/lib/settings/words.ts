import type { Doctor, OwnBackup } from '#lib/api/types.ts'
import { look, type Look } from '#lib/state/tone.ts'

export const ownBackupLooks: Record<OwnBackup['state'], Look> = {
  ok: look('ok', 'Safe'),
  none: look('warn', 'No copy'),
  old: look('fail', 'Too old'),
  failing: look('warn', 'Last try failed'),
}

export const checkLooks: Record<Doctor['checks'][number]['state'], Look> = {
  ok: look('ok', 'Good'),
  attention: look('warn', 'Look at it'),
  failed: look('fail', 'Failed'),
  unknown: look('unknown', 'Not known'),
}

const order = ['failed', 'attention', 'unknown', 'ok'] as const

/** What needs somebody first; within a state as the doctor says it. */
export function byUrgency(checks: Doctor['checks']): Doctor['checks'] {
  return checks.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
}

/** One sentence for the head of the page. */
export function doctorSentence({ checks }: Pick<Doctor, 'checks'>): string {
  const bad = checks.filter(({ state }) => state !== 'ok').length
  if (bad === 0) return `All ${checks.length} checks are good.`
  return `${bad} of ${checks.length} checks ${bad === 1 ? 'needs' : 'need'} somebody.`
}
