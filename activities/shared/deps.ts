import { HoldfastError, MiB, isHoldfastError, instant, secretText } from '../../base/index.ts'
import type { Endpoint } from '../../drivers/values.ts'
import type { DriverModule, HypervisorDriver, OpContext } from '../../drivers/index.ts'
import { installationTag, opKeyFor } from '../../drivers/names.ts'
import type { OpenOptions, ProbeReport, Repository, UnlockSecret, VerifyLedger } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import { Serving } from '../instant/serving.ts'
import type { Bandwidth } from './bandwidth.ts'
import { Pool } from './pool.ts'
import type { Slots } from './slots.ts'
import { Standing } from './standing.ts'

export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * Where drill evidence and long lists go; the worker has no catalog, so it is the server's store. By content: the name is
 * the SHA-256 as hex.
 */
export interface EvidenceStore {
  put(bytes: Uint8Array, mediaType: string): Promise<string>
  /** Throws NotFound. */
  get(sha256: string): Promise<Uint8Array>
}

export interface SiteOptions {
  readonly drivers: readonly DriverModule[]
  readonly openRepository: (options: OpenOptions) => Promise<Repository>
  /** How a store is reached from here: the proxy of the site is in it. */
  readonly wayTo?: (location: RepositoryRef['location']) => RepositoryRef['location']
  /** Milliseconds of one small read from the store. */
  readonly pingLocation: (location: RepositoryRef['location']) => Promise<number>
  readonly probeLocation: (location: RepositoryRef['location'], signal: AbortSignal) => Promise<ProbeReport>
  /** `file:<path>` → content. */
  readonly secret: (credentialRef: string) => Promise<string>
  /** Of this process, as runbooks show it. */
  readonly worker: string
  /** Asks the server who this is: its address, and milliseconds until the answer. Throws ServerUnreachable, Unauthorized. */
  readonly reachServer: (signal: AbortSignal) => Promise<{ readonly url: string; readonly latencyMs: number }>
  /** UUID of this installation, 32 hex digits. */
  readonly installation: string
  readonly installationName: string
  readonly evidence: EvidenceStore
  /** A copy of the catalog that the control plane has made ready under this id. */
  readonly catalogCopy: (snap: string, signal: AbortSignal) => AsyncIterable<Uint8Array>
  /** When packs were last read as a whole, as the server keeps it for all workers. It may be away. */
  readonly verifyLedger: (repositoryId: string) => VerifyLedger
  /** Disposable files of this worker: index caches, read marks. */
  readonly cacheDir: string
  /** Records and sockets of points that are served to VMs of this machine; outlives the process. */
  readonly servedDir: string
  /** Endpoints on which points were opened from this machine; outlives the process. */
  readonly pointsDir: string
  /** Sockets of file sessions on this machine. */
  readonly filesDir: string
  /** Bound of the blocks of served points that are kept in memory. Default 128 MiB. */
  readonly servedCacheBytes?: number
  /** How many disks are moved at a time. */
  readonly slots: Slots
  /** How fast they are, over all processes that share a limit. */
  readonly bandwidth: Bandwidth
  readonly threads?: number
  /** A restore makes its disk durable after so many bytes. Default 256 MiB. */
  readonly durableEveryBytes?: number
  readonly log: Log
  readonly now?: () => number
}

/** What the steps of a site share: connections and repositories, each opened once per process. */
export class Site implements AsyncDisposable {
  readonly options: SiteOptions
  readonly tag: string
  readonly #endpoints = new Pool<HypervisorDriver>(() => false)
  readonly #repositories = new Pool<Repository>(isStale)
  readonly serving: Serving
  readonly standing: Standing

  constructor(options: SiteOptions) {
    this.options = options
    const { servedDir: dir, servedCacheBytes: cacheBytes = 128 * MiB, log } = options
    this.serving = new Serving({ dir, cacheBytes, log, repository: (ref, work) => this.repository(ref, work) })
    this.tag = installationTag(options.installation)
    this.standing = new Standing({
      dir: options.pointsDir,
      log,
      watch: (endpoint, signal) => this.#watch(endpoint, signal),
    })
  }

  get log(): Log {
    return this.options.log
  }

  now(): number {
    return this.options.now?.() ?? Date.now()
  }

  instant(): ReturnType<typeof instant> {
    return instant(this.now())
  }

  module(endpoint: Endpoint): DriverModule {
    const module = this.options.drivers.find(({ platform }) => platform === endpoint.platform)
    if (module !== undefined) return module
    throw new HoldfastError('Unsupported', `this worker has no driver for ${endpoint.platform}`)
  }

  /** Never ended by an error of one call: the driver renews what ran out by itself. */
  driver<T>(endpoint: Endpoint, work: (driver: HypervisorDriver) => Promise<T>): Promise<T> {
    const open = (): Promise<HypervisorDriver> => this.module(endpoint).open(endpoint, this.options.secret)
    return this.#endpoints.use(JSON.stringify(endpoint), open, work)
  }

  /** Another way than before is another connection: what was opened by the old one is used to its end. */
  wayTo(location: RepositoryRef['location']): RepositoryRef['location'] {
    return this.options.wayTo?.(location) ?? location
  }

  repository<T>(ref: RepositoryRef, work: (repository: Repository) => Promise<T>): Promise<T> {
    const { credentialRef } = ref
    const location = this.wayTo(ref.location)
    const open = async (): Promise<Repository> => {
      const secret: UnlockSecret = {
        kind: 'passphrase',
        passphrase: secretText(await this.options.secret(credentialRef)),
      }
      const { threads, cacheDir } = this.options
      return this.options.openRepository({ location, secret, cacheDir, ...(threads !== undefined && { threads }) })
    }
    return this.#repositories.use(JSON.stringify({ location, credentialRef }), open, work)
  }

  opKey(vm: { readonly scope: string; readonly id: string }, operation: string): ReturnType<typeof opKeyFor> {
    return opKeyFor(this.tag, vm, operation as Parameters<typeof opKeyFor>[2])
  }

  async #watch(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
    const ctx: OpContext = {
      // Nothing is made under it.
      opKey: this.opKey({ scope: endpoint.id, id: 'watch' }, '0'.repeat(32)),
      installation: this.tag,
      signal,
      progress: () => undefined,
      now: () => this.instant(),
      log: this.log,
    }
    await this.driver(endpoint, (driver) => driver.watchPoints(ctx))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _endpoints = this.#endpoints
    await using _repositories = this.#repositories
    // First: they hold these open.
    await using _serving = this.serving
    await using _standing = this.standing
  }
}

/** What is behind the location may be another repository by now, or be gone. */
function isStale(error: unknown): boolean {
  if (!isHoldfastError(error)) return false
  return [
    'RepositoryMissing',
    'RepositoryForeign',
    'WrongSecret',
    'KeysDamaged',
    'KeysIncomplete',
    'KeyUnknown',
    'KeysSuperseded',
    'FloorMissing',
  ].includes(error.code)
}
