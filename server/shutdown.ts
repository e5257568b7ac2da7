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

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
