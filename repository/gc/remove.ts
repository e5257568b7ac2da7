import { isHoldfastError } from '../../base/index.ts'
import type { ObjectStore } from '../store/index.ts'

/**
 * Deletes an object; in a versioned store the version, never by a bare delete marker (§9.1). Again: yes. `locked`: it is under
 * retention or a legal hold (§11.5) and stays; that is no failure, and the next run that finds it asks again.
 */
export async function removeObject(store: ObjectStore, name: string): Promise<'removed' | 'locked'> {
  try {
    if (!store.capabilities.versioned) {
      await store.delete(name)
      return 'removed'
    }
    const info = await store.head(name)
    if (info !== undefined) await store.delete(name, info.version === undefined ? {} : { version: info.version })
    return 'removed'
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'StoreLocked') throw error
    return 'locked'
  }
}
