import type { Socket } from 'node:net'
import type { Bytes, Millis } from '../../base/index.ts'
import type { NbdAddress } from '../address.ts'
import type { ByteRange, StatusExtent } from '../extents/types.ts'

/**
 * Upgrades the connected socket after the server acknowledged STARTTLS and resolves when the peer is authenticated;
 * `verifiedTls` builds one. With it set, a server without TLS is refused before the export name is sent.
 */
export type TlsUpgrade = (socket: Socket, signal: AbortSignal) => Promise<Socket>

export interface ReconnectPolicy {
  /** Attempts per loss of connection. */
  readonly attempts: number
  /** Before the second and later attempts; doubles up to 16 times this value. */
  readonly delay: Millis
}

export interface DialOptions {
  readonly address: NbdAddress
  /** For TCP connect, TLS and option haggling together. Default 15 s. */
  readonly connectTimeout?: Millis
  readonly tls?: TlsUpgrade
  /** Aborts connecting only; requests have their own signal, `close` ends a connection. */
  readonly signal?: AbortSignal
}

export interface ConnectOptions extends DialOptions {
  /** '' is the default export. Never put into messages: on XAPI the name holds a session secret. */
  readonly exportName: string
  /**
   * Metadata contexts to select (`base:allocation`, `qemu:dirty-bitmap:<name>`). What the server does not have is
   * absent from `NbdClient.contexts`. All selected contexts are queried together by every `blockStatus`, and one that
   * fails fails all: use one client per context on a QEMU access node.
   */
  readonly contexts?: readonly string[]
  /** 'export-name' is for servers that know nothing newer (XAPI): no block sizes, contexts or structured replies. */
  readonly handshake?: 'go' | 'export-name'
  /** From sending a request to its last byte. Exceeding it drops the connection. Default 60 s. */
  readonly requestTimeout?: Millis
  /** Requests beyond it wait. Default 16. */
  readonly maxInFlight?: number
  /** Payload bytes beyond it wait; also the largest single request. Default 32 MiB. */
  readonly maxBytesInFlight?: number
  /** Default: none, a lost connection fails everything. */
  readonly reconnect?: ReconnectPolicy
}

/** Transmission flags of the export; a command whose flag is false is refused before it is sent. */
export interface ExportFeatures {
  readonly readOnly: boolean
  readonly flush: boolean
  readonly fua: boolean
  readonly rotational: boolean
  readonly trim: boolean
  readonly writeZeroes: boolean
  readonly dontFragment: boolean
  readonly multiConn: boolean
}

/** Bytes. Servers that do not tell: 1, 4096, 32 MiB. Requests must be multiples of `minimum`, `maximum` is handled. */
export interface BlockSizes {
  readonly minimum: number
  readonly preferred: number
  readonly maximum: number
}

export interface ReadOptions {
  readonly signal?: AbortSignal
  /** Asks for one content chunk. Needs `features.dontFragment`. */
  readonly dontFragment?: boolean
}
export interface WriteOptions {
  readonly signal?: AbortSignal
  /** Durable when it resolves. Needs `features.fua`. */
  readonly fua?: boolean
}
export interface ZeroOptions extends WriteOptions {
  /** The server must keep the range allocated. */
  readonly noHole?: boolean
}
export interface StatusOptions {
  readonly signal?: AbortSignal
  /** Only the first extent of each context. */
  readonly one?: boolean
}

/**
 * One connection to one export. All methods may run concurrently. Every failure is a HoldfastError:
 *   NetworkFailure    connection refused, lost or closed by the peer
 *   SizeMismatch      after a reconnect the export came back with another size, other flags or contexts
 *   Stalled           no complete answer within `requestTimeout`
 *   ProtocolMismatch  the peer broke the protocol; the connection is gone
 *   SourceReadFailed, TargetWriteFailed, CapacityExhausted, AccessDenied, Unsupported
 *                     the server refused the request; `native.code` is its error (EIO, EINVAL, ENOSPC, …)
 *                     (Unsupported also if the export does not offer the command)
 *   InvalidRequest    the range is not aligned or not inside the export
 *   Cancelled         the signal was aborted, or the client closed; `cause` is the signal's reason.
 *                     A reason that is a HoldfastError is thrown itself.
 * After any rejection, cancelled or not, nothing touches the caller's buffer any more.
 */
export interface NbdClient extends AsyncDisposable {
  readonly size: Bytes
  readonly features: ExportFeatures
  readonly blockSizes: BlockSizes
  /** Selected contexts, in the order asked for. */
  readonly contexts: readonly string[]
  /** Largest request sent at once; longer ranges are split. */
  readonly maxRequest: Bytes

  /** Fills `into` completely or rejects. `into` may be backed by a SharedArrayBuffer. */
  read(at: Bytes, into: Uint8Array, options?: ReadOptions): Promise<void>
  /**
   * `data` must not change before it settles. Cancelling a write whose bytes have not all left the process cuts the
   * connection, and with it everything else under way (which is sent again if `reconnect` is set).
   */
  write(at: Bytes, data: Uint8Array, options?: WriteOptions): Promise<void>
  /** The range reads as zeros afterwards. */
  writeZeroes(range: ByteRange, options?: ZeroOptions): Promise<void>
  /** A hint: what the range reads as afterwards is undefined. */
  trim(range: ByteRange, options?: WriteOptions): Promise<void>
  /** Everything acknowledged before the call is durable when it resolves. */
  flush(options?: { readonly signal?: AbortSignal }): Promise<void>
  /**
   * One BLOCK_STATUS request; per context sorted, gap-free extents from `range.start`, clipped to the range. They may
   * end early: `walkStatus` goes on to the end. The range must be shorter than 4 GiB.
   */
  blockStatus(range: ByteRange, options?: StatusOptions): Promise<ReadonlyMap<string, readonly StatusExtent[]>>
  /** Idempotent. Says goodbye if nothing is under way, else drops the connection; pending requests reject. */
  close(): Promise<void>
}

export interface ListedExport {
  readonly name: string
  readonly description: string
}
