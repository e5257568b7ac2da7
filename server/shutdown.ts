/** How a process is asked to end, and how long it may take. */
export const graceMs = 20_000
export const forceMs = 60_000

/**
 * Aborts at the first SIGINT or SIGTERM; the second one ends the process at once. What it supervises dies with it.
 */
export function onStopSignal(log: { info(fields: object, message: string): void }): AbortSignal & Disposable {
  const stop = new AbortController()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const handler = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    log.info({ signal }, 'stopping')
    stop.abort()
  }
  for (const signal of signals) process.on(signal, handler)
  return Object.assign(stop.signal, {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, handler)
    },
  })
}

/**
 * Runs a worker, and `beside` it, until it is told to stop or one of the two fails. The worker has ended when this
 * returns, whatever went wrong: a connection cannot be closed under a worker that runs. `beside` ends when its signal
 * aborts.
 */
export async function runUntilStopped(
  worker: { run(): Promise<void>; shutdown(): void; getState(): string },
  stop: AbortSignal,
  beside: (ended: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const running = worker.run().finally(() => over.abort())
  const working = beside(AbortSignal.any([stop, over.signal])).finally(() => {
    if (worker.getState() === 'RUNNING') worker.shutdown()
  })
  const ends = await Promise.allSettled([running, working])
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/**
 * Runs all of them until they are told to stop, or one fails: then the others are told to. All have ended when this
 * returns; throws the first failure.
 */
export async function together(
  stop: AbortSignal,
  parts: readonly ((ended: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const over = new AbortController()
  const ended = AbortSignal.any([stop, over.signal])
  const ends = await Promise.allSettled(
    parts.map(async (part) => {
      try {
        await part(ended)
      } catch (error) {
        over.abort()
        throw error
      }
    }),
  )
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
