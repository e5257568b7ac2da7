import { createHash } from 'node:crypto'
import { HoldfastError, describeError } from '../base/index.ts'
import type { EvidenceStore } from '../activities/index.ts'
import type { Home } from './config.ts'
import { whoIs } from './place.ts'
import { resolveSecret, workerTokenPath } from './secrets.ts'

/**
 * Hands evidence to the server over its API: a worker has no catalog. The address is that of `HOLDFAST_URL`, else of
 * the server of this home; the token is the worker's own, which opens nothing else.
 */
export function evidenceUploader(home: Home, url: string | null): EvidenceStore {
  return {
    put: async (bytes, mediaType) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const base = await serverOf(home, url)
      const token = await resolveSecret(`file:${workerTokenPath(home)}`)
      const response = await send(`${base}/api/v1/evidence/${sha256}`, bytes, mediaType, token)
      if (!response.ok) {
        const code = response.status === 401 || response.status === 403 ? 'Unauthorized' : 'ServerUnreachable'
        throw new HoldfastError(
          code,
          `the server did not take the evidence: ${response.status} ${(await response.text()).slice(0, 200)}`,
        )
      }
      return sha256
    },
  }
}

/** `HOLDFAST_URL`, else the server of this home. */
export async function serverOf(home: Home, url: string | null): Promise<string> {
  const base = url ?? (await whoIs(home, 'server'))?.address
  if (base) return base
  throw new HoldfastError('ServerUnreachable', 'no server of this home is running')
}

async function send(url: string, bytes: Uint8Array, mediaType: string, token: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': mediaType },
      body: Uint8Array.from(bytes),
      signal: AbortSignal.timeout(30_000),
    })
  } catch (error) {
    throw new HoldfastError(
      'ServerUnreachable',
      `the server cannot be reached at ${new URL(url).origin}: ${describeError(error)}`,
      { cause: error },
    )
  }
}
