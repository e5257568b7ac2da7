import { unlink } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describeError, HoldfastError, MiB, millis, type Millis } from '../../base/index.ts'
import { describeAddress, socketTarget, type NbdAddress } from '../address.ts'
import { Budget } from '../budget.ts'
import { encodeString } from '../codec/bytes.ts'
import { ServerConnection, type ServedBy } from './connection.ts'
import type { NbdConversation, NbdExport, NbdServer, ServeOptions, ServerLimits } from './types.ts'

const DEFAULTS: ServerLimits = {
  maxConnections: 64,
  handshakeTimeout: millis(10_000),
  maxInFlight: 32,
  maxBytesInFlight: 64 * MiB,
  maxBytes: 256 * MiB,
  stallTimeout: millis(120_000),
}

/** Serves the exports until closed. Busy if the address is taken; `onError` gets what goes wrong with single clients. */
export async function serveNbd(options: ServeOptions): Promise<NbdServer> {
  const limits = { ...DEFAULTS, ...options.limits }
  const connections = new Set<ServerConnection>()
  const served: ServedBy = {
    exports: byName(options.exports),
    tls: options.tls,
    limits,
    memory: new Budget(Number.MAX_SAFE_INTEGER, limits.maxBytes),
    onError: options.onError ?? (() => undefined),
  }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (connections.size >= limits.maxConnections) {
      socket.destroy()
      served.onError(new HoldfastError('SlotsExhausted', `more than ${limits.maxConnections} NBD clients at once`))
      return
    }
    const connection = new ServerConnection(socket, served)
    connections.add(connection)
    void connection.run().finally(() => connections.delete(connection))
  })
  await listen(server, options.listen)
  server.on('error', (error) => {
    served.onError(
      new HoldfastError('NetworkFailure', `the NBD server's socket failed: ${error.message}`, { cause: error }),
    )
  })
  return new RunningServer(server, options.listen, connections)
}

/**
 * Answers one client on a socket that is connected already, such as one end of a pair whose other end a child inherits.
 * Ends with the socket; `cut` ends it now, and nobody gets an answer afterwards.
 */
export function answerNbd(socket: Socket, options: Omit<ServeOptions, 'listen'>): NbdConversation {
  const limits = { ...DEFAULTS, ...options.limits }
  const connection = new ServerConnection(socket, {
    exports: byName(options.exports),
    tls: options.tls,
    limits,
    memory: new Budget(Number.MAX_SAFE_INTEGER, limits.maxBytes),
    onError: options.onError ?? (() => undefined),
  })
  return { ended: connection.run(), cut: () => connection.cut() }
}

function byName(exports: readonly NbdExport[]): ReadonlyMap<string, NbdExport> {
  const map = new Map<string, NbdExport>()
  for (const entry of exports) {
    encodeString(entry.name, 'the name of an export')
    if (map.has(entry.name)) throw new HoldfastError('InvalidRequest', 'two NBD exports have the same name')
    map.set(entry.name, entry)
  }
  return map
}

class RunningServer implements NbdServer {
  readonly address: NbdAddress
  readonly #server: Server
  readonly #connections: ReadonlySet<ServerConnection>
  #closed: Promise<void> | null = null

  constructor(server: Server, listen: NbdAddress, connections: ReadonlySet<ServerConnection>) {
    this.#server = server
    this.#connections = connections
    this.address = listen.kind === 'tcp' ? { ...listen, port: (server.address() as AddressInfo).port } : listen
  }

  get connections(): number {
    return this.#connections.size
  }

  async close(grace: Millis = millis(5000)): Promise<void> {
    this.#closed ??= this.#close(grace)
    await this.#closed
  }

  async abort(): Promise<void> {
    for (const connection of this.#connections) connection.cut()
    await this.close(millis(0))
  }

  async #close(grace: Millis): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.cut()
    }, grace)
    await Promise.all([...this.#connections].map(async (connection) => await connection.drain()))
    await gone
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function listen(server: Server, address: NbdAddress): Promise<void> {
  const target = socketTarget(address)
  try {
    await tryListen(server, target)
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (!isTaken || address.kind !== 'unix' || !(await isDeserted(address.path)))
      throw notListening(error, address, isTaken)
    await unlink(address.path)
    await tryListen(server, target).catch((again: unknown) => {
      throw notListening(again, address, true)
    })
  }
}

async function tryListen(server: Server, target: { path: string } | { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(target, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A socket file whose server is gone refuses connections. */
async function isDeserted(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

function notListening(cause: unknown, address: NbdAddress, isTaken: boolean): HoldfastError {
  return new HoldfastError(
    isTaken ? 'Busy' : 'NetworkFailure',
    `cannot serve NBD at ${describeAddress(address)}: ${describeError(cause)}`,
    { cause },
  )
}
