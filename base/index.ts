/**
 * The ground floor: errors with their codes, units with their brands, and small helpers for results.
 * It imports nothing, so every folder (workflow code included) may import it.
 */
export { HoldfastError, isHoldfastError, toHoldfastError, describeError } from './errors.ts'
export type { ErrorDetails, NativeError, SerializedError } from './errors.ts'
export { codes, isErrorCode } from './codes.ts'
export type { CodeEntry, ErrorCode, RetryClass } from './codes.ts'
export {
  bytes,
  instant,
  millis,
  KiB,
  MiB,
  GiB,
  TiB,
  formatBytes,
  formatDuration,
  formatInstant,
  parseBytes,
  bytesText,
  durationText,
  parseDuration,
} from './units.ts'
export type { Brand, Bytes, Instant, Millis } from './units.ts'
export { assertNever, lazy, secretText } from './helpers.ts'
export { suitsDirectWrites } from './direct.ts'
export { shellWord } from './shell.ts'
export { escapeHtml, htmlTable } from './html.ts'
export { locationText, type RepositoryLocation } from './location.ts'
