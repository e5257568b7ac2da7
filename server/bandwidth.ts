import { randomUUID } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import type { AskShares, Share } from '../activities/index.ts'
import { refusalCode, type ServerDoor } from './door.ts'

/**
 * Asks the server what this process may move a second: it knows the limits, and who else moves under them. Throws
 * ServerUnreachable, or if the server refuses the question Unauthorized or InvalidRequest.
 */
export function bandwidthAsker(door: ServerDoor): AskShares {
  // Not the worker's name, which people choose: of two with one name each would count for both.
  const worker = randomUUID()
  return async (moving, signal) => {
    const response = await door.ask('/api/v1/bandwidth', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ worker, moving }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    })
    if (response.ok) return ((await response.json()) as { shares: Share[] }).shares
    throw new HoldfastError(
      refusalCode(response.status),
      `the server did not say how fast may be copied: ${response.status}`,
    )
  }
}
