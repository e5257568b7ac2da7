import { isHoldfastError } from '../../base/index.ts'
import type { MemoryBucket } from './memory-store.ts'

/** A copy of a store at a later moment, after somebody has deleted everything that it lets go. */
export async function robbed(
  bucket: MemoryBucket,
  atMs: number,
  spares: (name: string) => boolean = () => false,
): Promise<MemoryBucket> {
  const left = bucket.clone()
  left.aheadMs += Math.floor(atMs) - left.now()
  const store = left.connect()
  for (const name of left.names()) {
    if (spares(name)) continue
    try {
      await store.delete(name)
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'StoreLocked') throw error
    }
  }
  return left
}
