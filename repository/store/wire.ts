import type { HoldfastError } from '../../base/index.ts'
import type { Failure } from './requests.ts'
import type { ObjectInfo } from './store.ts'

/** Names below are relative to the repository's root, as everywhere; a wire adds its prefix. */
export interface WirePut {
  readonly sha256: Uint8Array
  /** Only if the name is free. */
  readonly ifAbsent: boolean
  readonly retainUntil?: number
}

export interface WirePutAnswer {
  /** The answer proves that the store has all bytes as they were sent. */
  readonly isChecked: boolean
  /** Only of a store that keeps versions. */
  readonly version?: string
}

export interface WireDeleteAnswer {
  /** The service has put a marker of this version in the place of the object instead of removing it. */
  readonly marker?: string
}

export interface WireBody {
  /** Of the whole object. */
  readonly size: number
  /** Of what comes. */
  readonly length: number
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the transfer, whether or not everything was read. Again: yes. */
  close(): void
}

export interface WirePage {
  readonly objects: readonly ObjectInfo[]
  /** Only of a level: names that end with a slash. */
  readonly folders: readonly string[]
  /** Where to go on; undefined: the listing is complete. */
  readonly next?: string
}

export type WireHead = ObjectInfo & {
  /** hex, if the store keeps it. */
  readonly sha256?: string
}

/** What NetworkStore needs of one service: a method is one request; whatever it throws, `failure` reads. */
export interface Wire {
  put(name: string, body: Uint8Array, options: WirePut, signal: AbortSignal): Promise<WirePutAnswer>
  /** `range`: offset and length, length > 0; without it the whole object. */
  get(name: string, range: readonly [number, number] | undefined, signal: AbortSignal): Promise<WireBody>
  /** Throws what `failure` calls absent. */
  head(name: string, signal: AbortSignal): Promise<WireHead>
  /** Names below a prefix in the order of the service. `cursor`: a name; those after it in that order. */
  flat(prefix: string, cursor: string | undefined, signal: AbortSignal): Promise<WirePage>
  /** Objects and folders right below `folder` ('' or ending with a slash) that begin with `prefix`. `next` is opaque. */
  level(prefix: string, next: string | undefined, signal: AbortSignal): Promise<WirePage>
  delete(name: string, version: string | undefined, signal: AbortSignal): Promise<WireDeleteAnswer>
  /** The service's clock, Unix ms. */
  date(signal: AbortSignal): Promise<number>
  extendRetention(name: string, until: number, signal: AbortSignal): Promise<void>
  setLegalHold(name: string, isHeld: boolean, signal: AbortSignal): Promise<void>
  failure(error: unknown, action: Action, name: string): Failure
}

export type Action = 'put' | 'get' | 'head' | 'list' | 'delete' | 'retention' | 'hold' | 'clock'

/** Reads exactly `length` bytes into memory of their own. `refuse` looks at the answer before memory is reserved. */
export async function readBody(
  answer: WireBody,
  length: number,
  refuse: () => HoldfastError | undefined,
): Promise<Uint8Array> {
  try {
    const refused = refuse()
    if (refused !== undefined) throw refused
    if (answer.length !== length) throw new Error(`the store sends ${answer.length} bytes instead of ${length}`)
    const into = Buffer.allocUnsafeSlow(length)
    let at = 0
    for await (const chunk of answer.body) {
      if (at + chunk.length > length) throw new Error(`the store sends more than ${length} bytes`)
      into.set(chunk, at)
      at += chunk.length
    }
    if (at < length) throw new Error(`the answer broke off after ${at} of ${length} bytes`)
    return into
  } finally {
    answer.close()
  }
}
