import { createHash } from 'node:crypto'
import { HoldfastError, millis, type Millis } from '../../base/index.ts'
import { isObjectName, parseName, type ObjectName } from '../format/names.ts'
import { locked, wrongSize } from './http-errors.ts'
import { listOrdered } from './ordered-list.ts'
import { RequestFailed, type Requests } from './requests.ts'
import {
  objectAbsent,
  throwIfAborted,
  tooLarge,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  type StoreCapabilities,
} from './store.ts'
import { WireCalls } from './wire-calls.ts'
import { readBody, type Wire, type WireHead } from './wire.ts'

export interface NetworkStoreOptions {
  readonly kind: 's3' | 'azure'
  readonly serverChecksum: StoreCapabilities['serverChecksum']
  readonly objectLock: StoreCapabilities['objectLock']
  readonly putIfAbsent: StoreCapabilities['putIfAbsent']
  readonly requests: Requests
  /** Made at the first call: an SDK is loaded only by whoever needs it. */
  readonly wire: () => Promise<Wire>
  readonly clock?: () => number
}

/**
 * §14.2: an object store behind HTTP. One PUT per object, durable and visible when it is acknowledged, so nothing is ever
 * deferred. What differs between services is their wire.
 */
export class NetworkStore implements ObjectStore {
  readonly #options: NetworkStoreOptions
  readonly #calls: WireCalls
  #emulated: boolean
  /** Known from the first answer that says it. */
  #versioned: boolean | undefined
  /** Prefixes that the service lists in another order than ours. */
  readonly #disordered = new Set<string>()
  /** Puts under way, and what gives them up. */
  readonly #putting = new Set<Promise<unknown>>()
  #discarded = new AbortController()

  constructor(options: NetworkStoreOptions) {
    this.#options = options
    this.#calls = new WireCalls(options.wire, options.requests)
    this.#emulated = options.putIfAbsent === 'emulated'
  }

  get capabilities(): StoreCapabilities {
    const { kind, serverChecksum, objectLock } = this.#options
    return {
      kind,
      serverChecksum,
      objectLock,
      putIfAbsent: this.#emulated ? 'emulated' : 'native',
      listing: 'linearizable',
      settle: millis(0),
      defer: false,
      versioned: this.#versioned ?? false,
    }
  }

  async putIfAbsent(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    checkName(name)
    throwIfAborted(options.signal)
    const signal = AbortSignal.any([options.signal, this.#discarded.signal])
    const work = this.#put(name, body, { ...options, signal })
    this.#putting.add(work)
    try {
      return await work
    } finally {
      this.#putting.delete(work)
    }
  }

  async #put(name: ObjectName, body: Uint8Array, options: PutOptions): Promise<'created' | 'exists'> {
    const { sha256, retainUntil, signal } = options
    const ifAbsent = !this.#emulated
    const seen = ifAbsent ? undefined : await this.#head(name, signal)
    if (seen !== undefined) return this.#existing(name, body, sha256, seen, false, signal)
    try {
      const { isChecked, version } = await this.#calls.try('put', name, body.length, signal, (wire, within) =>
        wire.put(name, body, { sha256, ifAbsent, ...(retainUntil && { retainUntil }) }, within),
      )
      if (version !== undefined) this.#versioned = true
      if (!isChecked) await this.#expectSize(name, body.length, signal)
      return 'created'
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      if (error.failure.kind !== 'exists') throw error.failure.error
      const there = await this.#headOrAbsent(name, signal)
      if (there !== undefined) return await this.#existing(name, body, sha256, there, error.isAmbiguous, signal)
      // It says that the name is taken, and it is not: it has the condition the wrong way round (lesson 10).
      this.#emulated = true
      return await this.#put(name, body, options)
    }
  }

  /** `mayBeMine`: an earlier attempt ended without an answer, so the object may be what it has written. */
  async #existing(
    name: ObjectName,
    body: Uint8Array,
    sha256: Uint8Array,
    there: WireHead,
    mayBeMine: boolean,
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const kind = parseName(name)?.kind
    if ((kind === 'pack' || kind === 'segment') && there.size !== body.length)
      throw wrongSize(name, there.size, body.length)
    if (!mayBeMine || there.size !== body.length) return 'exists'
    const mine = Buffer.from(sha256).toString('hex')
    if (there.sha256 !== undefined) return there.sha256 === mine ? 'created' : 'exists'
    const found = await this.get(name, body.length, signal)
    return createHash('sha256').update(found).digest('hex') === mine ? 'created' : 'exists'
  }

  /** Lesson 12: a put that was acknowledged and is cut off is found now, not at the restore. */
  async #expectSize(name: ObjectName, size: number, signal: AbortSignal): Promise<void> {
    const there = await this.#headOrAbsent(name, signal)
    if (there?.size !== size) throw wrongSize(name, there?.size ?? 0, size)
  }

  async flush(): Promise<void> {
    // Whatever was put is durable.
  }

  async discard(): Promise<void> {
    this.#discarded.abort(new HoldfastError('Cancelled', 'what was being written is given up'))
    this.#discarded = new AbortController()
    await Promise.allSettled(this.#putting)
  }

  async getRange(name: ObjectName, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    const short = (size: number) =>
      new HoldfastError('FormatError', `${name} ends at byte ${size}, ${offset + length} was asked for`)
    if (length === 0) {
      const { size } = await this.#calls.do('head', name, 0, signal, (wire, within) => wire.head(name, within))
      if (offset > size) throw short(size)
      return Buffer.allocUnsafeSlow(0)
    }
    try {
      return await this.#calls.try('get', name, length, signal, async (wire, within) => {
        const answer = await wire.get(name, [offset, length], within)
        return await readBody(answer, length, () => (answer.size < offset + length ? short(answer.size) : undefined))
      })
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      // No byte of the range exists: whoever asked believed in a larger object.
      if (error.failure.kind === 'range') throw short((await this.head(name))?.size ?? 0)
      throw error.failure.error
    }
  }

  async get(name: ObjectName, max: number, signal: AbortSignal): Promise<Uint8Array> {
    checkName(name)
    return await this.#calls.do('get', name, max, signal, async (wire, within) => {
      const answer = await wire.get(name, undefined, within)
      return await readBody(answer, answer.size, () =>
        answer.size > max ? tooLarge(name, answer.size, max) : undefined,
      )
    })
  }

  async head(name: ObjectName): Promise<ObjectInfo | undefined> {
    checkName(name)
    return await this.#headOrAbsent(name, never)
  }

  /** undefined: the store says that something is not there, which proves nothing yet. */
  async #head(name: ObjectName, signal: AbortSignal): Promise<WireHead | undefined> {
    try {
      const head = await this.#calls.try('head', name, 0, signal, (wire, within) => wire.head(name, within))
      this.#versioned = head.version !== undefined
      return head
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      if (error.failure.kind === 'absent') return undefined
      throw error.failure.error
    }
  }

  async #headOrAbsent(name: ObjectName, signal: AbortSignal): Promise<WireHead | undefined> {
    const head = await this.#head(name, signal)
    if (head !== undefined) return head
    // A HEAD has no body that could say *what* is not there: the object, or the bucket with all of them.
    const { objects } = await this.#page('flat', name, undefined, signal)
    const listed = objects.find((object) => object.name === name)
    if (listed === undefined) return undefined
    throw new HoldfastError('StoreUnavailable', `the store lists ${name} and does not give it`)
  }

  async list(prefix: string, cursor = ''): Promise<{ objects: ObjectInfo[]; next?: string }> {
    if (prefix !== '' && !isObjectName(prefix.replace(/\/$/, ''))) throw new TypeError(`not a prefix: ${prefix}`)
    return await listOrdered(
      {
        flat: (below, after) => this.#page('flat', below, after, never),
        level: (folder, next) => this.#page('level', folder, next, never),
      },
      prefix,
      cursor,
      this.#disordered,
    )
  }

  /** Names right below the root, those included that no repository has. */
  async topLevel(): Promise<string[]> {
    const names: string[] = []
    for (let next: string | undefined; ;) {
      const page = await this.#page('level', '', next, never)
      names.push(...page.objects.map(({ name }) => name), ...page.folders.map((folder) => folder.slice(0, -1)))
      if (page.next === undefined) return names
      next = page.next
    }
  }

  #page(how: 'flat' | 'level', prefix: string, from: string | undefined, signal: AbortSignal) {
    return this.#calls.do('list', prefix, 0, signal, (wire, within) => wire[how](prefix, from, within))
  }

  async delete(name: ObjectName, { version }: { version?: string } = {}): Promise<void> {
    checkName(name)
    if (version !== undefined) return void (await this.#deleteOne(name, version))
    // Every version of it: an older one that came back to light would be a name that was removed and is there.
    while (this.#versioned !== false) {
      const there = await this.#headOrAbsent(name, never)
      if (there === undefined) return
      if (there.version === undefined) break
      await this.#deleteOne(name, there.version)
    }
    const { marker } = await this.#deleteOne(name, undefined)
    if (marker === undefined) return
    // Versioning was switched on meanwhile: the marker hides the object and removes nothing.
    this.#versioned = true
    await this.#deleteOne(name, marker)
    await this.delete(name)
  }

  async #deleteOne(name: ObjectName, version: string | undefined): Promise<{ readonly marker?: string }> {
    try {
      return await this.#calls.try('delete', name, 0, never, (wire, within) => wire.delete(name, version, within))
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      const { kind } = error.failure
      if (kind === 'absent') return {}
      if (kind !== 'refused') throw error.failure.error
      // Stores refuse the deletion of a locked object with 403 or with 400: only its retention says which it is.
      const there = await this.#headOrAbsent(name, never)
      const now = this.#options.clock?.() ?? Date.now()
      if (there !== undefined && (there.isHeld === true || (there.retainUntil ?? 0) > now)) throw locked(name, there)
      throw error.failure.error
    }
  }

  async now(): Promise<Millis> {
    return millis(await this.#calls.do('clock', '', 0, never, (wire, within) => wire.date(within)))
  }

  async extendRetention(name: ObjectName, until: Millis): Promise<void> {
    checkName(name)
    const there = await this.#headOrAbsent(name, never)
    if (there === undefined) throw objectAbsent(name)
    // Never shortened, and not extended to where it is already: that would be a request for nothing.
    if ((there.retainUntil ?? 0) >= until) return
    await this.#calls.do('retention', name, 0, never, (wire, within) => wire.extendRetention(name, until, within))
  }

  async setLegalHold(name: ObjectName, held: boolean): Promise<void> {
    checkName(name)
    await this.#calls.do('hold', name, 0, never, (wire, within) => wire.setLegalHold(name, held, within))
  }
}

const never = new AbortController().signal

function checkName(name: ObjectName): void {
  if (!isObjectName(name)) throw new TypeError(`not the name of an object: ${name}`)
}
