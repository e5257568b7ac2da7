import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, isHoldfastError } from '../../base/index.ts'
import { bandwidthAt, leavingKeys, linkKeys, storingKeys } from '../../policy/index.ts'
import type { BandwidthLimit, LinkDirection } from '../../policy/index.ts'
import type { Log } from './deps.ts'
import { TokenBucket } from './token-bucket.ts'

/** A limit that several copies share, as it was when this one began. */
export interface SharedLimit {
  /** `plan/nightly`, `link/lab/main/backup` */
  readonly key: string
  readonly limits: readonly BandwidthLimit[]
  readonly timeZone: string
}

/** The links that a copy between the two is a part of; what limits them is for the server to say. */
export function linkLimits(hypervisorId: string, repositoryId: string, direction: LinkDirection): SharedLimit[] {
  return linkKeys(hypervisorId, repositoryId, direction).map(linkLimit)
}

/** The links that a mirror into a repository is a part of. */
export function storingLimits(repositoryId: string): SharedLimit[] {
  return storingKeys(repositoryId).map(linkLimit)
}

/** The links that a standby’s copy is a part of. */
export function leavingLimits(hypervisorId: string): SharedLimit[] {
  return leavingKeys(hypervisorId).map(linkLimit)
}

function linkLimit(key: string): SharedLimit {
  return { key, limits: [], timeZone: 'UTC' }
}

/** How many copies of a process share a limit now. */
export interface Moving {
  readonly key: string
  readonly copies: number
}
/** What this process may do of it; null: it is not limited. */
export interface Share {
  readonly key: string
  readonly bytesPerSecond: number | null
  /** The whole limit as it is now, for the time in which nobody can be asked. */
  readonly limits: readonly BandwidthLimit[]
  readonly timeZone: string
}
/** Tells the server what moves, and hears what may be done: a limit is divided among all processes that share it. */
export type AskShares = (moving: readonly Moving[], signal: AbortSignal) => Promise<readonly Share[]>

export interface BandwidthOptions {
  readonly ask: AskShares
  readonly log: Log
  readonly now?: () => number
  /** Until there is room for more. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** Between two questions. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A change counts after so long; the server forgets a process that has not asked for some times as long. */
export const askEveryMs = 2_000
/**
 * What was heard so long ago says nothing any more: then each process keeps the whole limit as it was heard last. Not where
 * the server refuses the question, because then it is there and others may well be heard: the last share goes on.
 */
const heardForMs = 60_000

interface Link {
  readonly bucket: TokenBucket
  /** As it was when the first copy began, then as it was heard last. */
  limit: SharedLimit
  copies: number
  heard: { readonly ms: number; readonly bytesPerSecond: number | null } | null
  /** That was said once. */
  isUnread: boolean
}

/** One copy’s part in the limits that it shares. */
export interface Pace extends Disposable {
  /** Resolves when so many bytes may go; `onWait` is called again and again until then. */
  take(bytes: number, signal: AbortSignal, onWait: () => void): Promise<void>
}

/** The limits of a process: one bucket for each, shared by all its copies. */
export class Bandwidth implements Disposable {
  readonly #options: BandwidthOptions
  readonly #links = new Map<string, Link>()
  readonly #ended = new AbortController()
  #asking: Promise<void> | null = null
  #isAway = false
  #isRefused = false

  constructor(options: BandwidthOptions) {
    this.#options = options
  }

  /** Until it is disposed of. The first answer of the server is waited for, a server that is away is not. */
  async join(limits: readonly SharedLimit[]): Promise<Pace> {
    const links = limits.map((limit) => {
      const known = this.#links.get(limit.key)
      const link = known ?? { bucket: this.#bucket(), limit, copies: 0, heard: null, isUnread: false }
      link.copies += 1
      this.#links.set(limit.key, link)
      return link
    })
    if (links.some(({ heard }) => heard === null)) await this.#look()
    if (links.length > 0) this.#asking ??= this.#keepAsking()
    let isIn = true
    return {
      take: async (bytes, signal, onWait) => {
        for (const { bucket } of links) await bucket.take(bytes, signal, onWait)
      },
      [Symbol.dispose]: () => {
        if (!isIn) return
        isIn = false
        for (const link of links) {
          link.copies -= 1
          if (link.copies === 0) this.#links.delete(link.limit.key)
        }
      },
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort()
  }

  async #keepAsking(): Promise<void> {
    const { signal } = this.#ended
    while (this.#links.size > 0 && !signal.aborted) {
      await Promise.allSettled([(this.#options.pause ?? real)(askEveryMs, signal)])
      if (this.#links.size > 0 && !signal.aborted) await this.#look()
    }
    this.#asking = null
  }

  async #look(): Promise<void> {
    const { ask, log } = this.#options
    const asked = [...this.#links].map(([key, { copies }]) => ({ key, copies }))
    try {
      const shares = await ask(asked, this.#ended.signal)
      for (const { key, bytesPerSecond, limits, timeZone } of shares) {
        const link = this.#links.get(key)
        if (link === undefined) continue
        link.heard = { ms: this.#now(), bytesPerSecond }
        link.limit = { key, limits, timeZone }
      }
      this.#isAway = false
      this.#isRefused = false
    } catch (error) {
      this.#isRefused = isHoldfastError(error) && (error.code === 'InvalidRequest' || error.code === 'Unauthorized')
      if (!this.#isAway) log.warn({ error: describeError(error) }, 'the server cannot be asked for bandwidth')
      this.#isAway = true
    }
    for (const link of this.#links.values()) this.#setRate(link)
  }

  #setRate(link: Link): void {
    const { bucket, limit, heard } = link
    try {
      const isFresh = heard !== null && this.#now() - heard.ms < heardForMs
      bucket.setRate(isFresh ? heard.bytesPerSecond : this.#unheard(link))
    } catch (error) {
      // The rate stays as it was, and the other limits are kept: a limit that nobody understands stops no copy.
      if (!link.isUnread) {
        this.#options.log.warn(
          { limit: limit.key, error: describeError(error) },
          'a bandwidth limit cannot be understood',
        )
      }
      link.isUnread = true
    }
  }

  #unheard({ limit, heard }: Link): number | null {
    const { bytesPerSecond: whole } = bandwidthAt(limit.limits, limit.timeZone, this.#now())
    return this.#isRefused && whole !== null ? Math.min(whole, heard?.bytesPerSecond ?? whole) : whole
  }

  #bucket(): TokenBucket {
    return new TokenBucket(null, { now: () => this.#now(), wait: this.#options.wait ?? real })
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

async function real(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal })
}
