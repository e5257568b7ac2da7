import { expect, it } from 'vitest'
import { azureFailure } from './azure-errors.ts'
import { parseAzureUrl, parseS3Url } from './location-url.ts'
import { s3Failure } from './s3-errors.ts'
import type { Action } from './wire.ts'

const s3Place = parseS3Url('s3://bucket/vms?object-lock=compliance')
const azurePlace = parseAzureUrl('azure://account/container')

/** As the SDK throws it; codes and statuses as the services' references list them. */
const s3 = (status: number, code: string, action: Action = 'get', headers: { [name: string]: string } = {}) => {
  const error = Object.assign(new Error('the answer'), {
    name: code,
    $metadata: { httpStatusCode: status },
    $response: { headers, request: 'Authorization: AWS4-HMAC-SHA256 Credential=hunter2' },
  })
  return s3Failure(error, action, 'fmt', s3Place)
}
const azure = (status: number, code: string, action: Action = 'get') => {
  const response = { headers: { get: (name: string) => (name === 'x-ms-error-code' ? code : undefined) } }
  const error = Object.assign(new Error('the answer'), { statusCode: status, response, request: 'SharedKey hunter2' })
  return azureFailure(error, action, 'fmt', azurePlace)
}

it.each([
  [404, 'NoSuchKey', 'get', 'absent', 'ObjectAbsent'],
  [404, 'NotFound', 'head', 'absent', 'ObjectAbsent'],
  // A proxy's own page proves nothing.
  [404, 'UnknownError', 'get', 'final', 'StoreUnavailable'],
  [404, 'NoSuchBucket', 'get', 'final', 'RepositoryMissing'],
  [412, 'PreconditionFailed', 'put', 'exists', 'StoreUnavailable'],
  [409, 'ConditionalRequestConflict', 'put', 'conflict', 'StoreUnavailable'],
  [416, 'InvalidRange', 'get', 'range', 'FormatError'],
  [503, 'SlowDown', 'put', 'rate', 'StoreRateLimited'],
  [429, 'TooManyRequests', 'list', 'rate', 'StoreRateLimited'],
  [403, 'AccessDenied', 'put', 'denied', 'StoreDenied'],
  [403, 'AccessDenied', 'delete', 'refused', 'StoreDenied'],
  [400, 'InvalidRequest', 'delete', 'refused', 'StoreDenied'],
  [403, 'InvalidAccessKeyId', 'get', 'refused', 'StoreDenied'],
  [403, 'RequestTimeTooSkewed', 'get', 'refused', 'StoreDenied'],
  [400, 'BadDigest', 'put', 'checksum', 'StoreChecksumMismatch'],
  [400, 'XAmzContentChecksumMismatch', 'put', 'checksum', 'StoreChecksumMismatch'],
  [507, 'XMinioStorageFull', 'put', 'final', 'StoreFull'],
  [403, 'QuotaExceeded', 'put', 'final', 'StoreFull'],
  [500, 'InternalError', 'put', 'transient', 'StoreUnavailable'],
  [400, 'RequestTimeout', 'put', 'transient', 'StoreUnavailable'],
  [301, 'PermanentRedirect', 'get', 'final', 'ConfigInvalid'],
] as const)('S3 %i %s to a %s means %s', (status, code, action, kind, as) => {
  const failure = s3(status, code, action)
  expect([failure.kind, failure.error.code]).toEqual([kind, as])
})

it.each([
  [404, 'BlobNotFound', 'get', 'absent', 'ObjectAbsent'],
  [404, 'ContainerNotFound', 'head', 'final', 'RepositoryMissing'],
  [409, 'BlobAlreadyExists', 'put', 'exists', 'StoreUnavailable'],
  [412, 'ConditionNotMet', 'put', 'exists', 'StoreUnavailable'],
  [416, 'InvalidRange', 'get', 'range', 'FormatError'],
  [503, 'ServerBusy', 'put', 'rate', 'StoreRateLimited'],
  [400, 'Md5Mismatch', 'put', 'checksum', 'StoreChecksumMismatch'],
  [409, 'BlobImmutableDueToPolicy', 'delete', 'final', 'StoreLocked'],
  [403, 'AuthenticationFailed', 'get', 'refused', 'StoreDenied'],
  [403, 'AuthorizationPermissionMismatch', 'put', 'denied', 'StoreDenied'],
  [500, 'InternalError', 'get', 'transient', 'StoreUnavailable'],
] as const)('Azure %i %s to a %s means %s', (status, code, action, kind, as) => {
  const failure = azure(status, code, action)
  expect([failure.kind, failure.error.code]).toEqual([kind, as])
})

it('says which permission is missing, and on what', () => {
  expect(s3(403, 'AccessDenied', 'put').error).toMatchObject({
    message: 'cannot put bucket/vms/fmt: 403 AccessDenied',
    hint: expect.stringContaining('s3:PutObject') as string,
  })
  expect(s3(403, 'AccessDenied', 'list').error.hint).toContain('s3:ListBucket')
  expect(azure(403, 'AuthorizationPermissionMismatch', 'list').error.hint).toContain('list (l)')
})

it('hands on how long the store wants to be left alone', () => {
  expect(s3(503, 'SlowDown', 'put', { 'retry-after': '3' })).toMatchObject({ kind: 'rate', afterMs: 3_000 })
})

it('keeps nothing of a request, whose headers are secret', () => {
  for (const { error } of [s3(403, 'AccessDenied'), azure(403, 'AuthenticationFailed')]) {
    expect(error.cause).toBeUndefined()
    expect(JSON.stringify(error)).not.toContain('hunter2')
  }
})

it('takes a request without an answer for one that may have been carried out', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  expect(s3Failure(reset, 'put', 'fmt', s3Place).kind).toBe('transient')
  const certificate = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  expect(s3Failure(certificate, 'put', 'fmt', s3Place)).toMatchObject({
    kind: 'final',
    error: { hint: expect.stringContaining('?ca=') as string },
  })
})
