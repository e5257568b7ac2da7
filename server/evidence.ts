import { createHash } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import type { BlobStore, EvidenceStore } from '../activities/index.ts'
import { dropEvidence, keepEvidence, readEvidence } from '../api/index.ts'
import type { ServerDoor } from './door.ts'

const longestMs = 30_000

/**
 * Hands evidence to the server over its API: a worker has no catalog.
 */
export function evidenceUploader(door: ServerDoor): EvidenceStore {
  return {
    put: async (bytes, mediaType) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const response = await door.ask(`/api/v1/evidence/${sha256}`, {
        method: 'PUT',
        headers: { 'content-type': mediaType },
        body: Uint8Array.from(bytes),
        signal: AbortSignal.timeout(longestMs),
      })
      if (!response.ok) throw refusal('take', response.status, await response.text())
      return sha256
    },
    get: async (sha256) => {
      const response = await door.ask(`/api/v1/evidence/${sha256}`, { signal: AbortSignal.timeout(longestMs) })
      if (response.status === 404) throw new HoldfastError('NotFound', `the server has no evidence ${sha256}`)
      if (!response.ok) throw refusal('give', response.status, await response.text())
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes
      throw new HoldfastError('ServerUnreachable', `the evidence ${sha256} changed on its way`)
    },
  }
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

function refusal(act: 'take' | 'give', status: number, text: string): HoldfastError {
  const code = status === 401 || status === 403 ? 'Unauthorized' : 'ServerUnreachable'
  return new HoldfastError(code, `the server did not ${act} the evidence: ${status} ${text.slice(0, 200)}`)
}
