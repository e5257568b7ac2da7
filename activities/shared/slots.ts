import { HoldfastError } from '../../base/index.ts'

export interface SlotWish {
  /** A restore: before whoever else waits, and with one slot of its own kind besides, which backups never hold. */
  readonly isRestore?: boolean
}

interface Waiting {
  readonly isRestore: boolean
  readonly enter: () => void
}

/**
 * A small number of things at a time, restores first, else first come, first served. Movers hold one while they move a
 * disk; short steps never wait for one, so that a thaw or a cleanup never queues behind hours of copying. One more is for
 * restores alone: slow backups may hold all others for as long as a night.
 */
export class Slots {
  readonly #count: number
  #held = 0
  readonly #queue: Waiting[] = []

  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1)
      throw new HoldfastError('ConfigInvalid', `not a number of slots: ${count}`)
    this.#count = count
  }

  async take(signal: AbortSignal, { isRestore = false }: SlotWish = {}): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#hasRoom(isRestore)) this.#held += 1
    else await this.#wait(signal, isRestore)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#held -= 1
        this.#serve()
      },
    }
  }

  #hasRoom(isRestore: boolean): boolean {
    return this.#held < this.#count + (isRestore ? 1 : 0)
  }

  async #wait(signal: AbortSignal, isRestore: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        const at = this.#queue.indexOf(waiting)
        if (at >= 0) this.#queue.splice(at, 1)
        reject(
          signal.reason instanceof Error
            ? signal.reason
            : new HoldfastError('Cancelled', 'stopped while waiting for a slot'),
        )
      }
      const waiting = { isRestore, enter }
      signal.addEventListener('abort', leave, { once: true })
      this.#queue.push(waiting)
    })
  }

  #serve(): void {
    const next = this.#queue.find((each) => each.isRestore) ?? this.#queue[0]
    if (next === undefined || !this.#hasRoom(next.isRestore)) return
    this.#queue.splice(this.#queue.indexOf(next), 1)
    this.#held += 1
    next.enter()
  }
}
