import {
  ApplicationFailure,
  CancelledFailure,
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { HoldfastError, isErrorCode, isHoldfastError, type ErrorCode } from '../../base/index.ts'

/** gRPC status codes that mean: the service was not reached, or not in time. */
const away = new Set([1 /* CANCELLED */, 4 /* DEADLINE_EXCEEDED */, 8 /* RESOURCE_EXHAUSTED */, 14 /* UNAVAILABLE */])
const notFound = 5
const failedPrecondition = 9

/** The gRPC status behind an error of the client, which wraps it. */
function grpcCodeOf(error: unknown): number | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (isGrpcServiceError(at)) return at.code
  }
  return undefined
}

/** Proved absent: the service answered, and does not know it. */
export function isAbsent(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || grpcCodeOf(error) === notFound
}

export function isPreconditionFailure(error: unknown): boolean {
  return grpcCodeOf(error) === failedPrecondition
}

/** Anything the client throws, in our own terms. */
export function engineError(error: unknown, what: string): HoldfastError {
  if (isHoldfastError(error)) return error
  const own = workflowError(error)
  if (own) return own
  const code = grpcCodeOf(error)
  const isAway = code === undefined ? isConnectionError(error) : away.has(code)
  const message = error instanceof Error ? error.message : String(error)
  return new HoldfastError(
    isAway ? 'TemporalUnavailable' : 'Internal',
    isAway ? `Temporal does not answer (${what})` : `${what}: ${message}`,
    { cause: error },
  )
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof Error &&
    /ECONNREFUSED|Failed to connect|before (deadline|timeout)|[Cc]onnection (dropped|closed)/.test(error.message)
  )
}

/** What a workflow or an update handler itself has said. */
function workflowError(error: unknown): HoldfastError | undefined {
  if (!(error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError)) return undefined
  const { cause } = error
  if (cause instanceof CancelledFailure) return new HoldfastError('Cancelled', 'it was cancelled', { cause })
  if (!(cause instanceof ApplicationFailure)) return undefined
  const code: ErrorCode = isErrorCode(cause.type) ? cause.type : 'Internal'
  const detail = cause.details?.[0] as { readonly hint?: unknown } | undefined
  return new HoldfastError(code, cause.message, {
    cause,
    ...(typeof detail?.hint === 'string' && { hint: detail.hint }),
  })
}
