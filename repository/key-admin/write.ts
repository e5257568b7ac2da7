import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { sha256, type KeyObject } from '../keys/index.ts'
import { getWhole, type ObjectStore } from '../store/index.ts'

/**
 * Lesson 30: puts a key object and reads it back. Throws StoreUnfit if it comes back differently; then nothing that counts
 * on it may be done.
 */
export async function putKeyObject(store: ObjectStore, { name, bytes }: KeyObject, signal: AbortSignal): Promise<void> {
  await store.putIfAbsent(name, bytes, { sha256: sha256(bytes), signal })
  const there = await getWhole(store, name, signal)
  if (there === undefined || Buffer.compare(there, bytes) !== 0) {
    throw new HoldfastError('StoreUnfit', `${name} was written and comes back differently`)
  }
}

/** On a store whose listings lag, waits until what was put before shows in them, to everybody (§14.3). */
export async function untilListed(store: ObjectStore, signal: AbortSignal): Promise<void> {
  const { settle } = store.capabilities
  if (settle > 0) await sleep(settle, undefined, { signal })
}

/** false: the store keeps it under retention (§11.5). Whoever reads `keys/` goes by what is newer. */
export async function deleteUnlessLocked(store: ObjectStore, name: string): Promise<boolean> {
  try {
    await store.delete(name)
    return true
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'StoreLocked') throw error
    return false
  }
}
