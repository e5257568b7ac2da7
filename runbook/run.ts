import type { SerializedError } from '../base/index.ts'
import { allPayloads, fieldsOf, firstPayload, numberOf, textOf } from './events.ts'
import type { Event } from './events.ts'
import { failureOf } from './failures.ts'
import { kindOf, type RunKind } from './kinds.ts'
import type { DrillVerdict, OperatorNote, ResidueRow, RunState } from './types.ts'

/** What the events say of the run as a whole. */
export interface RunEvents {
  readonly workflowId: string
  readonly runId: string
  readonly kind: RunKind
  readonly input: { readonly [name: string]: unknown }
  readonly startedMs: number
  readonly endedMs: number | null
  readonly state: RunState
  readonly verdict: DrillVerdict | null
  readonly result: { readonly [name: string]: unknown }
  readonly error: SerializedError | null
  readonly notes: readonly OperatorNote[]
  readonly isPaused: boolean
  /** Why it stands still with the run that started it, and goes on with that; null: it does not. */
  readonly held: { readonly reason: string; readonly releases: boolean } | null
  /** When its window opens, in words; null: it does not wait for that. */
  readonly outsideUntil: string | null
  /** Where it waits for a free slot; null: it does not. */
  readonly slotWait: string | null
  /** Why it waits for a person, and when it looks again by itself. */
  readonly waiting: readonly { readonly summary: string; readonly untilMs: number }[]
}

const kinds: { readonly [workflow: string]: RunKind } = {
  backupVm: 'backup',
  restoreVm: 'restore',
  restoreDrill: 'drill',
  retentionSweep: 'retention',
  planRun: 'plan',
  verifyRepository: 'verify',
  instantRestore: 'instant',
  mirrorRepository: 'mirror',
  fileRestore: 'files',
  restoreFiles: 'restore',
  replicateVm: 'replication',
  failOver: 'failover',
  testFailover: 'failover',
  recoveryPlan: 'recovery',
}

export function readRun(events: readonly Event[]): RunEvents {
  const started = events.find(({ type }) => type === 'WORKFLOW_EXECUTION_STARTED')
  const workflowId = textOf(started?.at['workflowId']) ?? ''
  const end = events.findLast(({ type }) => type in ends)
  const notes = readNotes(events)
  const held = heldNow(events)
  const isPausedByHand = isPausedNow(events)
  const outsideUntil = isPausedByHand ? null : (readWaiting(events, outsideWindow)[0]?.summary ?? null)
  const isPaused = held !== null || isPausedByHand || outsideUntil !== null
  const waiting = readWaiting(events, 'waiting: ')
  const result = fieldsOf(firstPayload(end?.at['result']))
  const kind = kinds[textOf(fieldsOf(started?.at['workflowType'])['name']) ?? ''] ?? kindOf(workflowId) ?? 'backup'
  return {
    workflowId,
    runId: textOf(started?.at['originalExecutionRunId']) ?? textOf(started?.at['firstExecutionRunId']) ?? '',
    kind,
    input: fieldsOf(firstPayload(started?.at['input'])),
    startedMs: started?.ms ?? events[0]?.ms ?? 0,
    endedMs: end?.ms ?? null,
    state: stateOf(end, result, isPaused, waiting.length > 0),
    verdict: kind === 'drill' ? (verdicts.find((verdict) => verdict === result['verdict']) ?? null) : null,
    result,
    error: end === undefined ? null : failureOf(end.at['failure']),
    notes,
    isPaused,
    held,
    outsideUntil,
    slotWait: readWaiting(events, 'waiting for a free slot: ')[0]?.summary ?? null,
    waiting,
  }
}

const verdicts: readonly DrillVerdict[] = ['passed', 'failed', 'inconclusive']

const ends: { readonly [type: string]: RunState } = {
  WORKFLOW_EXECUTION_COMPLETED: 'completed',
  WORKFLOW_EXECUTION_FAILED: 'failed',
  WORKFLOW_EXECUTION_TIMED_OUT: 'failed',
  WORKFLOW_EXECUTION_CANCELED: 'cancelled',
  WORKFLOW_EXECUTION_TERMINATED: 'terminated',
  // It goes on in its next part, which is a run of its own.
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 'completed',
}

function stateOf(
  end: Event | undefined,
  result: { readonly [name: string]: unknown },
  isPaused: boolean,
  isWaiting: boolean,
): RunState {
  if (end === undefined) return isPaused ? 'paused' : isWaiting ? 'waiting' : 'running'
  const state = ends[end.type] ?? 'failed'
  return state === 'completed' && result['outcome'] === 'completed-with-residue' ? 'completed-with-residue' : state
}

interface Update {
  readonly ms: number
  readonly name: string
  /** What was said, where an update says more than its name. */
  readonly said: string | null
  readonly who: string | null
  readonly reason: string | null
}

function updatesOf(events: readonly Event[]): readonly Update[] {
  return events.flatMap((event) => {
    if (event.type !== 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED') return []
    const input = fieldsOf(fieldsOf(event.at['acceptedRequest'])['input'])
    const name = textOf(input['name'])
    if (name === undefined) return []
    const [argument] = allPayloads(input['args'])
    return [{ ms: event.ms, name, said: wordOf(argument), ...saidBy(argument) }]
  })
}

/** `db: continue` of a word about a tier, `clean-up` of one about the run. */
function wordOf(argument: unknown): string | null {
  const { tier, choice, end } = fieldsOf(argument)
  return [textOf(tier), textOf(choice ?? end)].filter((part) => part !== undefined).join(': ') || null
}

function saidBy(requester: unknown): { readonly who: string | null; readonly reason: string | null } {
  const { user, reason } = fieldsOf(requester)
  return { who: textOf(user) ?? null, reason: textOf(reason) ?? null }
}

const words: { readonly [update: string]: string } = {
  pause: 'Paused',
  resume: 'Resumed',
  retryNow: 'Told to go on now',
  approveSweep: 'Plan approved',
  approveStep: 'Step done',
  chooseTier: 'Word about a tier',
  abortRecovery: 'Ended before its end',
}
const saysMore = new Set(['approveStep', 'chooseTier', 'abortRecovery'])

function readNotes(events: readonly Event[]): readonly OperatorNote[] {
  const notes: OperatorNote[] = updatesOf(events).map(({ ms, name, said, who, reason }) => ({
    ms,
    what: said !== null && saysMore.has(name) ? `${words[name]}, ${said}` : (words[name] ?? name),
    who,
    reason,
  }))
  const windows = events.filter(({ type, summary }) => type === 'TIMER_STARTED' && summary?.startsWith(outsideWindow))
  for (const [index, { ms, summary }] of windows.entries()) {
    if (summary === windows[index - 1]?.summary) continue
    notes.push({ ms, what: 'Window closed', who: null, reason: `until ${summary?.slice(outsideWindow.length)}` })
  }
  let cancelSaid: { readonly who: string | null; readonly reason: string | null } | null = null
  for (const event of events) {
    if (event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.at['signalName'] === 'cancelNote') {
      cancelSaid = saidBy(allPayloads(event.at['input'])[0])
    }
    if (isHold(event)) {
      const said = saidBy(allPayloads(event.at['input'])[0])
      notes.push({
        ms: event.ms,
        what: said.who === null ? 'Goes on with its plan' : 'Stands still with its plan',
        ...said,
      })
    }
    if (event.type === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED') {
      notes.push({ ms: event.ms, what: 'Cancel asked for', ...(cancelSaid ?? { who: null, reason: null }) })
    }
    if (event.type === 'WORKFLOW_EXECUTION_TERMINATED') {
      notes.push({
        ms: event.ms,
        what: 'Terminated without cleaning up',
        who: textOf(event.at['identity']) ?? null,
        reason: textOf(event.at['reason']) ?? null,
      })
    }
  }
  return notes.sort((a, b) => a.ms - b.ms)
}

function isPausedNow(events: readonly Event[]): boolean {
  return updatesOf(events).findLast(({ name }) => name === 'pause' || name === 'resume')?.name === 'pause'
}

/** How the summary of a timer begins that waits for a window. */
const outsideWindow = 'outside its window until '

function isHold(event: Event): boolean {
  return event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.at['signalName'] === 'hold'
}

function heldNow(events: readonly Event[]): RunEvents['held'] {
  const by = allPayloads(events.findLast(isHold)?.at['input'])[0]
  const { who, reason } = saidBy(by)
  return who === null ? null : { reason: reason ?? 'its plan is paused', releases: fieldsOf(by)['releases'] === true }
}

/** Timers of a wait, by how their summaries begin, that have neither fired nor been cancelled. */
function readWaiting(
  events: readonly Event[],
  prefix: string,
): readonly { readonly summary: string; readonly untilMs: number }[] {
  const open = new Map<string, { summary: string; untilMs: number }>()
  for (const event of events) {
    const id = textOf(event.at['timerId']) ?? `event-${event.id}`
    if (event.type === 'TIMER_STARTED' && event.summary?.startsWith(prefix) === true) {
      const ms = (numberOf(textOf(event.at['startToFireTimeout'])?.replace(/s$/, '')) ?? 0) * 1000
      open.set(id, { summary: event.summary.slice(prefix.length), untilMs: event.ms + ms })
    }
    if (event.type === 'TIMER_FIRED' || event.type === 'TIMER_CANCELED') open.delete(id)
  }
  return [...open.values()]
}

export function residueOf(value: unknown): readonly ResidueRow[] {
  if (!Array.isArray(value)) return []
  return value.map((row) => {
    const { kind, id, error, hint } = fieldsOf(row)
    return {
      kind: textOf(kind) ?? 'unknown',
      id: textOf(id) ?? '',
      error: textOf(error) ?? '',
      hint: textOf(hint) ?? '',
    }
  })
}
