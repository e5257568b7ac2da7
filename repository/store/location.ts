import { setTimeout as sleep } from 'node:timers/promises'
import type { RepositoryLocation } from '../../base/index.ts'
import { parseAzureUrl, parseS3Url } from './location-url.ts'
import { NetworkStore } from './network-store.ts'
import { posixCapacity, posixEntries } from './posix-place.ts'
import { PosixStore } from './posix.ts'
import { RateLimiter } from './rate-limiter.ts'
import { Requests } from './requests.ts'
import type { Connect } from './store.ts'
import type { StoreTraits } from './traits.ts'

/** What each service calls them. */
const modes = {
  s3: { compliance: 'COMPLIANCE', governance: 'GOVERNANCE' },
  azure: { compliance: 'Locked', governance: 'Unlocked' },
} as const

type NetworkLocation = Exclude<RepositoryLocation, { readonly kind: 'posix' }>

/**
 * How to reach the store at a location; every call is a connection of its own. `page`: objects in one page of a listing; tests
 * take few, so that few objects make several. Throws ConfigInvalid.
 */
export function connectTo(location: RepositoryLocation, traits: StoreTraits = {}, page?: number): Connect {
  if (location.kind !== 'posix') return networkTo(location, traits, page)
  return () => new PosixStore(location.path, { settleMs: traits.settleMs ?? 0, ...(page !== undefined && { page }) })
}

/** Connections of one place keep to one rate. */
function networkTo(location: NetworkLocation, traits: StoreTraits = {}, page = 1000): () => NetworkStore {
  const of = location.kind === 's3' ? s3 : azure
  const { place, ...options } = of(location.url, traits, page)
  const wait = async (ms: number, signal: AbortSignal) => void (await sleep(ms, undefined, { signal }))
  const limiter = new RateLimiter({ most: place.rate ?? Infinity, clock: Date.now, wait })
  const putIfAbsent = traits.putIfAbsent ?? place.putIfAbsent
  return () => new NetworkStore({ ...options, putIfAbsent, requests: new Requests({ limiter }) })
}

function s3(url: string, { lock }: StoreTraits, page: number) {
  const named = parseS3Url(url)
  const place = lock === undefined ? named : ({ ...named, objectLock: modes.s3[lock] } as const)
  return {
    place,
    kind: 's3',
    serverChecksum: 'sha256',
    objectLock: place.objectLock === undefined ? 'none' : 's3',
    wire: async () => await (await import('./s3-wire.ts')).S3Wire.open(place, page),
  } as const
}

function azure(url: string, { lock }: StoreTraits, page: number) {
  const named = parseAzureUrl(url)
  const place = lock === undefined ? named : ({ ...named, immutability: modes.azure[lock] } as const)
  return {
    place,
    kind: 'azure',
    serverChecksum: 'md5',
    objectLock: place.immutability === undefined ? 'none' : 'azure',
    wire: async () => new (await import('./azure-wire.ts')).AzureWire(place, page),
  } as const
}

/** The lock that a location names; undefined: it names none, and a directory has none. Throws ConfigInvalid. */
export function lockOf(location: RepositoryLocation): 'governance' | 'compliance' | undefined {
  if (location.kind === 'posix') return undefined
  const { url } = location
  const mode = location.kind === 's3' ? parseS3Url(url).objectLock : parseAzureUrl(url).immutability
  if (mode === undefined) return undefined
  return mode === 'COMPLIANCE' || mode === 'Locked' ? 'compliance' : 'governance'
}

/** Makes what the store needs before its first object. Again: yes. A bucket or container must be there: it has settings. */
export async function layOut(location: RepositoryLocation): Promise<void> {
  if (location.kind === 'posix') await new PosixStore(location.path).layOut()
  else await networkTo(location)().now()
}

/** What an empty or interrupted repository consists of; anything else at its place is somebody else's. */
const own = new Set(['tmp', 'fmt', 'fmt.1', 'fmt.2', 'keys', 'pack', 'floor', 'probe', 'probe-tmp'])
/** Left by file systems and operating systems in directories that are otherwise empty. */
const harmless = new Set(['lost+found', '.reserve'])

/** Names at the location that no repository in the making has. Empty: it can be used. */
export async function foreignEntries(location: RepositoryLocation): Promise<string[]> {
  const entries = location.kind === 'posix' ? await posixEntries(location.path) : await networkTo(location)().topLevel()
  return entries.filter((name) => !own.has(name) && !harmless.has(name))
}

/** Size and free space of the file system under a location; undefined where it cannot be known. */
export async function capacityOf(
  location: RepositoryLocation,
): Promise<{ readonly capacityBytes: number; readonly freeBytes: number } | undefined> {
  return location.kind === 'posix' ? await posixCapacity(location.path) : undefined
}
