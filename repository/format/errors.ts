import { HoldfastError } from '../../base/index.ts'

/** The bytes break the specification: damaged, or not written by Holdfast. */
export function formatError(what: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('FormatError', `${what}: ${why}`, cause === undefined ? {} : { cause })
}

/** The bytes are sound as far as this version can tell, and say something that it does not know (§3.5). */
export function unsupported(what: string, why: string): HoldfastError {
  return new HoldfastError('FormatUnsupported', `${what}: ${why}`)
}

/** Throws a format error unless `condition` holds. */
export function demand(condition: boolean, what: string, why: string): asserts condition {
  if (!condition) throw formatError(what, why)
}
