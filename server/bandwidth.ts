import { randomUUID } from 'node:crypto'
import { HoldfastError, describeError } from '../base/index.ts'
import type { AskShares, Share } from '../activities/index.ts'
import type { Home } from './config.ts'
import { serverOf } from './evidence.ts'
import { resolveSecret, workerTokenPath } from './secrets.ts'

/**
 * Asks the server what this process may move a second: it knows the limits, and who else moves under them. Throws
 * ServerUnreachable, or if the server refuses the question Unauthorized or InvalidRequest.
 */
export function bandwidthAsker(home: Home, url: string | null): AskShares {
  // Not the worker's name, which people choose: of two with one name each would count for both.
  const worker = randomUUID()
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
      throw new HoldfastError(
        codeOf(response.status),
        `the server did not say how fast may be copied: ${response.status}`,
      )
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      const message = `the server cannot be reached at ${new URL(base).origin}: ${describeError(error)}`
      throw new HoldfastError('ServerUnreachable', message, { cause: error })
    }
  }
}

function codeOf(status: number): 'Unauthorized' | 'InvalidRequest' | 'ServerUnreachable' {
  if (status === 401 || status === 403) return 'Unauthorized'
  return status >= 400 && status < 500 ? 'InvalidRequest' : 'ServerUnreachable'
}
