import { formatDuration } from '../base/index.ts'
import { phaseTitles, phasesOf } from './dictionary.ts'
import { latestMoves } from './progress.ts'
import type { RunEvents } from './run.ts'
import type { Phase, PhaseView, Step, StepState } from './types.ts'

/** The worst first: what a phase is, is what the worst of its steps is. */
const severity: readonly StepState[] = [
  'failed',
  'residue',
  'stalled',
  'waiting-for-worker',
  'retrying',
  'paused',
  'waiting-for-approval',
  'compensating',
  'running',
  'scheduled',
  'cancelled',
  'compensated',
  'done',
  'skipped',
]

/** All phases of the kind in their order, and those that only this run has; each with its steps. */
export function toPhases(run: RunEvents, steps: readonly Step[]): readonly PhaseView[] {
  const usual = phasesOf[run.kind]
  const extra = [...new Set(steps.map(({ phase }) => phase))].filter((phase) => !usual.includes(phase))
  return [...usual, ...extra].map((phase) =>
    toPhase(
      phase,
      run,
      steps.filter((step) => step.phase === phase),
    ),
  )
}

function toPhase(phase: Phase, run: RunEvents, steps: readonly Step[]): PhaseView {
  const state = phaseState(run, steps)
  const starts = steps.map(({ startedMs }) => startedMs).filter((ms) => ms !== null)
  const ends = steps.map(({ endedMs }) => endedMs).filter((ms) => ms !== null)
  return {
    phase,
    title: phaseTitles[phase],
    state,
    summary: summaryOf(phase, state, steps),
    startedMs: starts.length === 0 ? null : Math.min(...starts),
    endedMs: steps.length > 0 && ends.length === steps.length ? Math.max(...ends) : null,
    steps,
  }
}

function phaseState(run: RunEvents, steps: readonly Step[]): StepState {
  if (steps.length === 0) return run.endedMs === null ? 'scheduled' : 'skipped'
  const worst = severity.find((state) => steps.some((step) => step.state === state)) ?? 'scheduled'
  // Where another round has put it right, or the cleaning up was the plan, undoing is no trouble.
  return worst === 'compensated' && run.state.startsWith('completed') ? 'done' : worst
}

function summaryOf(phase: Phase, state: StepState, steps: readonly Step[]): string {
  if (steps.length === 0) return state === 'skipped' ? 'not reached' : ''
  const trouble = steps.find((step) => step.state === state && step.error !== null && state !== 'done')
  if (trouble?.error) return trouble.error.message
  // A check that failed ran well: what it found is its detail, not an error. So is what a step that was ended says of itself.
  const found = steps.find(({ state: one, detail }) => one === state && isTold(one) && detail !== null)
  if (found?.detail) return `${found.title}: ${found.detail}`
  const moves = latestMoves(steps)
  if ((phase === 'copy' || phase === 'restore') && moves.length > 0) return moveSummary(moves)
  if (phase === 'backups') {
    const backups = steps.filter(({ quiet }) => !quiet)
    return `${backups.filter(({ state: one }) => one === 'done').length} of ${backups.length} VMs done`
  }
  if (phase === 'tiers') {
    const vms = steps.filter(({ id, quiet }) => !quiet && !id.startsWith('tier:'))
    const open = vms.filter(({ state: one }) => one === 'running').length
    if (open > 0) return `${vms.length} VM${vms.length === 1 ? '' : 's'} begun, ${open} of them there or on the way`
    const back = vms.filter(({ state: one }) => one === 'done').length
    return `${back} of ${vms.length} VM${vms.length === 1 ? '' : 's'} came back`
  }
  const telling = steps.findLast(({ quiet, detail }) => !quiet && detail !== null)
  if (telling?.detail && (phase !== 'prepare' || steps.filter(({ quiet }) => !quiet).length === 1))
    return telling.detail
  const shown = steps.filter(({ quiet }) => !quiet).length
  return shown === 0 ? '' : `${shown} step${shown === 1 ? '' : 's'}${durationOf(steps)}`
}

function isTold(state: StepState): boolean {
  return state === 'failed' || state === 'cancelled'
}

function moveSummary(moves: readonly Step[]): string {
  const done = moves.filter(({ state }) => state === 'done').length
  const open = moves.find(({ state }) => state !== 'done')
  const total = `${done} of ${moves.length} disk${moves.length === 1 ? '' : 's'} done`
  if (open?.progress === null || open?.progress === undefined) return total
  const { bytesDone, bytesTotal } = open.progress
  const percent = bytesTotal === 0 ? 0 : Math.floor((bytesDone * 100) / bytesTotal)
  return `${total}, ${open.title.split(' ')[0] ?? 'one'} at ${percent} %`
}

function durationOf(steps: readonly Step[]): string {
  const starts = steps.map(({ startedMs }) => startedMs).filter((ms) => ms !== null)
  const ends = steps.map(({ endedMs }) => endedMs).filter((ms) => ms !== null)
  if (starts.length === 0 || ends.length < steps.length) return ''
  return ` in ${formatDuration(Math.max(0, Math.max(...ends) - Math.min(...starts)))}`
}
