import { HoldfastError, type ErrorCode } from '../base/index.ts'

/**
 * What QEMU's words mean (drivers.md §7). QEMU has one error class for nearly everything (`GenericError`), so the text
 * decides; the first line that matches wins. Texts were recorded from QEMU 7.2.
 */
const qemuTexts: readonly (readonly [RegExp, ErrorCode])[] = [
  [/NBD server already running/i, 'Busy'],
  [/is in use|is busy|is currently in use|Resource busy|Bitmap .* is in use by another operation/i, 'Busy'],
  [/cannot acquire state change lock/i, 'Busy'],
  [/is inconsistent and cannot be used/i, 'ChangeRefInvalid'],
  [/Dirty bitmap .* not found/i, 'ChangeRefInvalid'],
  [/Bitmap already exists/i, 'ChangeRefInvalid'],
  [/No space left/i, 'CapacityExhausted'],
  [/Failed to (lock|get .*lock)/i, 'AccessBlocked'],
  [/Permission denied/i, 'AccessBlocked'],
  [/The command .* has not been found/i, 'Unsupported'],
  [/Parameter .* (does not accept|is unexpected)|unknown driver|not support/i, 'Unsupported'],
]

/** A failed QMP command. `native` keeps QEMU's class and text; QMP carries no secrets of ours. */
export function qmpError(command: string, nativeClass: string, text: string): HoldfastError {
  const code = qemuTexts.find(([pattern]) => pattern.test(text))?.[1] ?? 'HypervisorRefused'
  return new HoldfastError(code, `QEMU refused ${command}: ${text}`, {
    native: { code: nativeClass, text },
    ...(code === 'Busy' && { retryAfter: 5_000 }),
  })
}

const absentTexts = [
  /^(Cannot find|Failed to find) (node|device|job)/i,
  /Cannot find device=/i,
  /Dirty bitmap .* not found/i,
  /Export '.*' is not found/i,
  /Job not found/i,
  /Block job '.*' not found/i,
  /NBD server not running/i,
]

/** True if QEMU says about the one thing named that it does not exist: the aim of every removal. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof HoldfastError &&
    error.native !== undefined &&
    absentTexts.some((t) => t.test(error.native?.text ?? ''))
  )
}

/** A failed guest-agent command (`class` and `desc` of its error object). */
export function agentError(command: string, nativeClass: string, text: string): HoldfastError {
  const disabled =
    /has been disabled|has not been found|not enabled|disabled: /i.test(text) || nativeClass === 'CommandNotFound'
  const frozen = /frozen state/i.test(text)
  const code: ErrorCode = frozen ? 'GuestRefused' : disabled ? 'GuestAgentDisabled' : 'GuestRefused'
  return new HoldfastError(code, `the guest agent refused ${command}: ${text}`, { native: { code: nativeClass, text } })
}
