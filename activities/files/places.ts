import { HoldfastError } from '../../base/index.ts'

/** At once on a machine: each takes half a gigabyte of it, and may be forgotten for hours. */
export const mostSessions = 4

/** Sessions of a worker. */
export class Places {
  #taken = 0

  /** Throws SlotsExhausted, which is waited for. */
  enter(): Disposable {
    if (this.#taken >= mostSessions)
      throw new HoldfastError('SlotsExhausted', `${mostSessions} points are open on this machine`, {
        hint: 'Close one: holdfast files close SESSION. It is tried again by itself.',
      })
    this.#taken += 1
    return { [Symbol.dispose]: () => void (this.#taken -= 1) }
  }
}
