import type { Millis } from '../../base/index.ts'
import { parseName, type ObjectName } from '../format/index.ts'
import type { Connect, ObjectInfo, ObjectStore, PutOptions, StoreCapabilities } from '../store/index.ts'
import { locksOf } from './locks-of.ts'
import type { Retention } from './retention.ts'

/** §11.5: what is irreplaceable. Everything else is rebuilt, and must remain deletable. */
const lockable: ReadonlySet<string | undefined> = new Set([
  'pack',
  'manifest',
  'validated',
  'fmt',
  'key-slot',
  'key-set',
])

/**
 * Sets the retention in the PUT itself (lesson 24) of every object that is to be locked, whoever writes it: no writer can
 * forget it. One that knows better says so in its options.
 */
class LockingStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #retention: Retention

  constructor(inner: ObjectStore, retention: Retention) {
    this.#inner = inner
    this.#retention = retention
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  async putIfAbsent(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    const { retainUntil: given, ...others } = options
    const until = given ?? (lockable.has(parseName(name)?.kind) ? await this.#retention.uploadUntil(this.#inner) : 0)
    const retainUntil = until === 0 || until === undefined ? undefined : until
    return await this.#inner.putIfAbsent(name, body, { ...others, ...(retainUntil !== undefined && { retainUntil }) })
  }

  flush(): Promise<void> {
    return this.#inner.flush()
  }

  discard(): Promise<void> {
    return this.#inner.discard()
  }

  getRange(name: ObjectName, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#inner.getRange(name, offset, length, signal)
  }

  get(name: ObjectName, max: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#inner.get(name, max, signal)
  }

  head(name: ObjectName): Promise<ObjectInfo | undefined> {
    return this.#inner.head(name)
  }

  list(prefix: string, cursor?: string): Promise<{ objects: ObjectInfo[]; next?: string }> {
    return this.#inner.list(prefix, cursor)
  }

  delete(name: ObjectName, options?: { version?: string }): Promise<void> {
    return this.#inner.delete(name, options)
  }

  now(): Promise<Millis> {
    return this.#inner.now()
  }

  async extendRetention(name: ObjectName, until: Millis): Promise<void> {
    await locksOf(this.#inner).extendRetention(name, until)
  }

  async setLegalHold(name: ObjectName, held: boolean): Promise<void> {
    await locksOf(this.#inner).setLegalHold(name, held)
  }
}

/** Connections of a repository that locks its objects; of any other they stay as they are. */
export function lockingConnect(connect: Connect, retention: Retention): Connect {
  return retention.lock === undefined ? connect : () => new LockingStore(connect(), retention)
}
