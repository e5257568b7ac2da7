import { formatBytes, formatDuration } from '../../base/index.ts'
import type { Schemas } from '../client/index.ts'
import type { Tone } from './style.ts'

/** `2 h 3 min ago`; `–` for never. */
export function ago(ms: number | null | undefined, nowMs: number): string {
  return ms === null || ms === undefined ? '–' : `${formatDuration(Math.max(0, nowMs - ms))} ago`
}

/** Of what is to come: `in 4 h`. What is due already is due `now`. */
export function until(ms: number | null | undefined, nowMs: number): string {
  if (ms === null || ms === undefined) return '–'
  return ms <= nowMs ? 'now' : `in ${formatDuration(ms - nowMs)}`
}

export function size(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? '–' : formatBytes(bytes)
}

/** `2026-11-21 06:36:40Z`: what an operator pastes into a ticket. */
export function at(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '–' : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** One phrase of progress: `18.2 of 40.0 GiB · 412 MiB/s · 52 s left`. */
export function progressText(progress: Schemas['Progress']): string {
  const parts = [`${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesTotal)}`]
  if (progress.rate !== null) parts.push(`${formatBytes(progress.rate)}/s`)
  if (progress.secondsLeft !== null) parts.push(`${formatDuration(progress.secondsLeft * 1000)} left`)
  if (progress.bottleneck !== null) parts.push(`bottleneck: ${progress.bottleneck}`)
  return parts.join(' · ')
}

export function bar(done: number, total: number, width = 24): string {
  const share = total > 0 ? Math.min(1, done / total) : 0
  const full = Math.round(share * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %`
}

const runTones: { readonly [state in Schemas['RunState']]: Tone } = {
  running: 'running',
  paused: 'attention',
  waiting: 'attention',
  completed: 'ok',
  'completed-with-residue': 'attention',
  failed: 'failed',
  cancelled: 'idle',
  terminated: 'failed',
}

const verdictTones: { readonly [verdict in Schemas['Drill']['verdict']]: Tone } = {
  passed: 'ok',
  failed: 'failed',
  inconclusive: 'attention',
}

const verdicts = Object.keys(verdictTones) as (keyof typeof verdictTones)[]

/**
 * The word for a run and its tone. A drill that ended has done its work whatever it found: what counts is its verdict,
 * with which its sentence begins. Without one nothing is claimed.
 */
export function runWord({
  kind,
  state,
  said,
}: Pick<Schemas['Run'], 'kind' | 'state'> & { readonly said: string | null }): {
  readonly word: string
  readonly tone: Tone
} {
  if (kind !== 'drill' || !state.startsWith('completed')) return { word: state, tone: runTones[state] }
  const verdict = verdicts.find((one) => said?.toLowerCase().startsWith(one) === true)
  return verdict === undefined
    ? { word: `${state}, no verdict`, tone: 'attention' }
    : {
        word: `${state}, ${verdict}`,
        tone: state === 'completed' || verdict === 'failed' ? verdictTones[verdict] : 'attention',
      }
}

export const postureTones: { readonly [state in Schemas['PostureState']]: Tone } = {
  protected: 'ok',
  late: 'attention',
  overdue: 'failed',
  failed: 'failed',
  unprotected: 'failed',
  excluded: 'idle',
}

const signs: { readonly [state in Schemas['StepState']]: string } = {
  scheduled: '○',
  'waiting-for-worker': '…',
  running: '▸',
  retrying: '↻',
  stalled: '!',
  paused: '‖',
  'waiting-for-approval': '?',
  done: '✓',
  skipped: '–',
  failed: '✗',
  compensating: '↶',
  compensated: '↶',
  cancelled: '■',
  residue: '!',
}
export function sign(state: Schemas['StepState']): string {
  return signs[state]
}
export function stepTone(state: Schemas['StepState']): Tone {
  if (state === 'done' || state === 'compensated') return 'ok'
  if (state === 'running' || state === 'compensating') return 'running'
  if (state === 'failed') return 'failed'
  if (state === 'scheduled' || state === 'skipped' || state === 'cancelled') return 'idle'
  return 'attention'
}
