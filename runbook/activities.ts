import type { SerializedError } from '../base/index.ts'
import { parseMoveDetails } from '../workflows/shared/heartbeat.ts'
import type { MoveDetails } from '../workflows/shared/heartbeat.ts'
import { fieldsOf, firstPayload, numberOf, textOf } from './events.ts'
import type { Event } from './events.ts'
import { failureOf, isCancelFailure } from './failures.ts'
import type { PendingStep } from './types.ts'

/** One scheduling of an activity or child, with everything that history and `describe` know of it. */
export interface Start {
  /** Activity id without the mark of a later start. */
  readonly base: string
  readonly id: string
  readonly type: string
  readonly title: string | null
  readonly queue: string | null
  readonly input: unknown
  readonly maxAttempts: number | null
  readonly scheduledMs: number
  startedMs: number | null
  endedMs: number | null
  attempt: number
  worker: string | null
  /** `skipped`: not begun, because another run does it. */
  end: 'open' | 'completed' | 'failed' | 'cancelled' | 'skipped'
  result: unknown
  error: SerializedError | null
  /** Of the attempt before the last one. */
  lastError: SerializedError | null
  pending: PendingStep | null
  heartbeat: MoveDetails | null
  readonly events: number[]
}

/** All activities and child workflows, in the order in which they were scheduled. */
export function readStarts(events: readonly Event[], pending: readonly PendingStep[]): readonly Start[] {
  const starts = new Map<number, Start>()
  for (const event of events) {
    if (event.type === 'ACTIVITY_TASK_SCHEDULED') starts.set(event.id, scheduled(event))
    else if (event.type === 'START_CHILD_WORKFLOW_EXECUTION_INITIATED') starts.set(event.id, childInitiated(event))
    else follow(starts, event)
  }
  const list = [...starts.values()]
  const open = new Map(pending.filter((it) => typeof it === 'object' && it !== null).map((it) => [it.activityId, it]))
  for (const start of list) if (start.end === 'open') join(start, open.get(start.id))
  return list
}

function scheduled(event: Event): Start {
  const id = textOf(event.at['activityId']) ?? `event-${event.id}`
  const type = textOf(fieldsOf(event.at['activityType'])['name']) ?? 'unknown'
  const maximum = numberOf(fieldsOf(event.at['retryPolicy'])['maximumAttempts']) ?? 0
  const queue = textOf(fieldsOf(event.at['taskQueue'])['name']) ?? null
  return blank(event, id, type, {
    queue,
    maxAttempts: maximum > 0 ? maximum : null,
    input: firstPayload(event.at['input']),
  })
}

function childInitiated(event: Event): Start {
  const id = textOf(event.at['workflowId']) ?? `event-${event.id}`
  const type = `child:${textOf(fieldsOf(event.at['workflowType'])['name']) ?? 'unknown'}`
  return blank(event, id, type, { queue: null, maxAttempts: null, input: firstPayload(event.at['input']) })
}

function blank(event: Event, id: string, type: string, rest: Pick<Start, 'queue' | 'maxAttempts' | 'input'>): Start {
  return {
    id,
    type,
    ...rest,
    base: id.replace(/~\d+$/, ''),
    title: event.summary,
    scheduledMs: event.ms,
    startedMs: null,
    endedMs: null,
    attempt: 1,
    worker: null,
    end: 'open',
    result: undefined,
    error: null,
    lastError: null,
    pending: null,
    heartbeat: null,
    events: [event.id],
  }
}

const scheduledBy = ['scheduledEventId', 'initiatedEventId'] as const

function follow(starts: ReadonlyMap<number, Start>, event: Event): void {
  const of = scheduledBy.map((name) => numberOf(event.at[name])).find((id) => id !== undefined)
  const start = of === undefined ? undefined : starts.get(of)
  if (start === undefined) return
  start.events.push(event.id)
  const end = (how: Start['end']): void => {
    start.end = how
    start.endedMs = event.ms
  }
  switch (event.type) {
    case 'ACTIVITY_TASK_STARTED':
      start.startedMs = event.ms
      start.attempt = Math.max(1, numberOf(event.at['attempt']) ?? 1)
      start.worker = textOf(event.at['identity']) ?? null
      start.lastError = failureOf(event.at['lastFailure'])
      break
    case 'CHILD_WORKFLOW_EXECUTION_STARTED':
      start.startedMs = event.ms
      break
    case 'ACTIVITY_TASK_COMPLETED':
    case 'CHILD_WORKFLOW_EXECUTION_COMPLETED':
      end('completed')
      start.result = firstPayload(event.at['result'])
      break
    case 'ACTIVITY_TASK_FAILED':
    case 'ACTIVITY_TASK_TIMED_OUT':
    case 'CHILD_WORKFLOW_EXECUTION_FAILED':
    case 'CHILD_WORKFLOW_EXECUTION_TERMINATED':
    case 'CHILD_WORKFLOW_EXECUTION_TIMED_OUT':
      end(isCancelFailure(event.at['failure']) ? 'cancelled' : 'failed')
      start.error = failureOf(event.at['failure'])
      break
    case 'START_CHILD_WORKFLOW_EXECUTION_FAILED':
      // Its one cause is that a run of this id is open.
      end('skipped')
      break
    case 'ACTIVITY_TASK_CANCELED':
    case 'CHILD_WORKFLOW_EXECUTION_CANCELED':
      end('cancelled')
      // A mover that was stopped said where it stood.
      start.heartbeat = parseMoveDetails(firstPayload(event.at['details'])) ?? start.heartbeat
      break
    default:
      break
  }
}

function join(start: Start, pending: PendingStep | undefined): void {
  if (pending === undefined) return
  start.pending = pending
  start.attempt = Math.max(start.attempt, numberOf(pending.attempt) ?? 1)
  start.startedMs = numberOf(pending.startedMs) ?? start.startedMs
  start.worker = textOf(pending.worker) ?? start.worker
  start.lastError = failureOf(pending.lastFailure) ?? start.lastError
  start.heartbeat = parseMoveDetails(pending.heartbeat) ?? start.heartbeat
}
