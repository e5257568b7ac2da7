import { describeError, HoldfastError, isHoldfastError, type ErrorCode } from '../../base/index.ts'
import { Command, errnoName, NbdErrno, OptionReply } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'
import type { ErrorPayload } from '../codec/replies.ts'

/** The reason of an aborted signal as our error: a HoldfastError stays what it is. */
export function cancelled(signal: AbortSignal, what: string): HoldfastError {
  const reason: unknown = signal.reason
  return isHoldfastError(reason) ? reason : new HoldfastError('Cancelled', `${what} was cancelled`, { cause: reason })
}

/** A socket error, by what a person can do about it. */
export function connectionError(cause: unknown, peer: string): HoldfastError {
  if (isHoldfastError(cause)) return cause
  const native = { code: nativeCode(cause), text: describeError(cause) }
  const code = codeOfSocketError(native.code)
  return new HoldfastError(code, `the NBD connection to ${peer} failed: ${native.text}`, { cause, native })
}

function codeOfSocketError(code: string): ErrorCode {
  if (code === 'EACCES' || code === 'EPERM') return 'AccessBlocked'
  // Node's and OpenSSL's names for a certificate that does not prove what it should.
  return /^ERR_TLS|CERT|SIGNED|VERIFY/.test(code) ? 'IdentityChanged' : 'NetworkFailure'
}

export function connectionClosed(peer: string): HoldfastError {
  return new HoldfastError('NetworkFailure', `the NBD server at ${peer} closed the connection`, {
    native: { code: 'ECONNRESET', text: 'connection closed by the peer' },
  })
}

function nativeCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code ?? 'UNKNOWN'
}

/** An error reply during option haggling. `text` comes from the server. */
export function optionError(type: number, text: string, what: string, peer: string): HoldfastError {
  const message = `the NBD server at ${peer} refused ${what}${text === '' ? '' : `: ${text}`}`
  const native = (code: string): { native: { code: string; text: string } } => ({ native: { code, text } })
  switch (type) {
    case OptionReply.ERR_UNKNOWN:
      return new HoldfastError('NotFound', message, native('NBD_REP_ERR_UNKNOWN'))
    case OptionReply.ERR_TLS_REQD:
      return new HoldfastError('AccessDenied', message, {
        ...native('NBD_REP_ERR_TLS_REQD'),
        hint: 'This server demands TLS: give the connection its CA certificate.',
      })
    case OptionReply.ERR_POLICY:
      return new HoldfastError('AccessDenied', message, native('NBD_REP_ERR_POLICY'))
    case OptionReply.ERR_SHUTDOWN:
      return new HoldfastError('NetworkFailure', message, native('NBD_REP_ERR_SHUTDOWN'))
    case OptionReply.ERR_UNSUP:
    case OptionReply.ERR_PLATFORM:
      return new HoldfastError('Unsupported', message, native('NBD_REP_ERR_UNSUP'))
    default:
      return type >= OptionReply.ERR_UNSUP
        ? new HoldfastError('ProtocolMismatch', message, native(`NBD_REP_ERR_${type - 0x80000000}`))
        : mismatch(`the server answered ${what} with reply type ${type}`)
  }
}

/** An error reply to a command, by what was asked. */
export function commandError(command: number, error: ErrorPayload, what: string): HoldfastError {
  const name = errnoName(error.error)
  const text = error.message === '' ? name : `${name}: ${error.message}`
  const native = { native: { code: name, text: error.message } }
  return new HoldfastError(codeOf(command, error.error), `${what} failed: ${text}`, native)
}

function codeOf(command: number, error: number): ErrorCode {
  const writes = command !== Command.READ && command !== Command.BLOCK_STATUS
  switch (error) {
    case NbdErrno.ESHUTDOWN:
      return 'NetworkFailure'
    case NbdErrno.ENOTSUP:
      return 'Unsupported'
    case NbdErrno.ENOSPC:
      return writes ? 'CapacityExhausted' : 'SourceReadFailed'
    case NbdErrno.EPERM:
      return 'AccessDenied'
    default:
      return writes ? 'TargetWriteFailed' : 'SourceReadFailed'
  }
}
