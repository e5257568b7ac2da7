import { bytes, HoldfastError, millis, type Millis } from '../../base/index.ts'
import {
  objectAbsent,
  tooLarge,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type StoreCapabilities,
} from '../../repository/store/index.ts'
import type { MemoryBucket } from '../../repository/testing/index.ts'
import type { Scheduler, SimProcess } from './scheduler.ts'

/** How the store behaves in one schedule. Each share is of calls. */
export interface Weather {
  /** Puts become visible at flush, as on posix. */
  readonly defer: boolean
  /** Fails; nothing is done. */
  readonly unavailable: number
  /** Done, and the answer lost. */
  readonly lostAnswer: number
  /** Fails, and is done later all the same: a request that was under way when its sender gave up. */
  readonly late: number
}

export const fair: Weather = { defer: true, unavailable: 0, lostAnswer: 0, late: 0 }

/** A listing as an actor sees it: mutants show something else than there is. */
export type ListView = (prefix: string, objects: ObjectInfo[], process: SimProcess) => ObjectInfo[]

/** What all stores of one schedule share. */
export interface SimWorld {
  readonly scheduler: Scheduler
  readonly bucket: MemoryBucket
  readonly weather: Weather
  readonly view: ListView
  /** Requests that will still arrive: at which step, and what they do. */
  readonly late: { readonly step: number; readonly work: () => void }[]
  onPut(process: SimProcess, name: string): void
  onDelete(name: string): void
}

/** A linearizable store (§14.3) whose calls take place one at a time, when the scheduler says so. */
export class SimStore implements ObjectStore {
  readonly #world: SimWorld
  readonly #process: SimProcess
  #deferred: { readonly name: string; readonly body: Uint8Array }[] = []
  readonly capabilities: StoreCapabilities

  constructor(world: SimWorld, process: SimProcess) {
    this.#world = world
    this.#process = process
    this.capabilities = {
      kind: 'posix',
      putIfAbsent: 'native',
      serverChecksum: 'none',
      listing: 'linearizable',
      settle: millis(0),
      defer: world.weather.defer,
      versioned: false,
      objectLock: 'none',
    }
  }

  async putIfAbsent(name: string, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    const copy = Uint8Array.from(body)
    if (options.defer === true && this.capabilities.defer) {
      this.#deferred.push({ name, body: copy })
      return 'created'
    }
    return await this.#call(() => this.#create(name, copy))
  }

  async flush(): Promise<void> {
    const batch = this.#deferred.splice(0)
    if (batch.length === 0) return
    await this.#call(() => {
      for (const { name, body } of batch) this.#create(name, body)
    })
  }

  async discard(): Promise<void> {
    this.#deferred = []
  }

  async get(name: string, max: number): Promise<Uint8Array> {
    return await this.#call(() => {
      const body = this.#body(name)
      if (body.length > max) throw tooLarge(name, body.length, max)
      return Uint8Array.from(body)
    })
  }

  async getRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    return await this.#call(() => {
      const body = this.#body(name)
      if (offset + length > body.length) throw new HoldfastError('FormatError', `${name} ends at ${body.length}`)
      return Uint8Array.from(body.subarray(offset, offset + length))
    })
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    return await this.#call(() => this.#info(name))
  }

  async list(prefix: string): Promise<{ objects: ObjectInfo[] }> {
    return await this.#call(() => {
      const objects = this.#world.bucket.names(prefix).flatMap((name) => this.#info(name) ?? [])
      return { objects: this.#world.view(prefix, objects, this.#process) }
    })
  }

  async delete(name: string): Promise<void> {
    await this.#call(() => {
      if (this.#world.bucket.objects.delete(name)) this.#world.onDelete(name)
    })
  }

  async now(): Promise<Millis> {
    return millis(this.#world.scheduler.nowMs)
  }

  #create(name: string, body: Uint8Array): 'created' | 'exists' {
    const { objects } = this.#world.bucket
    if (objects.has(name)) return 'exists'
    objects.set(name, { body, modified: this.#world.scheduler.nowMs })
    this.#world.onPut(this.#process, name)
    return 'created'
  }

  #body(name: string): Uint8Array {
    const object = this.#world.bucket.objects.get(name)
    if (object === undefined) throw objectAbsent(name)
    return object.body
  }

  #info(name: string): ObjectInfo | undefined {
    const object = this.#world.bucket.objects.get(name)
    return object && { name, size: bytes(object.body.length), modified: millis(object.modified) }
  }

  /** One call: its turn, what the weather does to it, and the act itself, at once. */
  async #call<T>(work: () => T): Promise<T> {
    const { scheduler, weather, late } = this.#world
    await scheduler.turn(this.#process)
    const { random } = scheduler
    if (random.chance(weather.unavailable)) throw failed()
    if (random.chance(weather.late)) {
      const step = scheduler.step + random.below(400)
      late.push({ step, work: () => void attempt(work) })
      throw failed()
    }
    const result = work()
    if (random.chance(weather.lostAnswer)) throw failed()
    return result
  }
}

/** What a late request finds may be gone. */
function attempt(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
  }
}

function failed(): HoldfastError {
  return new HoldfastError('StoreUnavailable', 'the store does not answer')
}
