import { HoldfastError, isHoldfastError, type Millis } from '../../base/index.ts'
import { Command, CommandFlag } from '../codec/constants.ts'
import { Budget } from '../budget.ts'
import { Connection, type ConnectionOwner } from './connection.ts'
import { cancelled } from './errors.ts'
import type { Negotiated } from './handshake.ts'
import type { PendingRequest } from './pending.ts'
import type { ConnectOptions } from './types.ts'

export interface SessionLimits {
  readonly requestTimeout: Millis
  readonly maxInFlight: number
  readonly maxBytesInFlight: number
}

/**
 * Requests over a connection that may be replaced. A lost connection is reopened when the policy allows it, the export
 * is proved to be the same one, and what was under way is sent again. Not after acknowledged writes that no flush has
 * covered: a server that was restarted may have lost them, and only the caller can write them again.
 */
export class Session implements ConnectionOwner {
  readonly #options: ConnectOptions
  readonly #limits: SessionLimits
  readonly #budget: Budget
  #connection: Connection | null = null
  #first: Negotiated | null = null
  #contexts: ReadonlyMap<number, string> = new Map()
  /** Requests without a connection, in order. */
  #waiting: PendingRequest[] = []
  #failure: HoldfastError | null = null
  /** Connections in a row that were reopened and have answered nothing yet. */
  #barren = 0
  readonly #closing = new AbortController()
  /** Writes acknowledged, and how many of them were acknowledged before the last successful flush was sent. */
  #written = 0
  #durable = 0

  private constructor(options: ConnectOptions, limits: SessionLimits) {
    this.#options = options
    this.#limits = limits
    this.#budget = new Budget(limits.maxInFlight, limits.maxBytesInFlight)
  }

  static async open(options: ConnectOptions, limits: SessionLimits): Promise<Session> {
    const session = new Session(options, limits)
    const connection = await Connection.open(options, limits.requestTimeout, session)
    session.#first = connection.negotiated
    session.#use(connection)
    return session
  }

  get negotiated(): Negotiated {
    if (!this.#first) throw new HoldfastError('Internal', 'the NBD session was used before it was open')
    return this.#first
  }

  /** Context ids of the connection of the moment. */
  get contexts(): ReadonlyMap<number, string> {
    return this.#contexts
  }

  async run(request: PendingRequest, signal: AbortSignal | undefined): Promise<void> {
    await this.#budget.acquire(request.cost, signal, () => request.describe())
    if (this.#failure || signal?.aborted) {
      this.#budget.release(request.cost)
      throw this.#failure ?? cancelled(signal as AbortSignal, request.describe())
    }
    const settled = request.settled()
    const abort = (): void => this.#cancel(request, cancelled(signal as AbortSignal, request.describe()))
    signal?.addEventListener('abort', abort, { once: true })
    const before = this.#written
    this.#submit(request)
    try {
      await settled
      if (request.spec.command === Command.FLUSH) this.#durable = Math.max(this.#durable, before)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #submit(request: PendingRequest): void {
    if (this.#connection) {
      request.sends += 1
      this.#connection.send(request)
    } else {
      this.#waiting.push(request)
    }
  }

  #cancel(request: PendingRequest, error: HoldfastError): void {
    request.abandon(error)
    const queued = this.#waiting.indexOf(request)
    if (queued >= 0) {
      this.#waiting.splice(queued, 1)
      this.#budget.release(request.cost)
      return
    }
    // Part of the caller's buffer is still in the socket's queue; the only way to take it back is to cut the connection.
    if (!request.isSent) {
      this.#connection?.drop(
        new HoldfastError('NetworkFailure', 'the NBD connection was cut because a write was cancelled half-way', {
          cause: error,
        }),
      )
    }
  }

  answered(request: PendingRequest): void {
    this.#barren = 0
    const { command, flags } = request.spec
    const writes = command === Command.WRITE || command === Command.WRITE_ZEROES || command === Command.TRIM
    if (writes && (flags & CommandFlag.FUA) === 0) this.#written += 1
    this.#budget.release(request.cost)
  }

  lost(connection: Connection, error: HoldfastError, requests: readonly PendingRequest[]): void {
    if (this.#connection === connection) this.#connection = null
    const wanted: PendingRequest[] = []
    for (const request of requests) {
      if (request.isAbandoned) this.#budget.release(request.cost)
      else wanted.push(request)
    }
    this.#waiting = [...wanted, ...this.#waiting]
    const refusal = this.#whyNotReopen(error)
    if (refusal) {
      this.#fail(refusal)
      return
    }
    this.#giveUpOn((request) => request.sends > this.#attempts, error)
    this.#reopen(error).catch((cause: unknown) => {
      this.#fail(
        isHoldfastError(cause)
          ? cause
          : new HoldfastError('Internal', 'reopening the NBD connection failed', { cause }),
      )
    })
  }

  get #attempts(): number {
    return this.#options.reconnect?.attempts ?? 0
  }

  #whyNotReopen(error: HoldfastError): HoldfastError | null {
    if (this.#failure) return this.#failure
    // A server that hangs up after each handshake is no server: without this it would be called for ever.
    if (this.#barren >= this.#attempts || error.retry !== 'transient') return error
    if (this.#written === this.#durable) return null
    return new HoldfastError(
      'NetworkFailure',
      `${error.message}; acknowledged writes were not flushed and may be lost`,
      {
        cause: error,
        hint: 'Write the disk again from the last flush.',
        data: { unflushedWrites: this.#written - this.#durable },
      },
    )
  }

  async #reopen(lost: HoldfastError): Promise<void> {
    const { delay } = this.#options.reconnect ?? { delay: 0 }
    for (let attempt = 1; ; attempt += 1) {
      const inVain = this.#barren + attempt - 1
      if (inVain > 0) await this.#pause(Math.min(delay * 2 ** (inVain - 1), delay * 16))
      try {
        const signal = this.#closing.signal
        const connection = await Connection.open({ ...this.#options, signal }, this.#limits.requestTimeout, this)
        if (this.#failure) {
          connection.drop(this.#failure)
          return
        }
        this.#proveSame(connection)
        this.#barren += 1
        this.#use(connection)
        return
      } catch (error) {
        const isLast = attempt >= this.#attempts || !isHoldfastError(error) || error.retry !== 'transient'
        if (isLast || this.#failure) throw isHoldfastError(error) && error.retry !== 'transient' ? error : lost
      }
    }
  }

  /** Resolves after `ms`, or at once when the session closes. */
  async #pause(ms: number): Promise<void> {
    const signal = this.#closing.signal
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer)
          resolve()
        },
        { once: true },
      )
    })
  }

  #proveSame(connection: Connection): void {
    const before = this.negotiated
    const now = connection.negotiated
    const names = (of: Negotiated): string => [...of.contexts.values()].sort().join('\n')
    const differs: string[] = []
    if (now.size !== before.size) differs.push(`size ${before.size} → ${now.size}`)
    if (now.flags !== before.flags) differs.push(`flags 0x${before.flags.toString(16)} → 0x${now.flags.toString(16)}`)
    if (now.blockSizes.minimum !== before.blockSizes.minimum) differs.push('minimum block size')
    if (now.blockSizes.maximum < before.blockSizes.maximum) differs.push('maximum block size')
    if (now.structured !== before.structured) differs.push('structured replies')
    if (names(now) !== names(before)) differs.push('metadata contexts')
    if (differs.length === 0) return
    const error = new HoldfastError('SizeMismatch', `the NBD export came back different: ${differs.join(', ')}`, {
      hint: 'The export was replaced while it was in use; open it anew.',
    })
    connection.drop(error)
    throw error
  }

  #use(connection: Connection): void {
    this.#connection = connection
    this.#contexts = connection.negotiated.contexts
    connection.start()
    for (const request of this.#waiting.splice(0)) {
      request.restart()
      this.#submit(request)
    }
  }

  #giveUpOn(hopeless: (request: PendingRequest) => boolean, error: HoldfastError): void {
    const keep: PendingRequest[] = []
    for (const request of this.#waiting.splice(0)) {
      if (!hopeless(request)) {
        keep.push(request)
        continue
      }
      request.abandon(error)
      this.#budget.release(request.cost)
    }
    this.#waiting = keep
  }

  #fail(error: HoldfastError): void {
    this.#failure ??= error
    this.#giveUpOn(() => true, this.#failure)
    this.#budget.refuse(this.#failure)
  }

  async close(): Promise<void> {
    const connection = this.#connection
    const isIdle = connection?.inFlight === 0
    const error = new HoldfastError('Cancelled', 'the NBD client was closed')
    this.#connection = null
    this.#fail(error)
    this.#closing.abort(error)
    if (isIdle) await connection.goodbye()
    else connection?.drop(error)
  }
}
