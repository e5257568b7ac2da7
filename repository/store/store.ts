import { HoldfastError, isHoldfastError, type Bytes, type Millis } from '../../base/index.ts'
import type { ObjectName } from '../format/names.ts'
import { objectBound } from '../format/object-bound.ts'

/** What one object of a store is, as a listing or HEAD says it. `modified` is Unix milliseconds by the store's clock. */
export type ObjectInfo = {
  readonly name: ObjectName
  readonly size: Bytes
  readonly modified: Millis
  readonly version?: string
  /** §11.5, Unix milliseconds. Only HEAD says it, and only of an object that has a retention. */
  readonly retainUntil?: Millis
  /** Under the store's legal hold. Only HEAD says it. */
  readonly isHeld?: boolean
}

export type PutOptions = {
  /** SHA-256 of the body: what a store with a checksum compares, and what makes a repeated put recognisable. */
  readonly sha256: Uint8Array
  /** The put may become durable and visible only at `flush`. */
  readonly defer?: boolean
  /**
   * §11.5, Unix milliseconds. Default: what the connection sets by itself for an object of this kind; 0: none, whatever that
   * is.
   */
  readonly retainUntil?: Millis
  readonly signal: AbortSignal
}

export type StoreCapabilities = {
  readonly kind: 'posix' | 's3' | 'azure'
  /** emulated: HEAD, then PUT. */
  readonly putIfAbsent: 'native' | 'emulated'
  readonly serverChecksum: 'sha256' | 'md5' | 'crc64' | 'none'
  readonly listing: 'linearizable' | 'degraded'
  /** 0 unless degraded. */
  readonly settle: Millis
  /** flush() matters. */
  readonly defer: boolean
  readonly versioned: boolean
  readonly objectLock: 'none' | 's3' | 'azure'
}

/**
 * §14.1. Any store behind the repository; `storeContract` in contract.ts is what each must pass. Errors: ObjectAbsent
 * (proved), StoreUnavailable, StoreRateLimited, StoreDenied, StoreFull, StoreChecksumMismatch, StoreLocked; Cancelled if
 * the signal fires. *Unreadable now* and *proved absent* are never confused.
 */
export interface ObjectStore {
  readonly capabilities: StoreCapabilities

  /**
   * Creates the object whole and durable, or reports that the name is taken. Never overwrites where the store can prevent
   * it. Safe to call again after a lost answer: same name, same bytes. The body must not change until it resolves.
   */
  putIfAbsent(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'>

  /** Resolves when every deferred put of this connection has become durable and visible. */
  flush(): Promise<void>

  /**
   * Gives up every put of this connection that is deferred or under way, and frees what it takes; resolves when nothing of
   * it is left behind. Not for what a flush has published. Again: yes. The connection can be used on.
   */
  discard(): Promise<void>

  /** Exactly `length` bytes. Fewer is an error. Absent throws. */
  getRange(name: ObjectName, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>

  /** The whole object by one request. FormatError, before memory is reserved, if it has more than `max` bytes. Absent throws. */
  get(name: ObjectName, max: number, signal: AbortSignal): Promise<Uint8Array>

  /** undefined = proved absent. Anything not proved throws. */
  head(name: ObjectName): Promise<ObjectInfo | undefined>

  /** Names in ascending byte order after `cursor`. Complete only when `next` is undefined. */
  list(prefix: string, cursor?: string): Promise<{ objects: ObjectInfo[]; next?: string }>

  /** Idempotent. On a versioned store deletes the version, without one every version of the name, never the name alone. */
  delete(name: ObjectName, options?: { version?: string }): Promise<void>

  /** The store's clock: Date of an answer, or on posix the mtime of a fresh file. Unix milliseconds. */
  now(): Promise<Millis>

  /**
   * §11.5, where `objectLock` is not none: keeps the object until `until` at least, never shortens. Again: yes, without a
   * request that changes anything. Absent throws; a refusal is StoreDenied.
   */
  extendRetention?(name: ObjectName, until: Millis): Promise<void>

  /** §11.5: held objects stay, whatever their retention, until they are released. Again: yes. */
  setLegalHold?(name: ObjectName, held: boolean): Promise<void>
}

/** Opens a further connection to the same store: reads that fail are tried over another one (§7.8). */
export type Connect = () => ObjectStore

/** Proved absent, as opposed to unreadable. */
export function objectAbsent(name: ObjectName, cause?: unknown): HoldfastError {
  return new HoldfastError('ObjectAbsent', `${name} does not exist in the repository`, {
    cause,
    data: { object: name },
  })
}

export function isAbsent(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'ObjectAbsent'
}

/** Every object under `prefix`, the listing followed to its end. */
export async function listAll(store: ObjectStore, prefix: string): Promise<ObjectInfo[]> {
  const all: ObjectInfo[] = []
  for (let cursor: string | undefined; ;) {
    const { objects, next } = await store.list(prefix, cursor)
    for (const object of objects) all.push(object)
    if (next === undefined) return all
    if (cursor !== undefined && next <= cursor) {
      throw new HoldfastError('ListingIncomplete', `listing ${prefix} does not advance beyond ${next}`)
    }
    cursor = next
  }
}

/** The whole object, at most as large as one of its kind may be (§4.12). Absent throws. */
export async function getObject(store: ObjectStore, name: ObjectName, signal: AbortSignal): Promise<Uint8Array> {
  return await store.get(name, objectBound(name), signal)
}

/** As getObject; undefined if it is proved absent. */
export async function getWhole(
  store: ObjectStore,
  name: ObjectName,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await getObject(store, name, signal)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

export function tooLarge(name: ObjectName, size: number, max: number): HoldfastError {
  return new HoldfastError('FormatError', `${name} has ${size} bytes; it may have ${max} at most`)
}

export function cancelled(signal: AbortSignal): HoldfastError {
  if (isHoldfastError(signal.reason)) return signal.reason
  return new HoldfastError('Cancelled', 'the operation was cancelled', { cause: signal.reason })
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled(signal)
}
