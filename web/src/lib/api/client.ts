import createClient from 'openapi-fetch'
import { problemOf, unreachable } from './problem.ts'
import type { paths } from './schema.gen.ts'

/** The public API, typed by its committed document. Same origin; the session is a cookie that scripts cannot read. */
export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin' })

interface Answer<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

let onSignedOut: () => void = () => undefined

/** What to do when an answer says that the session has ended; set once by the layout. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act
}

/** The data of a call, or an ApiError. An aborted call rejects with its AbortError. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  const answer = await call.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw unreachable(cause)
  })
  if (answer.response.ok) return answer.data as T
  const problem = problemOf(answer.error, answer.response)
  if (problem.signedOut) onSignedOut()
  throw problem
}

/** A key per wish of the reader: pressing twice, or a lost answer, starts one run. */
export function idempotencyKey(): { 'idempotency-key': string } {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return { 'idempotency-key': Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') }
}
