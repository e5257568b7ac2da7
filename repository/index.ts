/**
 * The chunk repository R1: disks become deduplicated, encrypted chunks, points become manifests, and everything can be
 * read and verified offline from the specification alone. Inner modules are closed; the outside comes through here.
 */
import { createRepositoryWith } from './create.ts'
import { openRepositoryWith } from './repository.ts'
import type { CreateOptions, OpenOptions, Repository } from './types.ts'

export type * from './types.ts'
export { probeLocation } from './probing.ts'
export { parseLocation, readReference } from './store/index.ts'

/**
 * Makes a repository (§3.4): probes the store, writes two key slots and opens each again. The recovery key is returned once
 * and stored nowhere. Throws RepositoryExists, RepositoryForeign, StoreUnfit, StoreDenied, StoreFull.
 */
export async function createRepository(
  options: CreateOptions,
): Promise<{ readonly id: string; readonly recoveryKey: string }> {
  return await createRepositoryWith(options)
}

/**
 * Opens a repository with one secret. Throws RepositoryMissing, WrongSecret (slots answer, none accepts it), KeysDamaged
 * (what it opens is damaged), FormatUnsupported (a newer version's features).
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  return await openRepositoryWith(options)
}
