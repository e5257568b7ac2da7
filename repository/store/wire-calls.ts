import { RequestFailed, type Requests } from './requests.ts'
import { throwIfAborted } from './store.ts'
import type { Action, Wire } from './wire.ts'

/** Requests over one wire, which is made at the first of them: an SDK is loaded only by whoever needs it. */
export class WireCalls {
  readonly #make: () => Promise<Wire>
  readonly #requests: Requests
  #wire: Promise<Wire> | undefined

  constructor(make: () => Promise<Wire>, requests: Requests) {
    this.#make = make
    this.#requests = requests
  }

  /** `bytes`: how much travels. Throws what the failure means. */
  async do<T>(
    action: Action,
    name: string,
    bytes: number,
    signal: AbortSignal,
    work: (wire: Wire, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.try(action, name, bytes, signal, work)
    } catch (error) {
      throw error instanceof RequestFailed ? error.failure.error : error
    }
  }

  /** As `do`, but throws RequestFailed: for whoever can do something about its kind. */
  async try<T>(
    action: Action,
    name: string,
    bytes: number,
    signal: AbortSignal,
    work: (wire: Wire, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal)
    const wire = await this.#open()
    return await this.#requests.run(
      { bytes, signal },
      (within) => work(wire, within),
      (error) => wire.failure(error, action, name),
    )
  }

  /** What could not be opened is tried again by the next call. */
  async #open(): Promise<Wire> {
    const opening = (this.#wire ??= this.#make())
    try {
      return await opening
    } catch (error) {
      if (this.#wire === opening) this.#wire = undefined
      throw error
    }
  }
}
