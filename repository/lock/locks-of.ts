import { HoldfastError } from '../../base/index.ts'
import type { ObjectStore } from '../store/index.ts'

export type Locks = Required<Pick<ObjectStore, 'extendRetention' | 'setLegalHold'>>

/** What a store can do about locks. Throws StoreUnfit if it can do nothing: a lock that is not set must never look as if it were. */
export function locksOf(store: ObjectStore): Locks {
  const extendRetention = store.extendRetention?.bind(store)
  const setLegalHold = store.setLegalHold?.bind(store)
  if (extendRetention === undefined || setLegalHold === undefined) {
    throw new HoldfastError('StoreUnfit', 'an object is to be locked, and this connection cannot lock', {
      hint: 'Nothing was locked. Open the repository by the URL of its bucket.',
    })
  }
  return { extendRetention, setLegalHold }
}
