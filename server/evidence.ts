import { createHash } from 'node:crypto'
import { HoldfastError, describeError } from '../base/index.ts'
import type { BlobStore, EvidenceStore } from '../activities/index.ts'
import { dropEvidence, keepEvidence, readEvidence } from '../api/index.ts'
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
      const { base, token } = await door(home, url)
      const response = await ask(`${base}/api/v1/evidence/${sha256}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': mediaType },
        body: Uint8Array.from(bytes),
      })
      if (!response.ok) throw refusal('take', response.status, await response.text())
      return sha256
    },
    get: async (sha256) => {
      const { base, token } = await door(home, url)
      const response = await ask(`${base}/api/v1/evidence/${sha256}`, { headers: { authorization: `Bearer ${token}` } })
      if (response.status === 404) throw new HoldfastError('NotFound', `the server has no evidence ${sha256}`)
      if (!response.ok) throw refusal('give', response.status, await response.text())
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes
      throw new HoldfastError('ServerUnreachable', `the evidence ${sha256} changed on its way`)
    },
  }
}

/** `HOLDFAST_URL`, else the server of this home. */
export async function serverOf(home: Home, url: string | null): Promise<string> {
  const base = url ?? (await whoIs(home, 'server'))?.address
  if (base) return base
  throw new HoldfastError('ServerUnreachable', 'no server of this home is running')
}

/** The store itself, for the process that keeps it. */
export function evidenceFolder(dir: string): BlobStore {
  return {
    put: async (bytes) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      await keepEvidence(dir, sha256, bytes)
      return sha256
    },
    get: async (sha256) => (await readEvidence(dir, sha256)).bytes,
    drop: (sha256) => dropEvidence(dir, sha256),
  }
}

/** Address of the server and the token of workers. */
async function door(home: Home, url: string | null): Promise<{ readonly base: string; readonly token: string }> {
  const base = await serverOf(home, url)
  return { base, token: await resolveSecret(`file:${workerTokenPath(home)}`) }
}

function refusal(act: 'take' | 'give', status: number, text: string): HoldfastError {
  const code = status === 401 || status === 403 ? 'Unauthorized' : 'ServerUnreachable'
  return new HoldfastError(code, `the server did not ${act} the evidence: ${status} ${text.slice(0, 200)}`)
}

async function ask(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(30_000) })
  } catch (error) {
    throw new HoldfastError(
      'ServerUnreachable',
      `the server cannot be reached at ${new URL(url).origin}: ${describeError(error)}`,
      { cause: error },
    )
  }
}
