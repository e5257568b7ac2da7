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

/** What a store holds, in memory; connections to it are stores. Can be copied as it stands. */
export class MemoryBucket {
  readonly objects: Map<string, { readonly body: Uint8Array; readonly modified: number }>

  constructor(objects: MemoryBucket['objects'] = new Map()) {
    this.objects = objects
  }

  connect(): MemoryStore {
    return new MemoryStore(this)
  }

  /** Later changes of either do not show in the other. */
  clone(): MemoryBucket {
    return new MemoryBucket(new Map(this.objects))
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
  set(name: string, body: Uint8Array): void {
    this.objects.set(name, { body: Uint8Array.from(body), modified: Date.now() })
  }
}

/** A linearizable store whose deferred puts become visible at `flush`, as on posix. */
export class MemoryStore implements ObjectStore {
  readonly #bucket: MemoryBucket
  #deferred: { readonly name: string; readonly body: Uint8Array }[] = []
  readonly capabilities: StoreCapabilities = {
    kind: 'posix',
    putIfAbsent: 'native',
    serverChecksum: 'none',
    listing: 'linearizable',
    settle: millis(0),
    defer: true,
    versioned: false,
    objectLock: 'none',
  }

  constructor(bucket: MemoryBucket) {
    this.#bucket = bucket
  }

  async putIfAbsent(name: string, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    checkName(name)
    throwIfAborted(options.signal)
    if (options.defer === true) {
      this.#deferred.push({ name, body: Uint8Array.from(body) })
      return 'created'
    }
    if (this.#bucket.objects.has(name)) return 'exists'
    this.#bucket.set(name, body)
    return 'created'
  }

  async flush(): Promise<void> {
    for (const { name, body } of this.#deferred.splice(0)) {
      if (!this.#bucket.objects.has(name)) this.#bucket.set(name, body)
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
    return object && { name, size: bytes(object.body.length), modified: millis(object.modified) }
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
    this.#bucket.objects.delete(name)
  }

  async now(): Promise<Millis> {
    return millis(Date.now())
  }
}

function checkName(name: string): void {
  if (!isObjectName(name)) throw new TypeError(`not the name of an object: ${name}`)
}
