import type { Catalog } from '../catalog/index.ts'

/** Changes come in swarms, as of a policy file; one look serves all. */
const quietMs = 100

/** Resolves soon after a plan has changed, after `paceMs`, or with the signal. */
export function nextChange(catalog: Catalog, signal: AbortSignal, paceMs: number): Promise<void> {
  return new Promise((resolve) => {
    let seq = catalog.events.newest()
    let soon: NodeJS.Timeout | undefined
    const end = (): void => {
      clearTimeout(timer)
      clearTimeout(soon)
      unsubscribe()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, paceMs)
    const unsubscribe = catalog.events.subscribe(() => {
      const news = catalog.events.after(seq, 1000)
      seq = news.at(-1)?.seq ?? seq
      if (news.some(({ type, subject }) => type === 'policy' && subject?.startsWith('plan/') === true))
        soon ??= setTimeout(end, quietMs)
    })
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
