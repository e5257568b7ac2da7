import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow'
import { HoldfastError, isErrorCode } from '../../base/index.ts'
import { isSerialized } from './serialized.ts'
import type { ErrorCode, ErrorDetails, SerializedError } from '../../base/index.ts'

/**
 * An error that may leave workflow code: a plain `Error` there fails the workflow task instead of the workflow and is
 * retried for ever.
 */
export function workflowFailure(code: ErrorCode, message: string, details: ErrorDetails = {}): ApplicationFailure {
  return failureOf(new HoldfastError(code, message, details).toJSON())
}

export function failureOf(error: SerializedError): ApplicationFailure {
  return ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: true, details: [error] })
}

/** What an activity or child ended with, in our own terms; undefined for a cancellation. */
export function errorOf(thrown: unknown): SerializedError | undefined {
  if (isCancellation(thrown)) return undefined
  if (thrown instanceof HoldfastError) return thrown.toJSON()
  if (thrown instanceof ActivityFailure || thrown instanceof ChildWorkflowFailure) {
    return thrown.cause === undefined ? internal(thrown.message) : errorOf(thrown.cause)
  }
  if (thrown instanceof TimeoutFailure) return timeout(thrown)
  if (thrown instanceof ApplicationFailure) {
    const detail: unknown = thrown.details?.[0]
    if (isSerialized(detail)) return detail
    if (isErrorCode(thrown.type)) return new HoldfastError(thrown.type, thrown.message).toJSON()
    return internal(thrown.message)
  }
  return internal(thrown instanceof Error ? thrown.message : String(thrown))
}

const damages: ReadonlySet<string> = new Set<ErrorCode>([
  'ChunkLost',
  'PackDamaged',
  'FormatError',
  'RecordForged',
  'PointNotRestorable',
  'ObjectAbsent',
  'SizeMismatch',
])

/** Errors of reading a point that say something about the point; all others say something about the day. */
export function blamesThePoint(error: SerializedError): boolean {
  return damages.has(error.code)
}

/** Rethrows nothing but what may leave a workflow. */
export function asFailure(thrown: unknown): Error {
  if (isCancellation(thrown)) return new CancelledFailure('the run was cancelled')
  return failureOf(errorOf(thrown) ?? internal('unknown failure'))
}

function timeout(thrown: TimeoutFailure): SerializedError {
  const what =
    thrown.timeoutType === 'HEARTBEAT'
      ? 'the worker stopped answering'
      : thrown.timeoutType === 'SCHEDULE_TO_CLOSE'
        ? 'the step did not end within its time'
        : 'the attempt took too long'
  const code: ErrorCode = thrown.timeoutType === 'SCHEDULE_TO_START' ? 'NoWorker' : 'HypervisorTimeout'
  return new HoldfastError(code, what, { hint: 'Look at the workers of the site, then start the run again.' }).toJSON()
}

function internal(message: string): SerializedError {
  return new HoldfastError('Internal', message).toJSON()
}
