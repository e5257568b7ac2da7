import { codes, isErrorCode, type ErrorCode, type RetryClass } from './codes.ts'

/** What the other side said in its own words, scrubbed of secrets. */
export interface NativeError {
  readonly code: string
  readonly text: string
}

export interface ErrorDetails {
  /** What to do, for the person who reads it. Default: the hint of the code. */
  readonly hint?: string
  readonly cause?: unknown
  readonly native?: NativeError
  /** Milliseconds to wait, for class `after`. */
  readonly retryAfter?: number
  /** Plain JSON that belongs to the error: names of packs, byte ranges, residue. No secret. */
  readonly data?: { readonly [name: string]: unknown }
}

/** A HoldfastError as plain JSON: safe in histories, problem+json and logs. */
export interface SerializedError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
  readonly retry: RetryClass
  readonly docs: string
  readonly native?: NativeError
  readonly retryAfter?: number
  readonly data?: { readonly [name: string]: unknown }
  readonly causes: readonly string[]
}

/**
 * The one error type. `message` says what happened, to what; `hint` says what to do about it.
 * `retry` decides what a workflow does with it (design: engineering, "Errors").
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly hint: string
  readonly retry: RetryClass
  readonly native: NativeError | undefined
  readonly retryAfter: number | undefined
  readonly data: { readonly [name: string]: unknown } | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint ?? codes[code].hint
    this.retry = codes[code].retry
    this.native = details.native
    this.retryAfter = details.retryAfter
    this.data = details.data
  }

  /** Anchor in `docs/errors.md`. */
  get docs(): string {
    return `errors.md#${this.code.toLowerCase()}`
  }

  toJSON(): SerializedError {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retry: this.retry,
      docs: this.docs,
      ...(this.native && { native: this.native }),
      ...(this.retryAfter !== undefined && { retryAfter: this.retryAfter }),
      ...(this.data && { data: this.data }),
      causes: causesOf(this),
    }
  }
}

/** Works across duplicate copies of this module and across realms, where `instanceof` does not. */
export function isHoldfastError(error: unknown): error is HoldfastError {
  return error instanceof Error && error.name === 'HoldfastError' && isErrorCode((error as Partial<HoldfastError>).code)
}

/** Passes a HoldfastError through and wraps everything else as `Internal`, the cause kept. */
export function toHoldfastError(error: unknown, code: ErrorCode = 'Internal'): HoldfastError {
  if (isHoldfastError(error)) return error
  return new HoldfastError(code, describeError(error), { cause: error })
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function causesOf(error: Error): string[] {
  const out: string[] = []
  let cause: unknown = error.cause
  while (cause !== undefined && out.length < 8) {
    out.push(describeError(cause))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return out
}
