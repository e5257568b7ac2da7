import { toHoldfastError, type HoldfastError } from '../../base/index.ts'
import type { StoredEngine } from '../engine.ts'
import type { ObjectStore } from '../store/index.ts'

export interface Unsound {
  readonly sound: false
  readonly error: HoldfastError
  /** The bytes are there and wrong, or the object is proved absent, in all three readings. */
  readonly proved: boolean
}
export type Reading<T> = { readonly sound: true; readonly value: T } | Unsound

/** So many readings in a row that fail for other reasons than the object mean that the store is away. */
const STORE_AWAY = 16

/**
 * §12.2: what fails is read again twice over a second connection before it is believed; an error of the network or the
 * store is no damage. A verify whose store is away ends with the store's error instead of calling everything unreadable.
 */
export class Rereader {
  readonly #engine: StoredEngine
  readonly #signal: AbortSignal
  readonly #note: (text: string) => void
  #unreadable = 0

  constructor(engine: StoredEngine, signal: AbortSignal, note: (text: string) => void) {
    this.#engine = engine
    this.#signal = signal
    this.#note = note
  }

  /** `read` reads and checks: it throws what it finds wrong. `what` names the object for people. */
  async read<T>(what: string, read: (store: ObjectStore) => Promise<T>): Promise<Reading<T>> {
    const failures: HoldfastError[] = []
    for (const again of [false, true, true]) {
      try {
        const value = await read(again ? this.#engine.connect() : this.#engine.store)
        const [first] = failures
        if (first !== undefined) this.#note(`${what} was read only at the second attempt: ${first.message}`)
        this.#unreadable = 0
        return { sound: true, value }
      } catch (error) {
        this.#signal.throwIfAborted()
        failures.push(toHoldfastError(error))
      }
    }
    const [error] = failures
    if (error === undefined) throw new TypeError('a failed reading has an error')
    const proved = failures.every(({ code }) => code === 'FormatError' || code === 'ObjectAbsent')
    const ofStore = !proved && error.code !== 'FormatUnsupported' && error.code !== 'KeyUnknown'
    this.#unreadable = ofStore ? this.#unreadable + 1 : 0
    // An error that is no HoldfastError of a store or a decoder is a mistake in this program: never a damage.
    if (this.#unreadable === STORE_AWAY || error.code === 'Internal') throw error
    return { sound: false, error, proved }
  }
}
