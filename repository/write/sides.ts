import { HoldfastError, isHoldfastError, toHoldfastError } from '../../base/index.ts'

/** §7.7: where an error came from. A store-write error is never taken for one of the source, nor skipped. */
export type Side = 'source' | 'store-write' | 'store-read' | 'logic'

/** Runs `work`; what it throws says its side, unless something inside has said it already. */
export async function onSide<T>(side: Side, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw withSide(side, error)
  }
}

export function withSide(side: Side, error: unknown): HoldfastError {
  if (isHoldfastError(error) && error.data?.['side'] !== undefined) return error
  const known = toHoldfastError(error, side === 'source' ? 'SourceReadFailed' : 'Internal')
  return new HoldfastError(known.code, known.message, {
    hint: known.hint,
    cause: known.cause,
    ...(known.native && { native: known.native }),
    ...(known.retryAfter !== undefined && { retryAfter: known.retryAfter }),
    data: { ...known.data, side },
  })
}
