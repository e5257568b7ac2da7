/**
 * The chunk repository R1: disks become deduplicated, encrypted chunks, points become manifests, and everything can be
 * read and verified offline from the specification alone. Inner modules are closed; the outside comes through here.
 */
import { createRepositoryWith } from './create.ts'
import { KeyAdmin, listKeys, type KeyListing } from './key-admin/index.ts'
import { drawEscrowKeys } from './keys/index.ts'
import { requireFmt } from './objects.ts'
import { openRepositoryWith } from './repository.ts'
import { connectTo } from './store/index.ts'
import type { CreateOptions, OpenOptions, Repository, RepositoryLocation, UnlockSecret } from './types.ts'

export type * from './types.ts'
export { probeLocation, testLocation } from './probing.ts'
export { parseLocation, readReference } from './store/index.ts'
export type {
  DataKeyInfo,
  Deliver,
  KeyAdmin,
  KeyListing,
  NewSlot,
  PrintedSecret,
  RotatableKey,
  RotatedKek,
  ShredPlan,
  SlotInfo,
} from './key-admin/index.ts'
/** A key pair for an escrow holder (§5.4): the public text makes a slot, the private one opens it. */
export { drawEscrowKeys }

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

/** What can be said of a repository's keys without any secret. Throws RepositoryMissing. */
export async function listRepositoryKeys(location: RepositoryLocation): Promise<KeyListing> {
  const store = connectTo(location)()
  const { fmt } = await requireFmt(store, location)
  return await listKeys(store, fmt.repo)
}

/** Administration of the keys of a repository (§5), with one secret. Throws RepositoryMissing; else only when it is used. */
export async function openKeyAdmin(options: {
  readonly location: RepositoryLocation
  readonly secret: UnlockSecret
}): Promise<KeyAdmin> {
  const { location, secret } = options
  const store = connectTo(location)()
  const { fmt } = await requireFmt(store, location)
  return new KeyAdmin(store, fmt.repo, secret)
}
