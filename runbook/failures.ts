import { HoldfastError, isErrorCode } from '../base/index.ts'
import type { SerializedError } from '../base/index.ts'
import { isSerialized } from '../workflows/shared/serialized.ts'
import { fieldsOf, firstPayload, textOf } from './events.ts'

/** A failure in protobuf JSON (`temporal.api.failure.v1.Failure`) in our own terms; null for a cancel or nothing. */
export function failureOf(value: unknown): SerializedError | null {
  const failure = fieldsOf(value)
  const message = textOf(failure['message']) ?? 'it failed without a message'
  if ('canceledFailureInfo' in failure) return null
  if ('timeoutFailureInfo' in failure) {
    const info = fieldsOf(failure['timeoutFailureInfo'])
    // What every attempt met says more than that there was no time for another one.
    const met = 'cause' in failure && isOutOfTime(info) ? failureOf(failure['cause']) : null
    return met ?? timeoutOf(info)
  }
  if ('applicationFailureInfo' in failure) return applicationOf(message, fieldsOf(failure['applicationFailureInfo']))
  // Wrappers of activities and children say nothing that their cause does not say better.
  if ('cause' in failure) return failureOf(failure['cause'])
  if (Object.keys(failure).length === 0) return null
  return new HoldfastError('Internal', message).toJSON()
}

export function isCancelFailure(value: unknown): boolean {
  const failure = fieldsOf(value)
  return 'canceledFailureInfo' in failure || ('cause' in failure && isCancelFailure(failure['cause']))
}

function applicationOf(message: string, info: { readonly [name: string]: unknown }): SerializedError {
  const detail = firstPayload(info['details'])
  if (isSerialized(detail)) return detail
  const type = textOf(info['type'])
  return new HoldfastError(isErrorCode(type) ? type : 'Internal', message).toJSON()
}

function isOutOfTime(info: { readonly [name: string]: unknown }): boolean {
  return textOf(info['timeoutType']) === 'TIMEOUT_TYPE_SCHEDULE_TO_CLOSE'
}

function timeoutOf(info: { readonly [name: string]: unknown }): SerializedError {
  const kind = (textOf(info['timeoutType']) ?? '').replace(/^TIMEOUT_TYPE_/, '')
  if (kind === 'HEARTBEAT') {
    const hint = 'It, or another worker, goes on where it stopped.'
    return new HoldfastError('WorkerShutdown', 'the worker stopped answering', { hint }).toJSON()
  }
  if (kind === 'SCHEDULE_TO_START') return new HoldfastError('NoWorker', 'no worker took the step in time').toJSON()
  const message = kind === 'START_TO_CLOSE' ? 'the attempt took too long' : 'the step did not end within its time'
  return new HoldfastError('HypervisorTimeout', message).toJSON()
}
