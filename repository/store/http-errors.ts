import { HoldfastError, isHoldfastError, type ErrorCode } from '../../base/index.ts'
import type { Failure } from './requests.ts'
import type { WireHead } from './wire.ts'

/** What an HTTP store answered instead of doing it. */
export interface HttpError {
  readonly status: number
  /** The service's own word for it, '' if it has none. */
  readonly code: string
  readonly text: string
  readonly afterMs?: number
}

export function said(as: ErrorCode, what: string, http: HttpError, hint?: string): HoldfastError {
  const code = http.code === '' ? String(http.status) : `${http.status} ${http.code}`
  return new HoldfastError(as, `cannot ${what}: ${code}`, {
    native: { code, text: http.text },
    ...(hint !== undefined && { hint }),
    ...(http.afterMs !== undefined && { retryAfter: http.afterMs }),
  })
}

/** Errors of connections that no waiting helps against. */
const settings: { readonly [errno: string]: string | undefined } = {
  ENOTFOUND: 'The name of the store cannot be resolved; check endpoint, DNS and proxy.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is not trusted: name the authority with ?ca=/path.pem.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate is not trusted: name the authority with ?ca=/path.pem.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate is not trusted: name the authority with ?ca=/path.pem.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The certificate is not trusted: name the authority with ?ca=/path.pem.',
  CERT_HAS_EXPIRED: 'The certificate of the store has expired; renew it.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name than the endpoint has.',
  EPROTO: 'The endpoint does not speak TLS; check whether it is http:// or https://.',
}

/** A request that came to no answer: the outcome of a put is not known. */
export function networkFailure(error: unknown, what: string): Failure {
  if (isHoldfastError(error)) return { kind: 'final', error }
  const { code, name, message } = error as NodeJS.ErrnoException
  const native = { code: code ?? name, text: message }
  const hint = settings[code ?? '']
  const text = `cannot ${what}: ${code ?? message}`
  // Names that cannot be resolved and certificates change rarely; waiting for them would only hide the reason.
  const kind = hint === undefined || code === 'ENOTFOUND' ? 'transient' : 'final'
  return { kind, error: new HoldfastError('StoreUnavailable', text, { native, ...(hint !== undefined && { hint }) }) }
}

/** An object that has its name by its content, and not that content. */
export function wrongSize(name: string, found: number, wanted: number): HoldfastError {
  return new HoldfastError('StoreChecksumMismatch', `${name} exists with ${found} bytes instead of ${wanted}`, {
    hint: 'The object in the repository is damaged; run repo verify.',
  })
}

/** Why an object cannot be deleted. */
export function locked(name: string, { isHeld, retainUntil }: WireHead): HoldfastError {
  const why =
    isHeld === true ? 'is under legal hold' : `is under retention until ${new Date(retainUntil ?? 0).toISOString()}`
  return new HoldfastError('StoreLocked', `${name} ${why}`, { data: { object: name } })
}
