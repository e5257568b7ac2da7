import type { Context } from 'hono'
import { toHoldfastError, type ErrorCode, type HoldfastError } from '../base/index.ts'
import type { Problem } from './schemas/common.ts'

/** Where a code says something about the request; all others come from behind and are a 502. */
const statuses: { readonly [code in ErrorCode]?: number } = {
  InvalidRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  NameTaken: 409,
  AlreadyRunning: 409,
  ReplicationRefused: 409,
  RunEnded: 409,
  StaleRevision: 409,
  InUse: 409,
  QuotaFull: 409,
  PointNotRestorable: 422,
  ChannelRefused: 422,
  MessageRefused: 422,
  Unsupported: 422,
  ConfigInvalid: 422,
  PolicyInvalid: 422,
  Internal: 500,
  NoWorker: 503,
  TemporalUnavailable: 503,
  HypervisorTimeout: 504,
}

export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 502
}

/** `PointNotRestorable` → `Point not restorable`. */
function titleOf(code: string): string {
  const words = code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** RFC 9457. `instance` is the path that was asked for. */
export function problemOf(error: HoldfastError, instance: string, status = statusOf(error.code)): Problem {
  const { code, message, hint, docs, causes, data } = error.toJSON()
  return {
    type: `urn:holdfast:error:${code}`,
    title: titleOf(code),
    status,
    detail: message,
    instance,
    code,
    hint,
    docs,
    causes: [...causes],
    ...(data && { data: { ...data } }),
  }
}

export function sendProblem(context: Context, error: unknown, status?: number): Response {
  const problem = problemOf(toHoldfastError(error), context.req.path, status)
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  })
}
