/**
 * The watchdog looks into the repositories themselves, from the server and without Temporal: no schedule, worker or run has
 * to work for it to notice that points are missing, that nobody can tell, or that the clock by which ages are told has moved.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, HoldfastError, secretText, toHoldfastError } from '../../base/index.ts'
import type { Catalog, RepositoryView } from '../../catalog/index.ts'
import type { OpenOptions, Repository } from '../../repository/index.ts'
import type { SteadyClock } from './clock.ts'
import { lookAt } from './look.ts'

export { steadyClock, systemClock, type SteadyClock } from './clock.ts'

export interface WatchdogOptions {
  readonly catalog: Catalog
  readonly clock: SteadyClock
  readonly openRepository: (options: OpenOptions) => Promise<Repository>
  readonly secret: (credentialRef: string) => Promise<string>
  /** Disposable files. */
  readonly cacheDir: string
  readonly now: () => number
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
  /** Between two looks at a repository, milliseconds. */
  readonly everyMs?: number
  /** After so many milliseconds a store does not answer. */
  readonly longestMs?: number
}

/** How often every repository is looked at: one listing, and the newest point of each VM the first time it is seen. */
export const lookEveryMs = 5 * 60_000
const clockEveryMs = 20_000
/** A store that does not answer at all must not keep the others from being looked at. */
const longestLookMs = 10 * 60_000

export class Watchdog implements AsyncDisposable {
  readonly #options: WatchdogOptions
  readonly #open = new Map<string, { readonly key: string; readonly repository: Repository }>()
  /** Repositories whose last look has not come back: a mount that hangs does so in the kernel, where no signal reaches. */
  readonly #hanging = new Set<string>()

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /** Until the signal. A store that hangs does not keep the clock from being watched. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, catalog, everyMs = lookEveryMs } = this.#options
    await Promise.all([
      this.#repeat(clockEveryMs, signal, () => clock.check(catalog)),
      this.#repeat(everyMs, signal, () => this.look(signal)),
    ])
  }

  /** Timers go by a clock that nobody can set. */
  async #repeat(everyMs: number, signal: AbortSignal, work: () => void | Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work()
      } catch (error) {
        this.#options.log.error({ error: describeError(error) }, 'the watchdog failed')
      }
      // Ends early with the signal, which is no error here: the loop looks at it.
      await Promise.allSettled([sleep(everyMs, undefined, { signal })])
    }
  }

  /**
   * One look at every repository, one after the other; what one of them throws is written down. One that hangs is left out
   * until it comes back.
   */
  async look(signal: AbortSignal): Promise<void> {
    const { catalog, now, log, longestMs = longestLookMs } = this.#options
    for (const row of catalog.repositories.all()) {
      if (signal.aborted) return
      if (this.#hanging.has(row.id)) continue
      const limit = AbortSignal.timeout(longestMs)
      try {
        await this.#lookAt(row, AbortSignal.any([signal, limit]))
      } catch (error) {
        if (signal.aborted) return
        // What hangs would hang in being closed as well.
        if (!this.#hanging.has(row.id)) await this.#forget(row.id)
        const { code, message, hint, docs } = limit.aborted ? unanswered(row) : toHoldfastError(error)
        catalog.watches.recordFailure(row.id, now(), { code, message, hint, docs })
        log.warn({ repository: row.id, code, error: message }, 'a look into the repository failed')
      }
    }
  }

  /** Comes back with the signal, whatever the look does; then the look itself changes nothing any more. */
  async #lookAt(row: RepositoryView, signal: AbortSignal): Promise<void> {
    const { catalog, now } = this.#options
    this.#hanging.add(row.id)
    const looking = lookAt(catalog, row, {
      open: (fresh) => this.#repository(row, fresh, signal),
      now,
      signal,
    }).finally(() => this.#hanging.delete(row.id))
    const over = Promise.withResolvers<never>()
    const stop = (): void => over.reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([looking, over.promise])
    } finally {
      signal.removeEventListener('abort', stop)
      if (signal.aborted) void this.#closeAfter(row.id, looking)
    }
  }

  /** Of a look that nobody waits for any more: that it did not end in time is told. */
  async #closeAfter(id: string, looking: Promise<void>): Promise<void> {
    await Promise.allSettled([looking])
    try {
      await this.#forget(id)
    } catch (error) {
      this.#options.log.warn({ repository: id, error: describeError(error) }, 'a repository was not closed')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.#forget(id)))
  }

  async #repository(row: RepositoryView, fresh: boolean, signal: AbortSignal): Promise<Repository> {
    const { location, credentialRef } = row
    const key = JSON.stringify({ location, credentialRef })
    const known = this.#open.get(row.id)
    if (known !== undefined && known.key === key && !fresh) return known.repository
    await this.#forget(row.id)
    const { openRepository, secret, cacheDir } = this.#options
    const passphrase = secretText(await secret(credentialRef))
    const repository = await openRepository({
      location,
      secret: { kind: 'passphrase', passphrase },
      cacheDir,
      threads: 1,
    })
    // Too late: nobody would close it.
    if (signal.aborted) await repository[Symbol.asyncDispose]()
    signal.throwIfAborted()
    this.#open.set(row.id, { key, repository })
    return repository
  }

  async #forget(id: string): Promise<void> {
    const known = this.#open.get(id)
    this.#open.delete(id)
    await known?.repository[Symbol.asyncDispose]()
  }
}

function unanswered(row: RepositoryView): HoldfastError {
  return new HoldfastError('StoreUnavailable', `${row.name} did not answer for ten minutes`)
}
