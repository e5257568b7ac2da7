import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, type ErrorCode, type Millis } from '../../base/index.ts'
import type { ObjectInfo, ObjectStore, PutOptions, StoreCapabilities } from './store.ts'

/** One call of a store as a fault plan sees it. */
export interface StoreCall {
  /** From 1, over all connections that share the plan. */
  readonly n: number
  readonly op: 'put' | 'flush' | 'discard' | 'get' | 'head' | 'list' | 'delete' | 'now' | 'retention' | 'hold'
  /** Object, or prefix of a listing. */
  readonly name: string
}

export type Fault =
  /** Throws; nothing was done. 4xx, 5xx and a full disk are codes: StoreDenied, StoreRateLimited, StoreFull … */
  | { readonly kind: 'fail'; readonly code: ErrorCode }
  /** Done, but the answer is lost. */
  | { readonly kind: 'lost-answer' }
  /** A put throws, and is carried out when `calls` further calls have begun: a request that was thought dead. */
  | { readonly kind: 'late-write'; readonly calls: number }
  /** A put is carried out, and once more `calls` calls later: an object that was deleted meanwhile is back. */
  | { readonly kind: 'duplicate'; readonly calls: number }
  /** A put leaves only the first bytes behind, as a store without atomic objects does, and throws. */
  | { readonly kind: 'torn' }
  /** A listing that leaves out what `hides` names; a HEAD or GET of it finds nothing. */
  | { readonly kind: 'stale'; readonly hides: (name: string) => boolean }
  /** A listing that ends after `share` (0 … 1) of its page and says that it is complete (lessons 8 and 9). */
  | { readonly kind: 'truncated'; readonly share: number }
  /** One bit of what was read is wrong. */
  | { readonly kind: 'flip'; readonly bit: number }
  /** Done after `ms`. */
  | { readonly kind: 'late'; readonly ms: number }

/** What happens to a call; undefined: nothing special. */
export type FaultPlan = (call: StoreCall) => Fault | undefined

/** Counts calls over all connections of one process, so that a test can say *the n-th*, and knows what comes later. */
export class FaultClock {
  readonly calls: StoreCall[] = []
  readonly #later: { readonly n: number; readonly work: () => Promise<unknown> }[] = []

  next(op: StoreCall['op'], name: string): StoreCall {
    const call = { n: this.calls.length + 1, op, name }
    this.calls.push(call)
    return call
  }

  /** When `calls` further calls have begun. */
  later(calls: number, work: () => Promise<unknown>): void {
    this.#later.push({ n: this.calls.length + calls, work })
  }

  /** Carries out what is due; `all`: whatever is still to come. */
  async catchUp(all = false): Promise<void> {
    const due = this.#later.filter(({ n }) => all || n <= this.calls.length)
    for (const each of due) this.#later.splice(this.#later.indexOf(each), 1)
    for (const { work } of due) await work()
  }
}

/** For tests: a store in front of another one that fails as the plan says. */
export class FaultyStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #plan: FaultPlan
  readonly #clock: FaultClock
  readonly #wait: (ms: number) => Promise<unknown>
  readonly extendRetention?: NonNullable<ObjectStore['extendRetention']>
  readonly setLegalHold?: NonNullable<ObjectStore['setLegalHold']>

  constructor(
    inner: ObjectStore,
    plan: FaultPlan,
    clock: FaultClock = new FaultClock(),
    wait: (ms: number) => Promise<unknown> = sleep,
  ) {
    this.#inner = inner
    this.#plan = plan
    this.#clock = clock
    this.#wait = wait
    const extend = inner.extendRetention?.bind(inner)
    const hold = inner.setLegalHold?.bind(inner)
    if (extend) this.extendRetention = (name, until) => this.#call('retention', name, () => extend(name, until))
    if (hold) this.setLegalHold = (name, held) => this.#call('hold', name, () => hold(name, held))
  }

  get capabilities(): StoreCapabilities {
    return this.#inner.capabilities
  }

  async putIfAbsent(name: string, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    return await this.#call('put', name, async (fault) => {
      const put = () => this.#inner.putIfAbsent(name, body, options)
      switch (fault?.kind) {
        case 'torn':
          await this.#now(name, body.subarray(0, body.length >> 1), options)
          throw failure('StoreUnavailable', 'put', name)
        case 'late-write':
          this.#clock.later(fault.calls, () => this.#now(name, Uint8Array.from(body), options))
          throw failure('StoreUnavailable', 'put', name)
        case 'duplicate':
          this.#clock.later(fault.calls, () => this.#now(name, Uint8Array.from(body), options))
          return await put()
        default:
          return await put()
      }
    })
  }

  /** Whoever asked for it may be gone: neither its flush nor its signal counts any more. */
  async #now(name: string, body: Uint8Array, options: PutOptions): Promise<unknown> {
    const { signal } = new AbortController()
    const sha256 = createHash('sha256').update(body).digest()
    return await this.#inner.putIfAbsent(name, body, { ...options, sha256, defer: false, signal })
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
      if (fault?.kind === 'truncated') {
        return { objects: page.objects.slice(0, Math.floor(page.objects.length * fault.share)) }
      }
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
    await this.#clock.catchUp()
    if (fault?.kind === 'fail') throw failure(fault.code, op, name)
    if (fault?.kind === 'late') await this.#wait(fault.ms)
    const result = await work(fault)
    if (fault?.kind === 'lost-answer') throw failure('StoreUnavailable', op, name)
    return result
  }
}

function failure(code: ErrorCode, op: string, name: string): HoldfastError {
  return new HoldfastError(code, `injected: ${op} ${name}`)
}
