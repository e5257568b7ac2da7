import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { HoldfastError, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'

/** A bug does not go away by trying again; a few attempts tell it from a hiccup. */
const attemptsForInternal = 5
/** Temporal keeps 4 KiB of a failure per activity. */
const maxText = 600
const maxData = 1500

/**
 * What Temporal learns of an error: the code as type, so that retries and workflows branch on it, and the serialized
 * error as detail, so that people see message and hint.
 */
export function toFailure(thrown: unknown, attempt: number): ApplicationFailure {
  if (thrown instanceof ApplicationFailure) return thrown
  const error = toHoldfastError(thrown)
  const retryable =
    error.retry === 'transient' || error.retry === 'after'
      ? error.code !== 'Internal' || attempt < attemptsForInternal
      : false
  return ApplicationFailure.create({
    message: cut(error.message),
    type: error.code,
    nonRetryable: !retryable,
    details: [small(error.toJSON())],
    ...(error.retryAfter !== undefined && { nextRetryDelay: error.retryAfter }),
    ...(error.code === 'Internal' && error.cause instanceof Error && { cause: error.cause }),
  })
}

function small(error: SerializedError): SerializedError {
  const { native, data, causes, ...rest } = error
  const dataFits = data !== undefined && JSON.stringify(data).length <= maxData
  return {
    ...rest,
    message: cut(rest.message),
    hint: cut(rest.hint),
    ...(native && { native: { code: native.code, text: cut(native.text) } }),
    ...(dataFits && { data }),
    causes: causes.slice(0, 4).map(cut),
  }
}

function cut(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText - 1)}…`
}

/**
 * Every activity ends through here. A stop that came from outside ends as what it is: a cancel as cancelled, a worker
 * that shuts down as a failed attempt that another worker continues.
 */
export function atBoundary<A extends object>(activities: A): A {
  const wrapped: Record<string, unknown> = {}
  for (const [name, activity] of Object.entries(activities) as [string, (...args: unknown[]) => Promise<unknown>][]) {
    wrapped[name] = async (...args: unknown[]) => {
      try {
        return await activity(...args)
      } catch (thrown) {
        throw boundaryError(thrown)
      }
    }
  }
  return wrapped as A
}

function boundaryError(thrown: unknown): Error {
  const { cancellationSignal, info } = Context.current()
  if (!cancellationSignal.aborted) {
    return thrown instanceof CancelledFailure ? thrown : toFailure(thrown, info.attempt)
  }
  if (stopReason(cancellationSignal) === 'WORKER_SHUTDOWN') {
    return toFailure(new HoldfastError('WorkerShutdown', 'the worker was stopped', { cause: thrown }), info.attempt)
  }
  if (thrown instanceof CancelledFailure) return thrown
  // What else went wrong while everything was being torn down is told, but the end is the cancel.
  const said = isHoldfastError(thrown) && thrown.code !== 'Cancelled' ? [small(thrown.toJSON())] : []
  return new CancelledFailure(stopReason(cancellationSignal), said)
}

/** `CANCELLED`, `TIMED_OUT`, `NOT_FOUND`, `WORKER_SHUTDOWN`, `PAUSED`, `RESET`. */
export function stopReason(signal: AbortSignal): string {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason.message : 'CANCELLED'
}
