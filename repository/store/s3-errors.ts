import { isHoldfastError, type ErrorCode } from '../../base/index.ts'
import { networkFailure, said, type HttpError } from './http-errors.ts'
import type { S3Place } from './location-url.ts'
import type { Failure } from './requests.ts'
import { objectAbsent } from './store.ts'
import type { Action } from './wire.ts'

/** What S3 services call it when requests come too fast, besides 429 and 503. */
const rateCodes = new Set([
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'TooManyRequests',
  'RequestLimitExceeded',
  'ThrottlingException',
  'Throttling',
  'RequestThrottled',
  'BandwidthLimitExceeded',
])
const checksumCodes = new Set([
  'BadDigest',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
  'InvalidDigest',
])
const fullCodes = new Set([
  'QuotaExceeded',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'InsufficientCapacity',
])
const conflictCodes = new Set(['ConditionalRequestConflict', 'OperationAborted'])

/** Which permission each request needs, as policies name it. */
const permissions: { readonly [action in Action]: string } = {
  put: 's3:PutObject (with a retention also s3:PutObjectRetention)',
  get: 's3:GetObject',
  head: 's3:GetObject and s3:ListBucket (without it, absent and forbidden look the same)',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject and s3:DeleteObjectVersion',
  retention: 's3:PutObjectRetention',
  hold: 's3:PutObjectLegalHold',
  clock: 's3:ListBucket',
}

/** Refusals that no waiting helps against: what the person has to change. */
const refusals: { readonly [code: string]: string | undefined } = {
  InvalidAccessKeyId: 'The store does not know this access key; check the credentials that the URL refers to.',
  SignatureDoesNotMatch: 'The secret key is wrong, or a proxy changes requests; check the credentials.',
  ExpiredToken: 'The session token has expired; renew the credentials.',
  InvalidToken: 'The session token is not valid; renew the credentials.',
  RequestTimeTooSkewed: 'The clock of this machine and that of the store differ too much; set it by NTP.',
  AccountProblem: 'The provider has closed the account for requests; ask the provider.',
  AllAccessDisabled: 'The provider has closed the bucket for requests; ask the provider.',
}

/** An error of the SDK as what it means. Nothing of the request, whose headers are secret, is kept. */
export function s3Failure(error: unknown, action: Action, name: string, place: S3Place): Failure {
  const what = `${action} ${place.bucket}/${place.prefix}${name}`
  const http = httpOf(error)
  if (http === undefined) return networkFailure(error, what)
  const { status, code } = http
  const failed = (kind: Failure['kind'], as: ErrorCode, hint?: string): Failure => ({
    kind,
    error: said(as, what, http, hint),
    ...(http.afterMs !== undefined && { afterMs: http.afterMs }),
  })
  if (code === 'NoSuchBucket') {
    const hint = `Create the bucket ${place.bucket} (with Object Lock, if retention is wanted), or correct the URL.`
    return failed('final', 'RepositoryMissing', hint)
  }
  if (status === 304 || status === 412) return failed('exists', 'StoreUnavailable')
  if (status === 404 && (code === 'NoSuchKey' || code === 'NoSuchVersion' || action === 'head')) {
    return { kind: 'absent', error: objectAbsent(name) }
  }
  if (status === 416) return failed('range', 'FormatError')
  if (status === 429 || rateCodes.has(code)) return failed('rate', 'StoreRateLimited')
  if (status === 507 || fullCodes.has(code)) return failed('final', 'StoreFull')
  if (checksumCodes.has(code)) return failed('checksum', 'StoreChecksumMismatch')
  if (conflictCodes.has(code)) return failed('conflict', 'StoreUnavailable')
  if (code === 'ObjectLockConfigurationNotFoundError' || (code === 'InvalidRequest' && action === 'put')) {
    return failed('final', 'StoreUnfit', lockHint(place))
  }
  if (code === 'ObjectParentIsFile') return failed('final', 'StoreUnfit', 'An object of another program is in the way.')
  if (status === 301 || status === 307 || code === 'AuthorizationHeaderMalformed') {
    return failed('final', 'ConfigInvalid', 'The bucket is in another region: add ?region=… to the URL.')
  }
  if (status === 401 || status === 403) return denied(action, code, failed)
  if (status === 503) return failed('rate', 'StoreRateLimited')
  if (status >= 500 || status === 408 || code === 'RequestTimeout') return failed('transient', 'StoreUnavailable')
  if (status === 400 && (action === 'delete' || action === 'retention')) return failed('refused', 'StoreDenied')
  return failed('final', 'StoreUnavailable', 'The store refuses the request; its answer says why.')
}

function denied(
  action: Action,
  code: string,
  failed: (kind: Failure['kind'], as: ErrorCode, hint: string) => Failure,
): Failure {
  const known = refusals[code]
  if (known !== undefined) return failed('refused', 'StoreDenied', known)
  const hint = `Allow the credentials ${permissions[action]} on this bucket.`
  // A refused deletion is most often a lock, and never worth slowing down for.
  const isChange = action === 'delete' || action === 'retention' || action === 'hold'
  return failed(isChange ? 'refused' : 'denied', 'StoreDenied', hint)
}

function lockHint({ objectLock }: S3Place): string {
  return objectLock === undefined
    ? 'The bucket wants something that the URL does not say; if it is a retention, add object-lock=compliance.'
    : 'Object Lock is asked for and the bucket has none: it must be on when the bucket is made.'
}

/** undefined: the request did not come to an answer. */
function httpOf(error: unknown): HttpError | undefined {
  if (isHoldfastError(error) || !(error instanceof Error)) return undefined
  const { $metadata, $response, Code } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $response?: { readonly headers?: { readonly [name: string]: string | undefined } }
    readonly Code?: string
  }
  const status = $metadata?.httpStatusCode
  if (status === undefined) return undefined
  const after = Number($response?.headers?.['retry-after'])
  return {
    status,
    code: Code ?? error.name,
    text: error.message,
    ...(after > 0 && { afterMs: after * 1000 }),
  }
}
