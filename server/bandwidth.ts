import { HoldfastError, describeError } from '../base/index.ts'
import type { AskShares, Share } from '../activities/index.ts'
import type { Home } from './config.ts'
import { serverOf } from './evidence.ts'
import { resolveSecret, workerTokenPath } from './secrets.ts'

/** Asks the server what this process may move a second: it knows the limits, and who else moves under them. */
export function bandwidthAsker(home: Home, url: string | null, worker: string): AskShares {
  return async (moving, signal) => {
    const base = await serverOf(home, url)
    const token = await resolveSecret(`file:${workerTokenPath(home)}`)
    try {
      const response = await fetch(`${base}/api/v1/bandwidth`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ worker, moving }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      })
      if (response.ok) return ((await response.json()) as { shares: Share[] }).shares
      const code = response.status === 401 || response.status === 403 ? 'Unauthorized' : 'ServerUnreachable'
      throw new HoldfastError(code, `the server did not say how fast may be copied: ${response.status}`)
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      const message = `the server cannot be reached at ${new URL(base).origin}: ${describeError(error)}`
      throw new HoldfastError('ServerUnreachable', message, { cause: error })
    }
  }
}
