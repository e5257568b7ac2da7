import { isErrorCode } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'

/** Whether a value from outside is an error in our own terms: of this version, with its hint. */
export function isSerialized(value: unknown): value is SerializedError {
  if (typeof value !== 'object' || value === null) return false
  const { code, message, hint, retry } = value as Partial<SerializedError>
  return isErrorCode(code) && typeof message === 'string' && typeof hint === 'string' && typeof retry === 'string'
}
