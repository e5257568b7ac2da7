import { FeatureGate } from '../features.ts'
import type { KeySetContent } from '../format/index.ts'
import { checkSigner, createKeyRing, type DerivePassphrase } from '../keys/index.ts'
import { lockingConnect, Retention } from '../lock/index.ts'
import { requireFmt } from '../objects.ts'
import { knownTraits } from '../probing.ts'
import { connectTo, type Connect } from '../store/index.ts'
import type { RepositoryLocation, UnlockSecret } from '../types.ts'
import { KeyAdmin } from './admin.ts'
import { listKeys } from './listing.ts'
import type { KeyListing } from './types.ts'

const { signal } = new AbortController()
const warn = (message: string): void => process.emitWarning(message, 'RepositoryWarning')

/** What can be said of a repository's keys without any secret. Throws RepositoryMissing. */
export async function listKeysAt(location: RepositoryLocation): Promise<KeyListing> {
  const store = connectTo(location)()
  const { fmt } = await requireFmt(store, location)
  return await listKeys(store, fmt.repo)
}

/**
 * Administration of the keys of a repository, with one secret, which is tried when the first change is made. Before any, the
 * descriptor must be signed with a key of the sets (§4.11), and every feature be known (§3.5): a newer version may keep rules
 * about keys that this one would break.
 */
export async function openKeyAdminWith(
  options: { readonly location: RepositoryLocation; readonly secret: UnlockSecret },
  internals: { readonly connect?: Connect; readonly derive?: DerivePassphrase } = {},
): Promise<KeyAdmin> {
  const { location, secret } = options
  const first = (internals.connect ?? connectTo(location))()
  const { fmt } = await requireFmt(first, location)
  const connect = internals.connect ?? connectTo(location, await knownTraits(first, fmt, warn))
  const store = lockingConnect(connect, new Retention(fmt, Date.now))()
  const beforeChange = async (content: KeySetContent): Promise<void> => {
    const ring = createKeyRing(content)
    checkSigner(fmt, ring)
    await new FeatureGate({ fmt, ring, store, clock: Date.now, warn }).require('write', signal)
  }
  return new KeyAdmin(store, fmt.repo, secret, {
    beforeChange,
    ...(internals.derive && { derive: internals.derive }),
  })
}
