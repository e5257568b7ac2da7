import { HoldfastError, type Millis } from '../../base/index.ts'
import { Command } from '../codec/constants.ts'
import { encodeRequest } from '../codec/requests.ts'
import { Handshake, type Negotiated } from './handshake.ts'
import { connectionClosed } from './errors.ts'
import type { PendingRequest } from './pending.ts'
import { Receiver, type ReplyTable } from './receiver.ts'
import { Transport } from './transport.ts'
import type { ConnectOptions, DialOptions } from './types.ts'

const DEFAULT_CONNECT_TIMEOUT = 15_000

interface InFlight {
  readonly request: PendingRequest
  readonly timer: NodeJS.Timeout
}

/** Opens a transport and haggles over it in `talk`, everything within the connect timeout. */
export async function dial<T>(
  options: DialOptions,
  talk: (handshake: Handshake, transport: Transport) => Promise<T>,
): Promise<T> {
  const limit = options.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT
  const deadline = new AbortController()
  const timer = setTimeout(() => {
    deadline.abort(
      new HoldfastError('NetworkFailure', `the NBD server did not finish the handshake within ${limit} ms`, {
        native: { code: 'ETIMEDOUT', text: `no handshake within ${limit} ms` },
      }),
    )
  }, limit)
  const signal = options.signal ? AbortSignal.any([options.signal, deadline.signal]) : deadline.signal
  try {
    const { transport, release } = await Transport.open(options.address, signal, options.tls !== undefined)
    try {
      const out = await talk(await Handshake.begin(transport, options.tls, signal), transport)
      if (transport.failure) throw transport.failure
      return out
    } catch (error) {
      transport.fail(error instanceof HoldfastError ? error : connectionClosed(transport.peer))
      throw error
    } finally {
      release()
    }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * One connection in the transmission phase: sends requests, matches replies by handle, and when it is lost hands all
 * that was under way back to its owner. Lost once, it stays lost.
 */
export class Connection implements ReplyTable {
  readonly negotiated: Negotiated
  readonly #transport: Transport
  readonly #timeout: Millis
  readonly #inFlight = new Map<number, InFlight>()
  readonly #owner: ConnectionOwner
  #nextHandle = 1

  private constructor(transport: Transport, negotiated: Negotiated, timeout: Millis, owner: ConnectionOwner) {
    this.#transport = transport
    this.negotiated = negotiated
    this.#timeout = timeout
    this.#owner = owner
  }

  static async open(options: ConnectOptions, timeout: Millis, owner: ConnectionOwner): Promise<Connection> {
    return await dial(options, async (handshake, transport) => {
      const negotiated = await handshake.negotiate(options)
      return new Connection(transport, negotiated, timeout, owner)
    })
  }

  /** Starts to deliver; separate from `open`, so that the owner knows the connection before it can be lost. */
  start(): void {
    const receiver = new Receiver(this, this.negotiated.structured)
    this.#transport.stream(
      (chunk) => receiver.push(chunk),
      (error) => this.#lose(error),
    )
  }

  get peer(): string {
    return this.#transport.peer
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  send(request: PendingRequest): void {
    const handle = this.#nextHandle
    this.#nextHandle += 1
    const timer = setTimeout(() => this.#timedOut(request), this.#timeout)
    request.handle = handle
    this.#inFlight.set(handle, { request, timer })
    const header = encodeRequest({ ...request.spec, handle: split(handle) })
    this.#transport.send(header, request.payload, () => (request.isSent = true))
  }

  find(hi: number, lo: number): PendingRequest | undefined {
    return this.#inFlight.get(join(hi, lo))?.request
  }

  done(request: PendingRequest): void {
    clearTimeout(this.#inFlight.get(request.handle)?.timer)
    this.#inFlight.delete(request.handle)
    this.#owner.answered(request)
  }

  #timedOut(request: PendingRequest): void {
    this.drop(
      new HoldfastError(
        'Stalled',
        `${request.describe()} was not answered within ${this.#timeout} ms by ${this.peer}`,
        {
          native: { code: 'ETIMEDOUT', text: `no complete reply within ${this.#timeout} ms` },
        },
      ),
    )
  }

  drop(error: HoldfastError): void {
    this.#transport.fail(error)
  }

  #lose(error: HoldfastError): void {
    const requests = [...this.#inFlight.values()].map((entry) => {
      clearTimeout(entry.timer)
      return entry.request
    })
    this.#inFlight.clear()
    this.#owner.lost(this, error, requests)
  }

  /** proto.md "Terminating the transmission phase": DISC, no reply, both sides close. */
  async goodbye(): Promise<void> {
    const handle = split(this.#nextHandle)
    await this.#transport.finish(encodeRequest({ command: Command.DISC, flags: 0, handle, offset: 0, length: 0 }))
  }
}

export interface ConnectionOwner {
  /** The reply is complete and has been delivered. */
  answered(request: PendingRequest): void
  /** `requests` were under way, in the order they were sent; nothing touches their buffers any more. */
  lost(connection: Connection, error: HoldfastError, requests: readonly PendingRequest[]): void
}

function split(handle: number): { hi: number; lo: number } {
  return { hi: Math.floor(handle / 0x1_0000_0000), lo: handle % 0x1_0000_0000 }
}

function join(hi: number, lo: number): number {
  return hi * 0x1_0000_0000 + lo
}
