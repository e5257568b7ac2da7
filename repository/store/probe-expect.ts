import { createHash } from 'node:crypto'
import { HoldfastError, type Millis } from '../../base/index.ts'
import type { ObjectStore } from './store.ts'

const { signal } = new AbortController()

export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new HoldfastError('StoreUnfit', otherwise)
}

export function expectSame(found: Uint8Array, wanted: Uint8Array, what: string): void {
  expect(Buffer.compare(found, wanted) === 0, `${what} was read with other bytes than were put`)
}

export async function putOutcome(
  store: ObjectStore,
  name: string,
  body: Uint8Array,
  options: { readonly defer?: boolean; readonly retainUntil?: Millis } = {},
): Promise<'created' | 'exists'> {
  const sha256 = createHash('sha256').update(body).digest()
  return await store.putIfAbsent(name, body, { sha256, signal, ...options })
}

export async function put(store: ObjectStore, name: string, body: Uint8Array): Promise<void> {
  expect((await putOutcome(store, name, body)) === 'created', `${name} existed already`)
}
