import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { HoldfastError, type Millis } from '../../base/index.ts'
import { mismatch } from '../codec/bytes.ts'
import type { ServerTls } from './types.ts'

/** The peer went away in an orderly place: between two requests, or where the protocol lets it. */
export class PeerGone extends Error {
  override readonly name = 'PeerGone'
}

/**
 * The server's side of a socket: exact reads that leave the rest in the kernel until it is asked for, and writes that
 * resolve when the kernel has taken them. Both fail once the socket is gone.
 */
export class Channel {
  #socket: Socket
  readonly #stallTimeout: Millis
  #wake: (() => void) | null = null
  #failure: Error | null = null
  #isEnded = false
  readonly #onGone: () => void

  constructor(socket: Socket, stallTimeout: Millis, onGone: () => void) {
    this.#socket = socket
    this.#stallTimeout = stallTimeout
    this.#onGone = onGone
    this.#listen()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('readable', () => this.#wake?.())
    socket.on('end', () => {
      this.#isEnded = true
      this.#wake?.()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isHangUp = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      this.#failure ??= isHangUp ? new PeerGone(`the NBD client hung up (${error.code})`, { cause: error }) : error
    })
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
      this.#onGone()
    })
  }

  /** Resolves with null if the peer left before the first byte. */
  async readOrEnd(length: number): Promise<Buffer | null> {
    const into = Buffer.allocUnsafe(length)
    const have = await this.#fill(into, 0, null)
    if (have === 0 && length > 0) return null
    if (have < length) throw this.#gone('in the middle of a message')
    return into
  }

  async read(length: number): Promise<Buffer> {
    const data = await this.readOrEnd(length)
    if (!data) throw this.#gone('in the middle of the conversation')
    return data
  }

  /** A payload that was announced; it must keep coming. */
  async fill(into: Buffer): Promise<void> {
    const have = await this.#fill(into, 0, this.#stallTimeout)
    if (have < into.length) throw this.#gone('in the middle of a payload')
  }

  async #fill(into: Buffer, from: number, stall: Millis | null): Promise<number> {
    let have = from
    while (have < into.length) {
      // Also bytes that arrived before the failure are of no use: their sender has been given up.
      if (this.#failure) throw this.#failure
      const available = this.#socket.readableLength
      const chunk = available > 0 ? (this.#socket.read(Math.min(available, into.length - have)) as Buffer | null) : null
      if (chunk) {
        have += chunk.copy(into, have)
        continue
      }
      if (this.#isEnded || this.#socket.destroyed) return have
      await this.#more(stall)
    }
    return have
  }

  /** Waits for bytes or the end. */
  async #more(stall: Millis | null): Promise<void> {
    const timer = stall === null ? null : setTimeout(() => this.destroy(stalled(stall)), stall)
    // An empty read makes the stream ask the kernel and announce what comes.
    this.#socket.read(0)
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
    if (timer) clearTimeout(timer)
  }

  /** One message; resolves when the kernel has it. The parts must not change before. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure || this.#socket.destroyed) throw this.#gone('before its reply')
    const timer = setTimeout(() => this.destroy(stalled(this.#stallTimeout)), this.#stallTimeout)
    try {
      await new Promise<void>((resolve, reject) => {
        const last = parts.length - 1
        this.#socket.cork()
        parts.forEach((part, index) => {
          if (index < last) this.#socket.write(part)
          else this.#socket.write(part, (error) => (error ? reject(this.#gone('before its reply')) : resolve()))
        })
        this.#socket.uncork()
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** After STARTTLS was acknowledged. Plain bytes that are there already are an injection. */
  async upgrade(tls: ServerTls): Promise<void> {
    if (this.#socket.readableLength > 0) throw mismatch('the client sent plain bytes after STARTTLS')
    const plain = this.#socket
    plain.removeAllListeners('readable')
    plain.removeAllListeners('end')
    // A TLS server of its own for one socket: it is what judges the client's certificate.
    const acceptor = createServer({
      cert: tls.cert,
      key: tls.key,
      ...(tls.clientCa !== undefined && { ca: tls.clientCa }),
      minVersion: 'TLSv1.2',
      requestCert: tls.clientCa !== undefined,
      rejectUnauthorized: tls.clientCa !== undefined,
    })
    this.#socket = await new Promise<TLSSocket>((resolve, reject) => {
      acceptor.once('secureConnection', resolve)
      acceptor.once('tlsClientError', (cause) => {
        reject(new HoldfastError('AccessDenied', `an NBD client failed the TLS handshake: ${cause.message}`, { cause }))
      })
      plain.once('close', () => reject(this.#gone('during the TLS handshake')))
      acceptor.emit('connection', plain)
    })
    this.#listen()
  }

  #gone(when: string): Error {
    return this.#failure ?? new PeerGone(`the NBD client left ${when}`)
  }

  /** Lets the kernel send what it has, then closes. */
  end(): void {
    this.#socket.end()
    this.#socket.destroySoon()
  }

  destroy(error?: Error): void {
    if (error) this.#failure ??= error
    this.#socket.destroy()
  }
}

function stalled(limit: Millis): HoldfastError {
  return new HoldfastError('Stalled', `the NBD client moved no byte for ${limit} ms`)
}
