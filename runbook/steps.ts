import type { SerializedError } from '../base/index.ts'
import type { Start } from './activities.ts'
import { remedy, retryNow, startWorker } from './actions.ts'
import { detailOf, resumeNote } from './details.ts'
import { entryOf, isMove } from './dictionary.ts'
import { fieldsOf } from './events.ts'
import { progressOf } from './progress.ts'
import type { RunEvents } from './run.ts'
import type { NextAction, RunFacts, Step, StepAttempt, StepState } from './types.ts'

/** No byte for so long, or no word from the worker, is shown as stalled. */
const quietMs = 15_000
/** Payloads carry references only; whatever looks like more than that is not shown. */
const secretNames = /passphrase|password|^secret$|authorization/i

/**
 * Starts of one step, oldest first, become one step: a copy that was begun again after a pause or a full repository is
 * the same line with one more attempt. A step that ended well and comes again (another round) is a line of its own.
 */
export function groupStarts(starts: readonly Start[]): readonly (readonly Start[])[] {
  const groups: Start[][] = []
  const latest = new Map<string, Start[]>()
  for (const start of starts) {
    const group = latest.get(start.base)
    const before = group?.at(-1)
    if (
      group !== undefined &&
      before !== undefined &&
      before.end !== 'completed' &&
      before.end !== 'open' &&
      before.end !== 'skipped'
    ) {
      group.push(start)
      continue
    }
    const fresh = [start]
    groups.push(fresh)
    latest.set(start.base, fresh)
  }
  return groups
}

export function toStep(group: readonly Start[], run: RunEvents, facts: RunFacts): Step | null {
  const last = group.at(-1)
  if (last === undefined) return null
  const compensates = undoneBy(last.base)
  const state = stateOf(last, run, facts, compensates !== null)
  const attempts = attemptsOf(group)
  const waitsUntil = waitOf(last, run)
  const error = state === 'done' || state === 'compensated' ? null : errorOf(group, run)
  const { phase, title, quiet } = entryOf(last.type, last.base, run.kind)
  return {
    id: last.id,
    title: last.title ?? title,
    detail: detailOf(last),
    phase: compensates === null ? phase : phaseOfUndo(last.type, compensates, run.kind),
    state,
    startedMs: group[0]?.startedMs ?? group[0]?.scheduledMs ?? null,
    endedMs: last.endedMs,
    attempt: attempts.length,
    maxAttempts: last.maxAttempts,
    nextAttemptMs: state === 'retrying' ? (waitsUntil ?? last.pending?.nextAttemptMs ?? null) : null,
    worker: last.worker,
    queue: last.queue,
    progress: isMove(last.type) ? progressOf(last) : null,
    attempts,
    error,
    compensates,
    input: withoutSecrets(last.input),
    result: withoutSecrets(last.result),
    events: group.flatMap(({ events }) => events),
    actions: actionsOf(state, error, last.queue, run, waitsUntil !== null),
    quiet: quiet === true && state !== 'failed',
  }
}

/** Of a step that its run, not a person, has ended before it knew more: what its start before had met. */
function errorOf(group: readonly Start[], run: RunEvents): SerializedError | null {
  const last = group.at(-1)
  if (last === undefined) return null
  const isCutOff = last.end === 'cancelled' && run.state !== 'cancelled' && !run.isPaused
  const before = isCutOff ? group.at(-2)?.error : null
  return last.error ?? last.lastError ?? before ?? null
}

function stateOf(last: Start, run: RunEvents, facts: RunFacts, isUndo: boolean): StepState {
  if (last.end === 'skipped') return 'skipped'
  if (last.end === 'completed') return isUndo ? 'compensated' : foundTrouble(last) ? 'failed' : 'done'
  if (last.end === 'failed') {
    if (isUndo) return 'residue'
    return run.endedMs === null && waitOf(last, run) !== null ? 'retrying' : 'failed'
  }
  if (last.end === 'cancelled') return run.isPaused && run.endedMs === null ? 'paused' : 'cancelled'
  if (run.endedMs !== null) return run.state === 'cancelled' ? 'cancelled' : 'failed'
  return openState(last, facts, isUndo)
}

/** An activity that ended well and says that the guest did not: for who reads the runbook, the step has failed. */
function foundTrouble({ type, result }: Start): boolean {
  const { passed, state, verdict } = fieldsOf(result)
  if (type === 'child:restoreDrill') return verdict !== 'passed'
  if (type === 'runGuestCheck') return passed === false
  return type === 'waitForGuest' && state !== undefined && state !== 'up'
}

function openState(last: Start, facts: RunFacts, isUndo: boolean): StepState {
  const { pending } = last
  if (last.type.startsWith('child:')) return 'running'
  const waitsForWorker = pending === null || pending.state === 'scheduled'
  const isDue =
    pending?.nextAttemptMs === null || pending?.nextAttemptMs === undefined || pending.nextAttemptMs <= facts.nowMs
  if (waitsForWorker && isDue && isDeaf(last.queue, facts) && last.startedMs === null) return 'waiting-for-worker'
  if (pending !== null && pending.state === 'scheduled' && last.attempt > 1) {
    return isDue && isDeaf(last.queue, facts) ? 'waiting-for-worker' : 'retrying'
  }
  if (pending?.state === 'paused') return 'paused'
  if (pending === null || pending.state === 'scheduled') return last.startedMs === null ? 'scheduled' : 'running'
  if (isUndo) return 'compensating'
  return isStalled(last, facts) ? 'stalled' : 'running'
}

function isStalled({ heartbeat, pending, type }: Start, facts: RunFacts): boolean {
  if (!isMove(type) || pending === null) return false
  const silentMs = pending.heartbeatMs === null ? 0 : facts.nowMs - pending.heartbeatMs
  if (silentMs > quietMs) return true
  return heartbeat !== null && heartbeat.stage === 'moving' && heartbeat.quietMs > quietMs
}

/** Known to have no poller: a queue of which nothing is known is not called deaf. */
export function isDeaf(queue: string | null, facts: RunFacts): boolean {
  if (queue === null) return false
  const poller = fieldsOf(fieldsOf(facts.pollers)[queue])
  return poller['count'] === 0
}

/** When a failed step looks again by itself, if it waits for a person. */
function waitOf(last: Start, run: RunEvents): number | null {
  if (last.end !== 'failed' || run.endedMs !== null || last.error === null) return null
  const { message } = last.error
  const known = run.waiting.find(({ summary }) => summary.includes(message.slice(0, 60)))
  return known?.untilMs ?? null
}

function attemptsOf(group: readonly Start[]): readonly StepAttempt[] {
  const attempts: StepAttempt[] = []
  for (const start of group) {
    for (let before = 1; before < start.attempt; before += 1) {
      const isLast = before === start.attempt - 1
      attempts.push({
        attempt: attempts.length + 1,
        startedMs: null,
        endedMs: null,
        worker: null,
        error: isLast ? start.lastError : null,
        note: isLast ? (start.lastError?.message ?? null) : null,
      })
    }
    attempts.push({
      attempt: attempts.length + 1,
      startedMs: start.startedMs,
      endedMs: start.endedMs,
      worker: start.worker,
      error: start.error,
      note: noteOf(start, attempts.length > 0),
    })
  }
  return attempts
}

function noteOf(start: Start, isLater: boolean): string | null {
  if (start.end === 'cancelled') return 'stopped on request'
  if (start.end === 'failed') return start.error?.message ?? null
  return isLater && isMove(start.type) ? resumeNote(start) : null
}

function actionsOf(
  state: StepState,
  error: SerializedError | null,
  queue: string | null,
  run: RunEvents,
  waits: boolean,
): readonly NextAction[] {
  const first = (actions: readonly Omit<NextAction, 'primary'>[]): readonly NextAction[] =>
    actions.map((action, index) => ({ ...action, primary: index === 0 }))
  if (state === 'waiting-for-worker' && queue !== null) return first([startWorker(queue)])
  if (state === 'retrying' || state === 'stalled')
    return first([...(waits ? remedy(error) : []), retryNow(run.workflowId)])
  if (state === 'failed' || state === 'residue') return first(remedy(error))
  return []
}

/** `undo:open-point:abort` undoes `open-point`. */
function undoneBy(base: string): string | null {
  return /^undo:(.+):[^:]+$/.exec(base)?.[1] ?? null
}

function phaseOfUndo(type: string, of: string, kind: RunEvents['kind']): Step['phase'] {
  if (type === 'endSession') return 'copy'
  if (type === 'powerVm') return of === 'power-on' ? 'boot' : 'prepare'
  return entryOf(type, '', kind).phase
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, member]) => [
    name,
    secretNames.test(name) && typeof member === 'string' ? '[secret]' : withoutSecrets(member),
  ])
  return Object.fromEntries(entries)
}
