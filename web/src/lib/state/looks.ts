import type {
  Attention,
  ChangeState,
  Drill,
  DrillAgendaEntry,
  PostureState,
  RunKind,
  RunState,
  StepState,
  Vm,
} from '#lib/api/types.ts'
import { look, type Look } from './tone.ts'

/** One entry per state of a run; a state that the API adds fails to compile here. */
export const runLooks: Record<RunState, Look> = {
  running: look('run', 'Running'),
  paused: look('idle', 'Paused', 'pause'),
  waiting: look('warn', 'Waiting', 'clock'),
  completed: look('ok', 'Done'),
  'completed-with-residue': look('warn', 'Done, something left'),
  failed: look('fail', 'Failed'),
  cancelled: look('idle', 'Cancelled'),
  terminated: look('fail', 'Terminated'),
}

/**
 * How a run is shown. A drill that ended has done its work whatever it found, so its verdict is shown and not that it
 * ended: `said` is the verdict or the sentence that begins with it. Without one nothing is claimed.
 */
export function runLook(run: { readonly kind: RunKind; readonly state: RunState; readonly said: string | null }): Look {
  const ended = run.state === 'completed' || run.state === 'completed-with-residue'
  if (run.kind !== 'drill' || !ended) return runLooks[run.state]
  const [verdict] = /^(passed|failed|inconclusive)\b/i.exec(run.said ?? '') ?? []
  return verdict ? verdictLooks[verdict.toLowerCase() as Drill['verdict']] : look('unknown', 'Ended')
}

export const stepLooks: Record<StepState, Look> = {
  scheduled: look('idle', 'Not yet', 'next'),
  'waiting-for-worker': look('warn', 'Waiting for worker', 'clock'),
  running: look('run', 'Running'),
  retrying: look('warn', 'Retrying', 'retry'),
  stalled: look('warn', 'Stalled'),
  paused: look('idle', 'Paused', 'pause'),
  'waiting-for-approval': look('warn', 'Waiting for approval', 'user'),
  done: look('ok', 'Done'),
  skipped: look('idle', 'Skipped', 'skip'),
  failed: look('fail', 'Failed'),
  compensating: look('warn', 'Undoing', 'undo'),
  compensated: look('ok', 'Undone', 'undo'),
  cancelled: look('idle', 'Cancelled'),
  residue: look('warn', 'Left behind'),
}

export const postureLooks: Record<PostureState, Look> = {
  protected: look('ok', 'Protected'),
  late: look('warn', 'Late'),
  overdue: look('warn', 'Overdue'),
  failed: look('fail', 'Failed'),
  unprotected: look('fail', 'Unprotected'),
  excluded: look('idle', 'Excluded'),
}

export const verdictLooks: Record<Drill['verdict'], Look> = {
  passed: look('ok', 'Passed'),
  failed: look('fail', 'Failed'),
  inconclusive: look('unknown', 'Inconclusive'),
}

export const changeLooks: Record<ChangeState, Look> = {
  first: look('idle', 'First point', 'info'),
  usual: look('ok', 'Usual'),
  suspicious: look('fail', 'Suspicious change', 'warn'),
  expected: look('ok', 'Expected'),
  attack: look('fail', 'Attack'),
  unknown: look('unknown', 'Not compared'),
}

export const agendaLooks: Record<DrillAgendaEntry['state'], Look> = {
  running: look('run', 'Running'),
  overdue: look('warn', 'Overdue', 'clock'),
  ready: look('idle', 'May begin', 'next'),
  coming: look('idle', 'Coming', 'clock'),
}

export const powerLooks: Record<Vm['power'], Look> = {
  running: look('ok', 'Running'),
  stopped: look('idle', 'Stopped'),
  paused: look('idle', 'Paused', 'pause'),
  suspended: look('idle', 'Suspended', 'pause'),
  'io-error': look('fail', 'Storage error'),
  unknown: look('unknown', 'Not known'),
}

export const attentionLooks: Record<Attention['kind'], Look> = {
  failed: look('fail', 'Failed'),
  'run-failed': look('fail', 'Failed'),
  'point-damaged': look('fail', 'Damaged'),
  'suspicious-change': look('fail', 'Suspicious change', 'warn'),
  'retention-kept': look('warn', 'Kept by no rule'),
  'retention-vanished': look('warn', 'Gone too early'),
  'retention-overdue': look('warn', 'Sweeps overdue'),
  'without-slot': look('warn', 'Without a slot'),
  'unexpected-full': look('warn', 'Read in full'),
  overdue: look('warn', 'Overdue'),
  late: look('warn', 'Late'),
  unprotected: look('fail', 'Unprotected'),
  'no-worker': look('warn', 'No worker'),
  'drill-overdue': look('warn', 'Drill overdue'),
  'drill-failed': look('fail', 'Drill failed'),
  filling: look('warn', 'Filling'),
  'repository-failed': look('fail', 'Unreachable'),
  'hypervisor-failed': look('fail', 'Unreachable'),
  'hypervisor-unlisted': look('unknown', 'Not listed'),
  'hypervisor-empty': look('fail', 'No VMs left'),
  'vms-gone': look('warn', 'VMs gone'),
  residue: look('warn', 'Left behind'),
  waiting: look('warn', 'Waiting', 'clock'),
  'instant-forgotten': look('warn', 'Still from repository', 'clock'),
  'missed-start': look('warn', 'Did not start', 'clock'),
  schedule: look('warn', 'Schedule differs', 'clock'),
  'own-backup': look('warn', 'Catalog not safe'),
  'mirror-lag': look('warn', 'Mirror behind'),
  'replication-lag': look('fail', 'Standby behind', 'clock'),
  'recovery-waiting': look('warn', 'Waits for you', 'user'),
  'recovery-lost': look('fail', 'VM is gone again'),
  'rehearsal-overdue': look('warn', 'Rehearsal overdue', 'clock'),
  'failed-over': look('warn', 'Failed over'),
  'copy-failed': look('warn', 'Copy failed'),
  'copy-damaged': look('warn', 'Copy damaged'),
  'copies-short': look('warn', 'Too few copies'),
  engine: look('unknown', 'Not answering'),
  'repository-lost': look('fail', 'Not there'),
  'repository-unseen': look('unknown', 'Not seen'),
  'points-vanished': look('fail', 'Points gone'),
  'points-unreadable': look('unknown', 'Not readable'),
  clock: look('fail', 'Clock moved', 'clock'),
  'channel-failing': look('warn', 'Not delivered'),
}

export const kindWords: Record<
  RunKind,
  { readonly noun: string; readonly icon: 'disk' | 'restore' | 'drills' | 'clock' | 'plans' | 'search' | 'copy' }
> = {
  backup: { noun: 'Backup', icon: 'disk' },
  restore: { noun: 'Restore', icon: 'restore' },
  drill: { noun: 'Drill', icon: 'drills' },
  retention: { noun: 'Sweep', icon: 'clock' },
  plan: { noun: 'Plan', icon: 'plans' },
  verify: { noun: 'Verify', icon: 'search' },
  instant: { noun: 'Instant restore', icon: 'restore' },
  mirror: { noun: 'Mirror', icon: 'copy' },
  files: { noun: 'Files', icon: 'restore' },
  replication: { noun: 'Replication', icon: 'copy' },
  failover: { noun: 'Failover', icon: 'restore' },
  recovery: { noun: 'Recovery plan', icon: 'plans' },
}
