/**
 * The chunk repository R1: disks become deduplicated, encrypted chunks, points become manifests, and everything can be
 * read and verified offline from the specification alone. Inner modules are closed; the outside comes through here.
 */
import { createRepositoryWith } from './create.ts'
import { heal } from './heal/index.ts'
import { listKeysAt, openKeyAdminWith, type KeyAdmin, type KeyListing } from './key-admin/index.ts'
import { drawEscrowKeys } from './keys/index.ts'
import { mirror } from './mirror/index.ts'
import { OpenedRepository, openRepositoryWith } from './repository.ts'
import type {
  CreateOptions,
  HealOptions,
  HealReport,
  MirrorOptions,
  MirrorReport,
  OpenOptions,
  Repository,
  RepositoryLocation,
  UnlockSecret,
} from './types.ts'

export type * from './types.ts'
export { catalogParts, catalogVm, holdsCatalog, readCatalog } from './own.ts'
export { pingLocation, probeLocation, testLocation } from './probing.ts'
export { LruCache } from './read/lru.ts'
export { DirectFile, pageMemory, parseLocation, readReference, realFs, throughProxy, writeAll } from './store/index.ts'
export type { ProxyRule } from './store/index.ts'
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
export { verifyWithoutKeys, type VerifyWithoutKeys } from './stored.ts'

/**
 * Makes a repository (§3.4): probes the store, writes two key slots and opens each again. The recovery key is returned once
 * and stored nowhere. Throws RepositoryExists, RepositoryForeign, StoreUnfit, StoreDenied, StoreFull.
 */
export async function createRepository(
  options: CreateOptions,
): Promise<{ readonly id: string; readonly recoveryKey: string }> {
  const { mirrorOf } = options
  const identity = mirrorOf && openedOf(mirrorOf).engine.ring.identityKey()
  return await createRepositoryWith(options, { ...(identity && { identity }) })
}

/**
 * §13: publishes points of `from` in `to`, under its keys, and reads them back. Again: goes on where it stopped. Both must
 * have been opened by this module.
 */
export async function mirrorRepository(
  from: Repository,
  to: Repository,
  options: MirrorOptions,
): Promise<MirrorReport> {
  const [source, target] = [openedOf(from), openedOf(to)]
  const side = { engine: target.engine, points: target.points, writer: target }
  return await mirror({ engine: source.engine, points: source.points }, side, options)
}

/**
 * §12.3: stores again what `bad/` names and points need, from other places here or from mirrors. Without `apply` it says what
 * it would do.
 */
export async function healRepository(repository: Repository, options: HealOptions): Promise<HealReport> {
  const target = openedOf(repository)
  const mirrors = options.mirrors.map((mirrored) => {
    const { engine, points } = openedOf(mirrored)
    return { engine, points }
  })
  return await heal({ engine: target.engine, points: target.points, writer: target }, mirrors, options)
}

function openedOf(repository: Repository): OpenedRepository {
  if (repository instanceof OpenedRepository) return repository
  throw new TypeError('not a repository that openRepository has opened')
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
  return await listKeysAt(location)
}

/** Administration of the keys of a repository (§5), with one secret. Throws RepositoryMissing; else only when it is used. */
export async function openKeyAdmin(options: {
  readonly location: RepositoryLocation
  readonly secret: UnlockSecret
}): Promise<KeyAdmin> {
  return await openKeyAdminWith(options)
}
