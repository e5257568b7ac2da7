import { stat } from 'node:fs/promises'
import { describeError, HoldfastError, MiB, isHoldfastError } from '../../base/index.ts'
import { serveNbd, type NbdServer } from '../../nbd/index.ts'
import type { Repository } from '../../repository/index.ts'
import type { RepositoryRef } from '../../workflows/shared/contract.ts'
import type { Log } from '../shared/deps.ts'
import { bootReads, Demand, readAhead } from './boot.ts'
import { BlockCache } from './cache.ts'
import { HeldPoint } from './held-point.ts'
import { ServedRecords, type ServedRecord } from './records.ts'
import { PointSource, type ServedFigures } from './source.ts'
import type { BootReads } from './types.ts'

/** How soon a process serves what another one, or its own predecessor, has served until now. */
const lookEveryMs = 1_000
const saidAgainMs = 60_000
/** Payload under way; the blocks themselves are in the cache. */
const limits = { maxBytesInFlight: 16 * MiB, maxBytes: 32 * MiB }

export interface ServingOptions {
  /** Records and sockets; a folder of this machine. */
  readonly dir: string
  /** Bound of the blocks kept, over all disks. */
  readonly cacheBytes: number
  readonly repository: <T>(ref: RepositoryRef, work: (repository: Repository) => Promise<T>) => Promise<T>
  readonly log: Log
}

interface Served {
  readonly server: NbdServer
  readonly sources: ReadonlyMap<string, PointSource>
  readonly point: HeldPoint
  /** Of the socket file: another one there means that it is no longer ours. */
  readonly inode: number
  readonly over: AbortController
  isReadAhead: boolean
}

/**
 * Serves points to VMs of this machine. The folder of records is the truth: what has a record is served by whichever
 * process comes first, what has none is not. A worker that was killed therefore serves again as soon as it starts, at the
 * same sockets, whether or not anything else can be reached.
 */
export class Serving implements AsyncDisposable {
  readonly #options: ServingOptions
  readonly #records: ServedRecords
  readonly #cache: BlockCache
  readonly #demand = new Demand()
  readonly #served = new Map<string, Served>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isOver = false

  constructor(options: ServingOptions) {
    this.#options = options
    this.#records = new ServedRecords(options.dir)
    this.#cache = new BlockCache(options.cacheBytes)
  }

  /** Serves what there is a record of, and goes on looking. */
  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#look(), lookEveryMs).unref()
    await this.#look()
  }

  record(operation: string): Promise<ServedRecord | undefined> {
    return this.#records.read(operation)
  }

  socket(operation: string): string {
    return this.#records.socket(operation)
  }

  /** Returns when the socket answers. `boot` is read ahead once, where this process serves it. again: yes. */
  async serve(record: ServedRecord, boot: BootReads | null = null): Promise<void> {
    this.socket(record.operation)
    if ((await this.#records.read(record.operation)) === undefined) await this.#records.write(record)
    await this.start()
    await this.#look()
    if (!this.#served.has(record.operation) && (await this.#inode(record.operation)) === null)
      throw new HoldfastError('StillInUse', `${this.socket(record.operation)} is not served yet`, { retryAfter: 1_000 })
    const served = this.#served.get(record.operation)
    if (boot === null || served === undefined || served.isReadAhead) return
    served.isReadAhead = true
    // Half of the cache: the rest is for what guests ask for.
    const limits = { limitBytes: this.#options.cacheBytes / 2, demand: this.#demand, signal: served.over.signal }
    void readAhead(boot, served.sources, limits)
  }

  /** again: yes. Another process that serves it notices within a second or two. */
  async end(operation: string): Promise<void> {
    await this.#records.remove(operation)
    await this.#look()
  }

  /** null: another process serves it, or none. */
  figures(operation: string): ServedFigures | null {
    const served = this.#served.get(operation)
    if (served === undefined) return null
    const sum = (of: (one: ServedFigures) => number): number =>
      [...served.sources.values()].reduce((total, { figures }) => total + of(figures), 0)
    return { readBytes: sum((one) => one.readBytes), fetchedBytes: sum((one) => one.fetchedBytes) }
  }

  /** What was read until now; null: another process serves it, or none. */
  reads(operation: string): BootReads | null {
    const served = this.#served.get(operation)
    if (served === undefined) return null
    return bootReads([...served.sources].map(([key, { order }]) => ({ key, order })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    clearInterval(this.#timer)
    await this.#looking
    await Promise.all([...this.#served.keys()].map((operation) => this.#close(operation)))
  }

  /** One look at a time; who comes in the middle of one waits for it and gets one of its own. */
  async #look(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking
    if (this.#isOver) return
    this.#looking = this.#reconcile()
      .catch((error: unknown) => {
        this.#options.log.warn({ error: describeError(error) }, 'the served points could not be looked at')
      })
      .finally(() => (this.#looking = undefined))
    await this.#looking
  }

  async #reconcile(): Promise<void> {
    const wanted = new Set(await this.#records.list())
    for (const [operation, { inode }] of this.#served)
      if (!wanted.has(operation) || (await this.#inode(operation)) !== inode) await this.#close(operation)
    for (const operation of wanted) {
      if (this.#served.has(operation)) continue
      try {
        const record = await this.#records.read(operation)
        if (record !== undefined) await this.#open(record)
      } catch (error) {
        // Another process serves it.
        if (isHoldfastError(error) && error.code === 'Busy') continue
        this.#options.log.warn({ operation, error: describeError(error) }, 'a point cannot be served')
      }
    }
  }

  async #open(record: ServedRecord): Promise<void> {
    const { operation, repository, stem } = record
    const { log } = this.#options
    const point = new HeldPoint((work) => this.#options.repository(repository, work), stem)
    let saidMs = 0
    const sources = new Map(
      record.disks.map(({ key, size }) => [
        key,
        new PointSource({
          name: `${repository.id} ${stem} ${key}`,
          size,
          open: () => point.disk(key),
          cache: this.#cache,
          demand: this.#demand,
          onWait: (error) => {
            if (Date.now() - saidMs < saidAgainMs) return
            log.warn({ stem, error: describeError(error) }, 'a guest waits for its repository')
            saidMs = Date.now()
          },
        }),
      ]),
    )
    const path = this.socket(operation)
    const server = await serveNbd({
      listen: { kind: 'unix', path },
      exports: [...sources].map(([name, source]) => ({ name, source })),
      limits,
      onError: (error) => log.warn({ stem, error: error.message }, 'a guest that is served met an error'),
    })
    this.#served.set(operation, {
      ...{ server, sources, point, inode: (await this.#inode(operation)) ?? 0 },
      ...{ over: new AbortController(), isReadAhead: false },
    })
    log.info({ stem, socket: path }, 'a point is served')
  }

  async #close(operation: string): Promise<void> {
    const served = this.#served.get(operation)
    if (served === undefined) return
    this.#served.delete(operation)
    // Cut off first: the guest asks the next worker again, but an error it would keep.
    const cut = served.server.abort()
    served.over.abort()
    for (const source of served.sources.values()) source.end()
    await cut
    await served.point.close()
  }

  async #inode(operation: string): Promise<number | null> {
    try {
      return (await stat(this.socket(operation))).ino
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }
}
