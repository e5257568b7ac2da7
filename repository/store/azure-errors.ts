import { isHoldfastError, type ErrorCode } from '../../base/index.ts'
import { networkFailure, said, type HttpError } from './http-errors.ts'
import type { AzurePlace } from './location-url.ts'
import type { Failure } from './requests.ts'
import { objectAbsent } from './store.ts'
import type { Action } from './wire.ts'

/** Rights of a shared access signature that each request needs. */
const permissions: { readonly [action in Action]: string } = {
  put: 'create (c) and write (w)',
  get: 'read (r)',
  head: 'read (r)',
  list: 'list (l)',
  delete: 'delete (d), with versions also delete version (x)',
  retention: 'set immutability policy (i)',
  hold: 'set immutability policy (i)',
  clock: 'list (l)',
}

const checksumCodes = new Set(['Md5Mismatch', 'Crc64Mismatch'])
const lockedCodes = new Set(['BlobImmutableDueToPolicy', 'BlobImmutableDueToLegalHold'])
const refusals: { readonly [code: string]: string | undefined } = {
  AuthenticationFailed:
    'The key or the signature is wrong or has expired, or the clocks differ; check the credentials.',
  AuthorizationProtocolMismatch: 'The signature allows https only.',
  AuthorizationSourceIPMismatch: 'The signature does not allow this address.',
  AuthorizationFailure: 'The firewall of the storage account does not let this address in.',
  AccountIsDisabled: 'The storage account is disabled.',
}

/** An error of the SDK as what it means. Nothing of the request, whose headers are secret, is kept. */
export function azureFailure(error: unknown, action: Action, name: string, place: AzurePlace): Failure {
  const what = `${action} ${place.account}/${place.container}/${place.prefix}${name}`
  const http = httpOf(error)
  if (http === undefined) return networkFailure(error, what)
  const { status, code } = http
  const failed = (kind: Failure['kind'], as: ErrorCode, hint?: string): Failure => ({
    kind,
    error: said(as, what, http, hint),
    ...(http.afterMs !== undefined && { afterMs: http.afterMs }),
  })
  if (code === 'ContainerNotFound' || code === 'ContainerBeingDeleted') {
    return failed('final', 'RepositoryMissing', `Create the container ${place.container}, or correct the URL.`)
  }
  if (code === 'BlobAlreadyExists' || status === 412) return failed('exists', 'StoreUnavailable')
  if (code === 'BlobNotFound' || (status === 404 && action === 'head')) {
    return { kind: 'absent', error: objectAbsent(name) }
  }
  if (status === 416) return failed('range', 'FormatError')
  if (checksumCodes.has(code)) return failed('checksum', 'StoreChecksumMismatch')
  if (lockedCodes.has(code)) return failed('final', 'StoreLocked')
  if (status === 429 || status === 503 || code === 'ServerBusy') return failed('rate', 'StoreRateLimited')
  if (code === 'OutOfRangeInput') return failed('final', 'ConfigInvalid', 'The name of the container is not possible.')
  if (status === 401 || status === 403) {
    const known = refusals[code]
    const hint = known ?? `Allow ${permissions[action]} on the container.`
    const isChange = action === 'delete' || action === 'retention' || action === 'hold'
    return failed(known === undefined && !isChange ? 'denied' : 'refused', 'StoreDenied', hint)
  }
  if (status === 501) return failed('final', 'StoreUnfit', 'The service does not have what the URL asks for.')
  if (status >= 500 || status === 408) return failed('transient', 'StoreUnavailable')
  return failed('final', 'StoreUnavailable', 'The store refuses the request; its answer says why.')
}

/** undefined: the request did not come to an answer. */
function httpOf(error: unknown): HttpError | undefined {
  if (isHoldfastError(error) || !(error instanceof Error)) return undefined
  const { statusCode, code, response } = error as {
    readonly statusCode?: number
    readonly code?: string
    readonly response?: { readonly headers?: { get(name: string): string | undefined } }
  }
  if (statusCode === undefined) return undefined
  const after = Number(response?.headers?.get('retry-after'))
  const named = response?.headers?.get('x-ms-error-code') ?? code
  return { status: statusCode, code: named ?? '', text: error.message, ...(after > 0 && { afterMs: after * 1000 }) }
}
