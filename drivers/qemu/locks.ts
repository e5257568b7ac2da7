/**
 * Runs what is given under one key one after the other; monitors and agents serve a single client. Who waits may give
 * up: an abort of `signal` rejects with its reason, and the others keep their order.
 */
export class KeyedLocks {
  readonly #tails = new Map<string, Promise<void>>()

  async hold<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const { promise: done, resolve: release } = Promise.withResolvers<void>()
    // Not before those ahead are done: one that gives up lets nobody past them.
    const tail = before
      .then(() => done)
      .then(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key)
      })
    this.#tails.set(key, tail)
    try {
      await turn(before, signal)
      return await work()
    } finally {
      release()
    }
  }
}

async function turn(before: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return await before
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([before, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
