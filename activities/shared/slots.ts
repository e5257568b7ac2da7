import { HoldfastError } from '../../base/index.ts'

/**
 * A small number of things at a time, first come, first served. Movers hold one while they move a disk; short steps
 * never wait for one, so that a thaw or a cleanup never queues behind hours of copying.
 */
export class Slots {
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1)
      throw new HoldfastError('ConfigInvalid', `not a number of slots: ${count}`)
    this.#free = count
  }

  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) this.#release()
        held = false
      },
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        const at = this.#queue.indexOf(enter)
        if (at >= 0) this.#queue.splice(at, 1)
        reject(
          signal.reason instanceof Error
            ? signal.reason
            : new HoldfastError('Cancelled', 'stopped while waiting for a slot'),
        )
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#queue.push(enter)
    })
  }

  #release(): void {
    const next = this.#queue.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
