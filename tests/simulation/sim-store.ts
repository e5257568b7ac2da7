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
  /** Puts that are done once more later: what was deleted meanwhile is back. */
  readonly duplicate: number
  /** Reads with one wrong bit. */
  readonly flip: number
  /** Deleted objects that listings show for some time still (§14.3, 4). */
  readonly ghosts: number
  /** Objects in one page of a listing: between two pages others go on. */
  readonly page: number
}

export const fair: Weather = {
  ...{ defer: true, unavailable: 0, lostAnswer: 0, late: 0, duplicate: 0, flip: 0, ghosts: 0 },
  page: Infinity,
}

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
  /** Deleted objects that listings show still, and until which step. */
  readonly ghosts: Map<string, { readonly info: ObjectInfo; readonly untilStep: number }>
  /** Before the turn of a put: what somebody who is about to publish may sleep through. */
  beforePut(process: SimProcess, name: string): void
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
    this.#world.beforePut(this.#process, name)
    return await this.#call(() => {
      const { scheduler, weather, late } = this.#world
      if (this.#happens(weather.duplicate)) {
        late.push({ step: scheduler.step + scheduler.random.below(400), work: () => void this.#create(name, copy) })
      }
      return this.#create(name, copy)
    })
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
      return this.#flipped(Uint8Array.from(body))
    })
  }

  async getRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    return await this.#call(() => {
      const body = this.#body(name)
      if (offset + length > body.length) throw new HoldfastError('FormatError', `${name} ends at ${body.length}`)
      return this.#flipped(Uint8Array.from(body.subarray(offset, offset + length)))
    })
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    return await this.#call(() => this.#info(name))
  }

  async list(prefix: string, cursor = ''): Promise<{ objects: ObjectInfo[]; next?: string }> {
    return await this.#call(() => {
      const { bucket, weather, view } = this.#world
      const there = bucket.names(prefix).flatMap((name) => this.#info(name) ?? [])
      const all = view(prefix, [...there, ...this.#ghosts(prefix)], this.#process)
      const rest = all.filter(({ name }) => name > cursor).sort((a, b) => (a.name < b.name ? -1 : 1))
      const objects = rest.slice(0, weather.page)
      const last = objects.at(-1)
      return rest.length > objects.length && last !== undefined ? { objects, next: last.name } : { objects }
    })
  }

  *#ghosts(prefix: string): Generator<ObjectInfo> {
    const { bucket, ghosts, scheduler } = this.#world
    for (const [name, { info, untilStep }] of ghosts) {
      if (untilStep > scheduler.step && name.startsWith(prefix) && !bucket.objects.has(name)) yield info
    }
  }

  /** Draws nothing where it cannot happen: what a seed plays does not change with what others may meet. */
  #happens(share: number): boolean {
    return share > 0 && this.#world.scheduler.random.chance(share)
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const { scheduler, weather } = this.#world
    if (bytes.length === 0 || !this.#happens(weather.flip)) return bytes
    const at = scheduler.random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << scheduler.random.below(8))
    return bytes
  }

  async delete(name: string): Promise<void> {
    await this.#call(() => {
      const { bucket, ghosts, scheduler, weather } = this.#world
      const info = this.#info(name)
      if (info === undefined) return
      bucket.objects.delete(name)
      if (this.#happens(weather.ghosts)) {
        ghosts.set(name, { info, untilStep: scheduler.step + scheduler.random.below(200) })
      }
      this.#world.onDelete(name)
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
