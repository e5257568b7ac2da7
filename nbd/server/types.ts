import type { Bytes, HoldfastError, Millis } from '../../base/index.ts'
import type { NbdAddress } from '../address.ts'
import type { ByteRange, Extent } from '../extents/types.ts'

/**
 * What an export serves. Methods run concurrently, also for several connections at once; `signal` aborts when the
 * connection that asked is gone. Ranges are inside `size`. A throw becomes an error reply (CapacityExhausted → ENOSPC,
 * AccessDenied → EPERM, Unsupported → ENOTSUP, else EIO) and ends nothing.
 */
export interface BlockSource {
  readonly size: Bytes
  /** Fills `into` completely or throws. */
  read(at: Bytes, into: Uint8Array, signal: AbortSignal): Promise<void>
  /** Sorted extents of the range; what is left out counts as data. 'zero' is served as a hole. Default: all data. */
  blockStatus?(range: ByteRange, signal: AbortSignal): AsyncIterable<Extent>
  /** Without it the export is read-only. `data` is valid until the promise settles. */
  write?(at: Bytes, data: Uint8Array, signal: AbortSignal): Promise<void>
  /** The range reads as zeros afterwards; with `keepAllocated` it must not become a hole. */
  zero?(range: ByteRange, keepAllocated: boolean, signal: AbortSignal): Promise<void>
  /** A hint. */
  trim?(range: ByteRange, signal: AbortSignal): Promise<void>
  /** All that was acknowledged before is durable afterwards, whichever connection wrote it. Offers FLUSH and FUA. */
  flush?(signal: AbortSignal): Promise<void>
}

export interface NbdExport {
  /** '' is the default export. */
  readonly name: string
  readonly description?: string
  readonly source: BlockSource
}

export interface ServerLimits {
  /** More are closed at once. Default 64. */
  readonly maxConnections: number
  /** From accept to the transmission phase. Default 10 s. */
  readonly handshakeTimeout: Millis
  /** Per connection: beyond it nothing is read from the socket. Default 32. */
  readonly maxInFlight: number
  /** Payload bytes per connection, until the peer has taken them. Default 64 MiB. */
  readonly maxBytesInFlight: number
  /** The same over all connections. Default 256 MiB. */
  readonly maxBytes: number
  /** A peer that neither takes a reply nor finishes a payload for so long loses its connection. Default 120 s. */
  readonly stallTimeout: Millis
}

/** TLS ≥ 1.2, demanded of every client (FORCEDTLS). PEM. */
export interface ServerTls {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Set: clients must show a certificate of this authority. */
  readonly clientCa?: string | Buffer
}

export interface ServeOptions {
  /** UNIX: a socket file that nobody listens on is replaced. TCP: port 0 takes a free one. */
  readonly listen: NbdAddress
  readonly exports: readonly NbdExport[]
  readonly tls?: ServerTls
  readonly limits?: Partial<ServerLimits>
  /** Told of every connection that ended badly and every request that a source failed. Must not throw. */
  readonly onError?: (error: HoldfastError) => void
}

export interface NbdServer extends AsyncDisposable {
  /** With the real port. */
  readonly address: NbdAddress
  readonly connections: number
  /** Stops accepting, answers what is under way, cuts what is left after `grace` (default 5 s). Idempotent. */
  close(grace?: Millis): Promise<void>
  /** As if the process had died: from this call on nobody gets an answer, nor an error. Idempotent. */
  abort(): Promise<void>
}

/** One client of `answerNbd`. */
export interface NbdConversation {
  /** Resolves when nothing of it is left, however it ended. */
  readonly ended: Promise<void>
  cut(): void
}
