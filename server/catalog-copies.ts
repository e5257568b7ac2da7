import { HoldfastError, describeError } from '../base/index.ts'
import type { SiteOptions } from '../activities/index.ts'
import type { Home } from './config.ts'
import { serverOf } from './evidence.ts'
import { resolveSecret, workerTokenPath } from './secrets.ts'

/** Fetches a copy of the catalog from the server, piece by piece: it may be larger than memory. */
export function catalogCopies(home: Home, url: string | null): SiteOptions['catalogCopy'] {
  return async function* (snap, signal) {
    const base = await serverOf(home, url)
    const token = await resolveSecret(`file:${workerTokenPath(home)}`)
    try {
      const response = await fetch(`${base}/api/v1/catalog-copies/${snap}`, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      })
      if (!response.ok || response.body === null) {
        const code =
          response.status === 404
            ? 'NotFound'
            : response.status === 401 || response.status === 403
              ? 'Unauthorized'
              : 'ServerUnreachable'
        throw new HoldfastError(code, `the server did not hand out the copy of its catalog: ${response.status}`)
      }
      for await (const piece of response.body) yield piece
    } catch (error) {
      if (error instanceof HoldfastError || signal.aborted) throw error
      throw new HoldfastError(
        'ServerUnreachable',
        `the copy of the catalog broke off at ${new URL(base).origin}: ${describeError(error)}`,
        { cause: error },
      )
    }
  }
}
