import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Engine } from '../engine.ts'
import { names, parseName, type SessionContent, type SessionObject } from '../format/index.ts'
import { openSession, sealSession } from '../keys/index.ts'
import { getWhole, listAll, type ObjectStore } from '../store/index.ts'
import { onSide } from './sides.ts'

/** §7.1: by the store's clock, how long a session counts as alive after its newest object. Seconds. */
export const DEFAULT_LEASE_SEC = 3_600

export interface LogPlace {
  readonly session: string
  readonly part: number
  readonly attempt: number
}

export interface ReadObject {
  readonly name: string
  readonly object: SessionObject
  readonly content: SessionContent
}

/** Writes the objects of one attempt of one part of a session, in sequence (§7.1). */
export class SessionLog {
  readonly #engine: Engine
  readonly #store: ObjectStore
  readonly #place: LogPlace
  readonly #leaseSec: number
  /** Of the attempt's S0. */
  readonly #stamp: number
  readonly #signal: AbortSignal
  #seq: number

  constructor(
    engine: Engine,
    store: ObjectStore,
    options: LogPlace & {
      readonly leaseSec: number
      readonly stamp: number
      readonly seq?: number
      readonly signal: AbortSignal
    },
  ) {
    this.#engine = engine
    this.#store = store
    this.#place = { session: options.session, part: options.part, attempt: options.attempt }
    this.#leaseSec = options.leaseSec
    this.#stamp = options.stamp
    this.#seq = options.seq ?? 0
    this.#signal = options.signal
  }

  get nextSeq(): number {
    return this.#seq
  }

  /** `packs`, `segments`: made durable since the previous object of this attempt. Throws SessionFenced. */
  async put(content: SessionContent, packs: readonly string[] = [], segments: readonly string[] = []): Promise<void> {
    const { session, part, attempt } = this.#place
    const name = names.session(session, part, attempt, this.#seq)
    const body = sealSession(
      this.#engine.ring,
      {
        sess: session,
        part,
        attempt,
        seq: this.#seq,
        ms: this.#engine.clock(),
        leaseSec: this.#leaseSec,
        stamp: this.#stamp,
        packs: [...packs],
        segments: [...segments],
      },
      content,
    )
    const outcome = await onSide('store-write', () => putSmall(this.#store, name, body, this.#signal))
    if (outcome === 'exists') await this.#expectSame(name, body)
    this.#seq += 1
  }

  /** §7.1, fencing: a higher attempt of this part has begun. */
  async fence(): Promise<void> {
    const { session, part, attempt } = this.#place
    const objects = await onSide('store-read', () => listAll(this.#store, names.sessionPrefix(session, part)))
    for (const { name } of objects) {
      const parsed = parseName(name)
      if (parsed?.kind === 'session' && parsed.attempt > attempt) throw fenced(part, attempt, parsed.attempt)
    }
  }

  /** An answer that got lost made the store put it twice; anything else there is another writer's. */
  async #expectSame(name: string, body: Uint8Array): Promise<void> {
    const there = await onSide('store-read', () => getWhole(this.#store, name, this.#signal))
    if (there !== undefined && Buffer.compare(there, body) === 0) return
    const { part, attempt } = this.#place
    throw new HoldfastError('SessionFenced', `attempt ${attempt} of part ${part} is already taken by another writer`, {
      data: { object: name, side: 'logic' },
    })
  }
}

export function fenced(part: number, attempt: number, newer: number): HoldfastError {
  return new HoldfastError('SessionFenced', `attempt ${newer} of part ${part} has taken over from attempt ${attempt}`, {
    data: { side: 'logic' },
  })
}

/** Puts an object that is not deferred. */
export async function putSmall(
  store: ObjectStore,
  name: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  return await store.putIfAbsent(name, body, { sha256: createHash('sha256').update(body).digest(), signal })
}

/** All objects of a part in the order of attempt and sequence, opened one at a time: journals are large. */
export async function* readLog(
  engine: Engine,
  store: ObjectStore,
  session: string,
  part: number,
  signal: AbortSignal,
): AsyncGenerator<ReadObject> {
  const listed = await onSide('store-read', () => listAll(store, names.sessionPrefix(session, part)))
  for (const { name } of listed) {
    if (parseName(name)?.kind !== 'session') continue
    const object = await readObject(engine, store, name, signal)
    if (object !== undefined) yield object
  }
}

/** undefined if it is proved absent. Throws FormatError if it is damaged or not genuine. */
export async function readObject(
  engine: Engine,
  store: ObjectStore,
  name: string,
  signal: AbortSignal,
): Promise<ReadObject | undefined> {
  const bytes = await onSide('store-read', () => getWhole(store, name, signal))
  return bytes === undefined ? undefined : { name, ...openSession(engine.ring, bytes, name) }
}
