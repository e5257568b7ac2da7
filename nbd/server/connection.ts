import type { Socket } from 'node:net'
import { HoldfastError, toHoldfastError } from '../../base/index.ts'
import { Budget } from '../budget.ts'
import { Command, NbdErrno } from '../codec/constants.ts'
import { mismatch } from '../codec/bytes.ts'
import { decodeRequest, REQUEST_LENGTH, type RequestHeader } from '../codec/requests.ts'
import { Channel, PeerGone } from './channel.ts'
import { BLOCK_SIZES, Negotiation, type Agreed } from './negotiate.ts'
import { Executor, refusalOf } from './requests.ts'
import type { NbdExport, ServerLimits, ServerTls } from './types.ts'

export interface ServedBy {
  readonly exports: ReadonlyMap<string, NbdExport>
  readonly tls: ServerTls | undefined
  readonly limits: ServerLimits
  /** Payload bytes over all connections. */
  readonly memory: Budget
  readonly onError: (error: HoldfastError) => void
}

/** One client from accept to close. Whatever it sends, `run` resolves and nothing of it is left. */
export class ServerConnection {
  readonly #server: ServedBy
  readonly #channel: Channel
  readonly #budget: Budget
  readonly #gone = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  #isStopping = false

  constructor(socket: Socket, server: ServedBy) {
    this.#server = server
    this.#budget = new Budget(server.limits.maxInFlight, server.limits.maxBytesInFlight)
    this.#channel = new Channel(socket, server.limits.stallTimeout, () => this.#gone.abort())
  }

  async run(): Promise<void> {
    try {
      const agreed = await this.#negotiate()
      if (agreed) await this.#transmit(agreed)
      await Promise.all(this.#underWay)
      this.#channel.end()
    } catch (error) {
      if (!(error instanceof PeerGone) && !this.#isStopping)
        this.#server.onError(toHoldfastError(error, 'NetworkFailure'))
      this.#channel.destroy()
      await Promise.allSettled(this.#underWay)
    }
  }

  async #negotiate(): Promise<Agreed | null> {
    const limit = this.#server.limits.handshakeTimeout
    const late = new HoldfastError('Stalled', `an NBD client did not finish the handshake within ${limit} ms`)
    const timer = setTimeout(() => this.#channel.destroy(late), limit)
    try {
      return await new Negotiation(this.#channel, this.#server.exports, this.#server.tls).run()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Requests until the client says DISC or leaves. Past the limits nothing is read: the peer has to wait. */
  async #transmit(agreed: Agreed): Promise<void> {
    const signal = this.#gone.signal
    const executor = new Executor(this.#channel, agreed, signal, (error) => {
      if (!signal.aborted) this.#server.onError(toHoldfastError(error, 'SourceReadFailed'))
    })
    for (;;) {
      const frame = await this.#channel.readOrEnd(REQUEST_LENGTH)
      if (!frame) return
      const request = decodeRequest(frame)
      if (request.command === Command.DISC) return
      if (request.command === Command.WRITE && request.length > BLOCK_SIZES.maximum) {
        throw mismatch(`the client announced a write of ${request.length} bytes`)
      }
      await this.#begin(request, agreed, executor)
    }
  }

  async #begin(request: RequestHeader, agreed: Agreed, executor: Executor): Promise<void> {
    const refusal = this.#isStopping ? NbdErrno.ESHUTDOWN : refusalOf(request, agreed)
    const isRead = request.command === Command.READ && refusal === 0
    const cost = isRead || request.command === Command.WRITE ? request.length : 0
    const release = await this.#reserve(cost)
    const payloadRead = Promise.withResolvers<void>()
    const execute = async (): Promise<void> => {
      try {
        const payload = request.command === Command.WRITE ? Buffer.allocUnsafeSlow(request.length) : null
        if (payload) await this.#channel.fill(payload)
        payloadRead.resolve()
        if (refusal === 0) await executor.execute(request, payload)
        else await executor.refuse(request, refusal)
      } finally {
        release()
      }
    }
    const work = execute()
    this.#underWay.add(work)
    const ended = work.finally(() => this.#underWay.delete(work))
    // A reply that cannot be sent ends the connection; the reading loop meets the same failure.
    ended.catch((error: unknown) => this.#channel.destroy(toHoldfastError(error, 'NetworkFailure')))
    await Promise.race([payloadRead.promise, work])
  }

  async #reserve(cost: number): Promise<() => void> {
    const signal = this.#gone.signal
    const what = (): string => 'a request of a client that left'
    try {
      await this.#budget.acquire(cost, signal, what)
    } catch (cause) {
      throw new PeerGone(what(), { cause })
    }
    try {
      await this.#server.memory.acquire(cost, signal, what)
    } catch (cause) {
      this.#budget.release(cost)
      throw new PeerGone(what(), { cause })
    }
    return () => {
      this.#server.memory.release(cost)
      this.#budget.release(cost)
    }
  }

  /** Answers what is under way, refuses what still comes, then closes. */
  async drain(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled(this.#underWay)
    this.#channel.end()
  }

  cut(): void {
    this.#isStopping = true
    this.#channel.destroy()
  }
}
