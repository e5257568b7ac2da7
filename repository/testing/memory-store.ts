import { bytes, HoldfastError, millis, type Millis } from '../../base/index.ts'
import { isObjectName } from '../format/index.ts'
import {
  objectAbsent,
  throwIfAborted,
  tooLarge,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type StoreCapabilities,
} from '../store/index.ts'

/** Objects in one page of a listing. */
const PAGE = 1000

interface Held {
  readonly body: Uint8Array
  readonly modified: number
  /** Unix ms; 0: no retention. */
  readonly retainUntil?: number
  readonly isHeld?: boolean
}

/**
 * What a store holds, in memory; connections to it are stores. Can be copied as it stands. `locks`: it keeps retention and legal
 * holds as S3 Object Lock does in compliance mode (docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html): set with the
 * put or later, extended and never shortened, no version deleted before its end.
 */
export class MemoryBucket {
  readonly objects: Map<string, Held>
  readonly locks: boolean
  /** The store's clock is so far ahead of ours. */
  aheadMs = 0

  constructor(objects: MemoryBucket['objects'] = new Map(), locks = false) {
    this.objects = objects
    this.locks = locks
  }

  now(): number {
    return Date.now() + this.aheadMs
  }

  connect(): MemoryStore {
    return new MemoryStore(this)
  }

  /** Later changes of either do not show in the other. */
  clone(): MemoryBucket {
    const copy = new MemoryBucket(new Map(this.objects), this.locks)
    copy.aheadMs = this.aheadMs
    return copy
  }

  /** Unix ms until which an object cannot be deleted; 0: it can. */
  lockedUntil(name: string): number {
    return this.objects.get(name)?.retainUntil ?? 0
  }

  names(prefix = ''): string[] {
    return [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort()
  }

  body(name: string): Uint8Array {
    const object = this.objects.get(name)
    if (object === undefined) throw objectAbsent(name)
    return object.body
  }

  /** As damage or an administrator would. */
  set(name: string, body: Uint8Array, retainUntil = 0): void {
    this.objects.set(name, { body: Uint8Array.from(body), modified: this.now(), retainUntil })
  }

  /** Changes what is said of an object, not its bytes. */
  change(name: string, change: Pick<Held, 'retainUntil' | 'isHeld'>): void {
    const object = this.objects.get(name)
    if (object === undefined) throw objectAbsent(name)
    this.objects.set(name, { ...object, ...change })
  }
}

/** A linearizable store whose deferred puts become visible at `flush`, as on posix. */
export class MemoryStore implements ObjectStore {
  readonly #bucket: MemoryBucket
  #deferred: { readonly name: string; readonly body: Uint8Array; readonly retainUntil: number }[] = []
  readonly capabilities: StoreCapabilities

  constructor(bucket: MemoryBucket) {
    this.#bucket = bucket
    this.capabilities = {
      kind: 'posix',
      putIfAbsent: 'native',
      serverChecksum: 'none',
      listing: 'linearizable',
      settle: millis(0),
      defer: true,
      versioned: false,
      objectLock: bucket.locks ? 's3' : 'none',
    }
  }

  async putIfAbsent(name: string, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    checkName(name)
    throwIfAborted(options.signal)
    const retainUntil = options.retainUntil ?? 0
    this.#requireLockable(name, retainUntil)
    if (options.defer === true) {
      this.#deferred.push({ name, body: Uint8Array.from(body), retainUntil })
      return 'created'
    }
    if (this.#bucket.objects.has(name)) return 'exists'
    this.#bucket.set(name, body, retainUntil)
    return 'created'
  }

  async flush(): Promise<void> {
    for (const { name, body, retainUntil } of this.#deferred.splice(0)) {
      if (!this.#bucket.objects.has(name)) this.#bucket.set(name, body, retainUntil)
    }
  }

  async discard(): Promise<void> {
    this.#deferred = []
  }

  async get(name: string, max: number, signal: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    throwIfAborted(signal)
    const body = this.#bucket.body(name)
    if (body.length > max) throw tooLarge(name, body.length, max)
    return Uint8Array.from(body)
  }

  async getRange(name: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    throwIfAborted(signal)
    const body = this.#bucket.body(name)
    const end = offset + length
    if (end > body.length || end < offset) throw new HoldfastError('FormatError', `${name} ends at byte ${body.length}`)
    return Uint8Array.from(body.subarray(offset, end))
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    checkName(name)
    const object = this.#bucket.objects.get(name)
    return (
      object && {
        name,
        size: bytes(object.body.length),
        modified: millis(object.modified),
        ...(object.retainUntil && { retainUntil: millis(object.retainUntil) }),
        ...(object.isHeld === true && { isHeld: true }),
      }
    )
  }

  async list(prefix: string, cursor = ''): Promise<{ objects: ObjectInfo[]; next?: string }> {
    const names = this.#bucket.names(prefix).filter((name) => name > cursor)
    const objects = names.slice(0, PAGE).flatMap((name): ObjectInfo[] => {
      const object = this.#bucket.objects.get(name)
      return object ? [{ name, size: bytes(object.body.length), modified: millis(object.modified) }] : []
    })
    const last = names[PAGE - 1]
    return names.length > PAGE && last !== undefined ? { objects, next: last } : { objects }
  }

  async delete(name: string): Promise<void> {
    checkName(name)
    const object = this.#bucket.objects.get(name)
    if (object?.isHeld === true || this.#bucket.lockedUntil(name) > this.#bucket.now()) {
      throw new HoldfastError('StoreLocked', `${name} is locked`, { data: { object: name } })
    }
    this.#bucket.objects.delete(name)
  }

  async now(): Promise<Millis> {
    return millis(this.#bucket.now())
  }

  async extendRetention(name: string, until: Millis): Promise<void> {
    if (!this.#bucket.objects.has(name)) throw objectAbsent(name)
    if (this.#bucket.lockedUntil(name) >= until) return
    this.#requireLockable(name, until)
    this.#bucket.change(name, { retainUntil: until })
  }

  async setLegalHold(name: string, isHeld: boolean): Promise<void> {
    if (!this.#bucket.locks) throw refused(name, 'it keeps no holds')
    this.#bucket.change(name, { isHeld })
  }

  /** As services do: a retention must lie in the future, and the bucket must keep it. */
  #requireLockable(name: string, retainUntil: number): void {
    if (retainUntil === 0) return
    if (!this.#bucket.locks) throw refused(name, 'it locks nothing')
    if (retainUntil <= this.#bucket.now()) throw refused(name, 'the retention ends in the past')
  }
}

function refused(name: string, why: string): HoldfastError {
  return new HoldfastError('StoreDenied', `the store refuses ${name}: ${why}`)
}

function checkName(name: string): void {
  if (!isObjectName(name)) throw new TypeError(`not the name of an object: ${name}`)
}
