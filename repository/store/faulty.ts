import { HoldfastError, type ErrorCode, type Millis } from '../../base/index.ts'
import type { ObjectInfo, ObjectStore, PutOptions, StoreCapabilities } from './store.ts'

/** One call of a store as a fault plan sees it. */
export interface StoreCall {
  /** From 1, over all connections that share the plan. */
  readonly n: number
  readonly op: 'put' | 'flush' | 'discard' | 'get' | 'head' | 'list' | 'delete' | 'now'
  /** Object, or prefix of a listing. */
  readonly name: string
}

export type Fault =
  /** Throws; nothing was done. */
  | { readonly kind: 'fail'; readonly code: ErrorCode }
  /** Done, but the answer is lost. */
  | { readonly kind: 'lost-answer' }
  /** A put leaves only the first bytes behind, as a store without atomic objects does, and throws. */
  | { readonly kind: 'torn' }
  /** A listing that leaves out what `hides` names; a HEAD or GET of it finds nothing. */
  | { readonly kind: 'stale'; readonly hides: (name: string) => boolean }
  /** One bit of what was read is wrong. */
  | { readonly kind: 'flip'; readonly bit: number }
  /** Done after `ms`. */
  | { readonly kind: 'late'; readonly ms: number }

/** What happens to a call; undefined: nothing special. */
export type FaultPlan = (call: StoreCall) => Fault | undefined

/** Counts calls over all connections of one process, so that a test can say *the n-th*. */
export class FaultClock {
  readonly calls: StoreCall[] = []

  next(op: StoreCall['op'], name: string): StoreCall {
    const call = { n: this.calls.length + 1, op, name }
    this.calls.push(call)
    return call
  }
}

/** For tests: a store in front of another one that fails as the plan says. */
export class FaultyStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #plan: FaultPlan
  readonly #clock: FaultClock

  constructor(inner: ObjectStore, plan: FaultPlan, clock: FaultClock = new FaultClock()) {
    this.#inner = inner
    this.#plan = plan
    this.#clock = clock
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  async putIfAbsent(name: string, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    return await this.#call('put', name, async (fault) => {
      if (fault?.kind !== 'torn') return await this.#inner.putIfAbsent(name, body, options)
      await this.#inner.putIfAbsent(name, body.subarray(0, body.length >> 1), { ...options, defer: false })
      throw failure('StoreUnavailable', 'put', name)
    })
  }

  async flush(): Promise<void> {
    await this.#call('flush', '', () => this.#inner.flush())
  }

  async discard(): Promise<void> {
    await this.#call('discard', '', () => this.#inner.discard())
  }

  async getRange(name: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#read(name, () => this.#inner.getRange(name, offset, length, signal))
  }

  async get(name: string, max: number, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#read(name, () => this.#inner.get(name, max, signal))
  }

  async #read(name: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return await this.#call('get', name, async (fault) => {
      if (fault?.kind === 'stale' && fault.hides(name)) throw failure('ObjectAbsent', 'get', name)
      const bytes = await read()
      if (fault?.kind === 'flip') {
        const at = Math.floor(fault.bit / 8) % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (fault.bit % 8))
      }
      return bytes
    })
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    return await this.#call('head', name, async (fault) => {
      return fault?.kind === 'stale' && fault.hides(name) ? undefined : await this.#inner.head(name)
    })
  }

  async list(prefix: string, cursor?: string): Promise<{ objects: ObjectInfo[]; next?: string }> {
    return await this.#call('list', prefix, async (fault) => {
      const page = await this.#inner.list(prefix, cursor)
      if (fault?.kind !== 'stale') return page
      return { ...page, objects: page.objects.filter(({ name }) => !fault.hides(name)) }
    })
  }

  async delete(name: string, options?: { version?: string }): Promise<void> {
    await this.#call('delete', name, () => this.#inner.delete(name, options))
  }

  async now(): Promise<Millis> {
    return await this.#call('now', '', () => this.#inner.now())
  }

  async #call<T>(op: StoreCall['op'], name: string, work: (fault: Fault | undefined) => Promise<T>): Promise<T> {
    const fault = this.#plan(this.#clock.next(op, name))
    if (fault?.kind === 'fail') throw failure(fault.code, op, name)
    if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    const result = await work(fault)
    if (fault?.kind === 'lost-answer') throw failure('StoreUnavailable', op, name)
    return result
  }
}

function failure(code: ErrorCode, op: string, name: string): HoldfastError {
  return new HoldfastError(code, `injected: ${op} ${name}`)
}
