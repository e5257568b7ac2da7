import { connect, type Socket } from 'node:net'
import { HoldfastError, KiB, MiB } from '../../base/index.ts'
import { describeAddress, socketTarget, type NbdAddress } from '../address.ts'
import { mismatch } from '../codec/bytes.ts'
import { cancelled, connectionClosed, connectionError } from './errors.ts'
import type { TlsUpgrade } from './types.ts'

/** One static buffer per connection, handed to libuv again and again: no allocation and no stream per chunk. */
const RECEIVE_BUFFER = 256 * KiB
/** Handshake bytes not yet asked for. A frame is at most 64 KiB, so more than this is a flood. */
const MAX_UNREAD = 2 * MiB

/** `chunk` is only valid during the call. A throw ends the connection with that error. */
export type Sink = (chunk: Buffer) => void

/**
 * A socket seen from the protocol: exact reads while haggling, then a stream into a sink. It fails once, with one error;
 * nothing is delivered afterwards.
 */
export class Transport {
  readonly peer: string
  #socket: Socket
  #sink: Sink | null = null
  #unread: Buffer[] = []
  #unreadBytes = 0
  #waiter: { length: number; resolve: (data: Buffer) => void; reject: (error: HoldfastError) => void } | null = null
  #failure: HoldfastError | null = null
  #onFailure: ((error: HoldfastError) => void) | null = null

  private constructor(socket: Socket, peer: string) {
    this.#socket = socket
    this.peer = peer
  }

  /** Connects; an abort of `signal` fails the transport at any time until `release` is called. */
  static async open(
    address: NbdAddress,
    signal: AbortSignal,
    upgradeable: boolean,
  ): Promise<{ transport: Transport; release: () => void }> {
    const peer = describeAddress(address)
    const target = socketTarget(address)
    let transport: Transport | null = null
    // A socket that TLS will take over must be an ordinary stream; the static buffer would bypass the TLS layer.
    const socket = upgradeable
      ? connect({ ...target, noDelay: true, keepAlive: true })
      : connect({
          ...target,
          noDelay: true,
          keepAlive: true,
          onread: {
            buffer: Buffer.allocUnsafeSlow(RECEIVE_BUFFER),
            callback: (length, buffer) => {
              transport?.receive((buffer as Buffer).subarray(0, length))
              return true
            },
          },
        })
    transport = new Transport(socket, peer)
    return await transport.#start(signal, upgradeable)
  }

  async #start(signal: AbortSignal, upgradeable: boolean): Promise<{ transport: Transport; release: () => void }> {
    const abort = (): void => this.fail(cancelled(signal, `connecting to the NBD server at ${this.peer}`))
    const release = (): void => signal.removeEventListener('abort', abort)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    this.#listen(this.#socket, upgradeable)
    await new Promise<void>((resolve, reject) => {
      this.#onFailure = reject
      this.#socket.once('connect', resolve)
      if (this.#failure) reject(this.#failure)
    })
    this.#onFailure = null
    return { transport: this, release }
  }

  #listen(socket: Socket, stream: boolean): void {
    socket.on('error', (error) => this.fail(connectionError(error, this.peer)))
    socket.on('end', () => this.fail(connectionClosed(this.peer)))
    socket.on('close', () => this.fail(connectionClosed(this.peer)))
    if (stream) socket.on('data', (chunk: Buffer) => this.receive(chunk))
  }

  get failure(): HoldfastError | null {
    return this.#failure
  }

  /** Bytes that arrived. Public for the socket's callback only. */
  receive(chunk: Buffer): void {
    if (this.#failure) return
    if (this.#sink) {
      try {
        this.#sink(chunk)
      } catch (error) {
        this.fail(connectionError(error, this.peer))
      }
      return
    }
    this.#unread.push(Buffer.from(chunk))
    this.#unreadBytes += chunk.length
    this.#serve()
    if (this.#unreadBytes > MAX_UNREAD) this.fail(mismatch('the server floods the handshake'))
  }

  /** The next `length` bytes. One call at a time. */
  async readExactly(length: number): Promise<Buffer> {
    if (this.#failure) throw this.#failure
    return await new Promise<Buffer>((resolve, reject) => {
      this.#waiter = { length, resolve, reject }
      this.#serve()
    })
  }

  #serve(): void {
    const waiter = this.#waiter
    if (!waiter || this.#unreadBytes < waiter.length) return
    const all = this.#unread.length === 1 ? (this.#unread[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#unread)
    const rest = all.subarray(waiter.length)
    this.#unread = rest.length > 0 ? [rest] : []
    this.#unreadBytes = rest.length
    this.#waiter = null
    waiter.resolve(all.subarray(0, waiter.length))
  }

  /** From now on everything goes to `sink`; `onFailure` is called once, or at once if it happened already. */
  stream(sink: Sink, onFailure: (error: HoldfastError) => void): void {
    this.#sink = sink
    this.#onFailure = onFailure
    if (this.#failure) {
      onFailure(this.#failure)
      return
    }
    const early = this.#unread
    this.#unread = []
    this.#unreadBytes = 0
    for (const chunk of early) this.receive(chunk)
  }

  /** Hands the socket to TLS. Plain bytes that came after the server's word are an injection (RFC 2595, section 6). */
  async upgrade(tls: TlsUpgrade, signal: AbortSignal): Promise<void> {
    if (this.#unreadBytes > 0) throw mismatch('the server sent plain bytes after it agreed to TLS')
    const plain = this.#socket
    plain.removeAllListeners('data')
    try {
      const secure = await tls(plain, signal)
      if (this.#failure) {
        secure.destroy()
        throw this.#failure
      }
      this.#socket = secure
      this.#listen(secure, true)
    } catch (error) {
      throw this.#failure ?? connectionError(error, this.peer)
    }
  }

  /** Sends both parts in one go. `sent` is called when the kernel has all of it; the parts must not change before. */
  send(header: Buffer, payload: Uint8Array | null, sent?: () => void): void {
    if (this.#failure) return
    if (payload === null) {
      this.#socket.write(header)
      return
    }
    this.#socket.cork()
    this.#socket.write(header)
    this.#socket.write(payload, (error) => {
      if (!error) sent?.()
    })
    this.#socket.uncork()
  }

  /** Sends the last bytes and closes in an orderly way; resolves when the socket is gone. */
  async finish(last: Buffer): Promise<void> {
    if (this.#failure) return
    this.#onFailure = null
    this.#failure = new HoldfastError('Cancelled', `the NBD connection to ${this.peer} was closed`)
    const socket = this.#socket
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), 1000)
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      socket.end(last, () => socket.destroy())
    })
  }

  /** Ends the connection with `error`; only the first call counts. */
  fail(error: HoldfastError): void {
    if (this.#failure) return
    this.#failure = error
    this.#unread = []
    this.#unreadBytes = 0
    this.#socket.destroy()
    const waiter = this.#waiter
    this.#waiter = null
    waiter?.reject(error)
    this.#onFailure?.(error)
  }
}
