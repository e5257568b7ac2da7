import type { Problem } from './types.ts'

/** What the API answered instead of the thing asked for, or why it did not answer at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly hint: string
  readonly docs: string | null
  /** What the code promises besides words, e.g. the name that is to be typed. */
  readonly data: { readonly [name: string]: unknown }

  constructor(of: {
    message: string
    status: number
    code: string
    hint: string
    docs?: string | null
    data?: { readonly [name: string]: unknown } | undefined
    cause?: unknown
  }) {
    super(of.message, of.cause === undefined ? undefined : { cause: of.cause })
    this.status = of.status
    this.code = of.code
    this.hint = of.hint
    this.docs = of.docs ?? null
    this.data = of.data ?? {}
  }

  /** The reader is not, or no longer, signed in. */
  get signedOut(): boolean {
    return this.status === 401
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'detail' in value && 'code' in value && 'hint' in value
}

/** From the body of an answer that is not 2xx; a proxy in between may have written anything. */
export function problemOf(body: unknown, response: { status: number; statusText: string }): ApiError {
  if (isProblem(body)) {
    return new ApiError({
      message: body.detail,
      status: response.status,
      code: body.code,
      hint: body.hint,
      docs: body.docs,
      data: body.data,
    })
  }
  return new ApiError({
    message: `The server answered ${response.status} ${response.statusText}`.trim(),
    status: response.status,
    code: 'UnexpectedAnswer',
    hint: 'If a proxy stands in between, look at its log; else report it with the time.',
  })
}

/** No answer: the server is away, or the network is. `status` is 0. */
export function unreachable(cause: unknown): ApiError {
  return new ApiError({
    message: 'The dashboard cannot reach its server.',
    status: 0,
    code: 'ServerUnreachable',
    hint: 'Backups that run go on without it. Check that `holdfast server` runs; this page tries again by itself.',
    cause,
  })
}
