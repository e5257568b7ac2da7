import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentialRefs } from '../catalog/index.ts'
import { readReference } from '../repository/index.ts'
import type { Home } from './config.ts'

/** What a reference stands for. An empty one stands for a connection that needs no secret. */
export async function resolveSecret(credentialRef: string): Promise<string> {
  return credentialRef === '' ? '' : await readReference(credentialRef)
}

/** Every reference that the catalog of a home names; null: it has no catalog. Throws what SQLite throws. */
export function referencesIn(home: Home): string[] | null {
  return existsSync(home.catalog) ? credentialRefs(home.catalog) : null
}

export function adminTokenPath(home: Home): string {
  return join(home.secrets, 'admin-token')
}

export function workerTokenPath(home: Home): string {
  return join(home.secrets, 'worker-token')
}

/** Of the workers of a site on another machine than the server's; who has made it there puts it here. */
export function siteTokenPath(home: Home): string {
  return join(home.secrets, 'site-token')
}

/** Of what scrapes `/metrics`, and of nothing else. */
export function monitorTokenPath(home: Home): string {
  return join(home.secrets, 'metrics-token')
}

/** Made at the first start, kept afterwards; two starts at once end with the same token. */
export function ensureToken(path: string, make: () => string): void {
  try {
    writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
