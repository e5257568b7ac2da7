import type { Sweep, SweepPoint, SweepSeries } from '#lib/api/types.ts'
import { count, formatCount } from '#lib/format/index.ts'
import { look, type Look } from '#lib/state/tone.ts'

export const sweepLooks: Record<Sweep['state'], Look> = {
  planned: look('idle', 'Planned'),
  waiting: look('warn', 'Waiting', 'clock'),
  removing: look('run', 'Removing'),
  collecting: look('run', 'Collecting'),
  completed: look('ok', 'Done'),
  declined: look('idle', 'Not approved'),
  cancelled: look('idle', 'Cancelled'),
  failed: look('fail', 'Failed'),
}

export const deviationLooks = {
  none: look('ok', 'As the policies say'),
  some: look('warn', 'Deviates'),
  kept: look('warn', 'Kept beyond its rules'),
  vanished: look('fail', 'Gone'),
  overdue: look('warn', 'Sweep overdue', 'clock'),
} as const satisfies Record<string, Look>

export const sweptLooks: Record<SweepPoint['state'], Look> = {
  stays: look('ok', 'Stays'),
  going: look('warn', 'Goes'),
  removed: look('idle', 'Removed'),
  refused: look('warn', 'Refused'),
  spared: look('ok', 'Spared'),
}

export const orphanWords: Record<NonNullable<SweepSeries['orphan']>, string> = {
  'vm-gone': 'its hypervisor no longer lists it',
  'plan-gone': 'its plan no longer writes here',
  'unknown-vm': 'no VM here is known for it',
}

/** Somebody has to say yes. */
export function wantsApproval(sweep: Sweep): boolean {
  return sweep.state === 'waiting' && sweep.waitsFor !== null
}

/** What happens when nobody answers until the wait is over; a moment follows. */
export function waitEndOf({ waitsFor, approvalRequired, asking }: Sweep): string {
  if (waitsFor !== 'approval') return 'It goes on'
  if (approvalRequired === true) return 'A person is required: without an approval it ends, and nothing was removed,'
  const spared = `${asking === 1 ? 'this VM loses' : 'these VMs lose'} nothing`
  if (approvalRequired === false) return `Without an answer ${spared}, and it goes on with the others`
  // Of a sweep that was planned before it was written down.
  return `Without an answer ${spared}; the wait ends`
}

/** The one sentence above the table. */
export function sentenceOf(sweep: Sweep): string {
  const of = `${count(sweep.points, 'point')} of ${count(sweep.series, 'VM')}`
  if (sweep.state === 'completed') {
    return sweep.removed === 0
      ? `Nothing had to go: all ${of} are kept by a rule.`
      : `${formatCount(sweep.removed)} of ${of} removed.`
  }
  if (sweep.going === 0) return `Nothing goes: all ${of} are kept by a rule.`
  return `${formatCount(sweep.going)} of ${of} would go.`
}

export function approveCommand(sweep: Sweep): string {
  return `holdfast retention approve ${sweep.repositoryId} --plan ${sweep.digest}`
}
