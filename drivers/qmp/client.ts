import type { Socket } from 'node:net'
import { HoldfastError, toHoldfastError } from '../../base/index.ts'
import { qmpError } from '../errors.ts'
import { MessageSplitter } from './lines.ts'
import { abortError, dialUnix } from './socket.ts'

export interface QmpEvent {
  readonly event: string
  readonly data: { readonly [name: string]: unknown }
}

export interface QmpConnectOptions {
  /** Until the monitor has greeted and accepted us. Milliseconds, default 10,000. */
  readonly limit?: number
  readonly signal?: AbortSignal
  /** Who it is, in messages: `the monitor of VM “web”`. */
  readonly peer?: string
}

export interface ExecuteOptions {
  /** Milliseconds until `HypervisorTimeout`, default 30,000. The connection is closed then: a late answer must not be
   *  taken for another command's. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

export type QmpArguments = { readonly [name: string]: unknown }

interface Pending {
  readonly command: string
  readonly settle: (outcome: { readonly value: unknown } | { readonly error: HoldfastError }) => void
}

/**
 * One QMP connection (QEMU, docs/interop/qmp-spec.rst). A monitor serves one client at a time, so connect, work,
 * close. Commands may overlap; QEMU runs them in the order they were sent. All failures are HoldfastErrors:
 * `Busy` another client holds the monitor · `NetworkFailure` QEMU ended or closed · `HypervisorTimeout` no answer ·
 * `Cancelled` · `ProtocolMismatch` · and what `qmpError` makes of QEMU's own words.
 */
export class QmpClient implements AsyncDisposable {
  readonly version: string
  readonly #socket: Socket
  readonly #peer: string
  readonly #pending = new Map<number, Pending>()
  readonly #events: QmpEvent[]
  readonly #watchers = new Set<(event: QmpEvent | null) => void>()
  #nextId = 0
  #closed: HoldfastError | undefined

  private constructor(socket: Socket, peer: string, version: string, splitter: MessageSplitter) {
    this.#socket = socket
    this.#peer = peer
    this.version = version
    this.#events = []
    socket.on('data', (chunk: Buffer) => this.#receive(splitter, chunk))
    socket.once('error', (cause) => this.#end(lost(peer, cause)))
    socket.once('close', () => this.#end(lost(peer)))
  }

  static async connect(path: string, options: QmpConnectOptions = {}): Promise<QmpClient> {
    const { limit = 10_000, signal, peer = 'the QMP monitor' } = options
    const socket = await dialUnix(path, peer, signal)
    const splitter = new MessageSplitter(peer)
    const version = await greeting(socket, splitter, peer, limit, signal)
    const client = new QmpClient(socket, peer, version, splitter)
    try {
      await client.execute('qmp_capabilities', undefined, { limit, ...(signal && { signal }) })
    } catch (error) {
      client.close()
      throw error
    }
    return client
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  /** The `return` value of the command, as QEMU gave it. */
  execute<T = unknown>(command: string, args?: QmpArguments, options: ExecuteOptions = {}): Promise<T> {
    const { limit = 30_000, signal } = options
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      if (signal?.aborted) return reject(abortError(signal, this.#peer))
      const id = ++this.#nextId
      const finish = (act: () => void): void => {
        this.#pending.delete(id)
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      const timer = setTimeout(() => {
        const error = new HoldfastError('HypervisorTimeout', `${this.#peer} did not answer ${command} in ${limit} ms`)
        finish(() => reject(error))
        this.#end(error)
      }, limit)
      const onAbort = (): void => finish(() => reject(abortError(signal, this.#peer)))
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.set(id, {
        command,
        settle: (o) => finish(() => ('error' in o ? reject(o.error) : resolve(o.value as T))),
      })
      this.#socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }), id })}\n`)
    })
  }

  /** Marks a moment; `waitFor` and `since` then see what happened after it. */
  mark(): number {
    return this.#events.length
  }

  since(mark: number): readonly QmpEvent[] {
    return this.#events.slice(mark)
  }

  /** The first event after `mark` that matches. Throws `HypervisorTimeout` after `limit` milliseconds. */
  waitFor(mark: number, match: (event: QmpEvent) => boolean, what: string, limit = 10_000): Promise<QmpEvent> {
    const seen = this.#events.slice(mark).find(match)
    if (seen) return Promise.resolve(seen)
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      const done = (act: () => void): void => {
        clearTimeout(timer)
        this.#watchers.delete(watcher)
        act()
      }
      const watcher = (event: QmpEvent | null): void => {
        if (event === null) done(() => reject(this.#closed ?? lost(this.#peer)))
        else if (match(event)) done(() => resolve(event))
      }
      const timer = setTimeout(
        () =>
          done(() =>
            reject(new HoldfastError('HypervisorTimeout', `${this.#peer}: ${what} did not come in ${limit} ms`)),
          ),
        limit,
      )
      this.#watchers.add(watcher)
    })
  }

  close(): void {
    this.#end(new HoldfastError('NetworkFailure', `the connection to ${this.#peer} was closed`))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #receive(splitter: MessageSplitter, chunk: Buffer): void {
    if (this.#closed) return
    try {
      for (const message of splitter.push(chunk)) this.#dispatch(message)
    } catch (error) {
      this.#end(error as HoldfastError)
    }
  }

  #dispatch(message: unknown): void {
    const m = message as { id?: number; event?: string; data?: QmpEvent['data']; return?: unknown; error?: QmpFailure }
    if (typeof m.event === 'string') {
      const event = { event: m.event, data: m.data ?? {} }
      this.#events.push(event)
      for (const watcher of [...this.#watchers]) watcher(event)
      return
    }
    const pending = m.id === undefined ? undefined : this.#pending.get(m.id)
    // An answer that nobody waits for any more: its caller was cancelled.
    if (!pending) return
    if (m.error) pending.settle({ error: qmpError(pending.command, m.error.class, m.error.desc) })
    else pending.settle({ value: m.return })
  }

  #end(error: HoldfastError): void {
    if (this.#closed) return
    this.#closed = error
    this.#socket.destroy()
    for (const pending of [...this.#pending.values()]) pending.settle({ error })
    for (const watcher of [...this.#watchers]) watcher(null)
  }
}

interface QmpFailure {
  readonly class: string
  readonly desc: string
}

/** QEMU greets a client only when no other one is connected: silence means that somebody else holds the monitor. */
function greeting(
  socket: Socket,
  splitter: MessageSplitter,
  peer: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void, keep = false): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('data', onData)
      socket.removeListener('error', onEnd)
      socket.removeListener('close', onEnd)
      if (!keep) socket.destroy()
      act()
    }
    const onAbort = (): void => done(() => reject(abortError(signal, peer)))
    const onEnd = (cause?: unknown): void => done(() => reject(lost(peer, cause instanceof Error ? cause : undefined)))
    const onData = (chunk: Buffer): void => {
      try {
        for (const message of splitter.push(chunk)) {
          const version = (message as Greeting).QMP?.version?.qemu
          if (!version && isForEarlierClient(message)) continue
          if (!version) throw new HoldfastError('ProtocolMismatch', `${peer} does not greet as a QMP monitor`)
          return done(() => resolve(`${version.major}.${version.minor}.${version.micro}`), true)
        }
      } catch (error) {
        done(() => reject(toHoldfastError(error, 'ProtocolMismatch')))
      }
    }
    const timer = setTimeout(
      () =>
        done(() =>
          reject(
            new HoldfastError('Busy', `${peer} did not greet in ${limit} ms: another client holds it`, {
              hint: 'Close the other QMP client of this VM; Holdfast tries again by itself.',
              retryAfter: 2_000,
            }),
          ),
        ),
      limit,
    )
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('data', onData)
    socket.once('error', onEnd)
    socket.once('close', onEnd)
  })
}

/**
 * Between taking a connection and greeting it, QEMU may still write to it what belongs to the client before: an event
 * that another thread reports just then, or the rest of an answer (monitor/qmp.c resets its state only as it greets).
 */
function isForEarlierClient(message: unknown): boolean {
  return typeof message === 'object' && message !== null && ['event', 'return', 'error'].some((key) => key in message)
}

interface Greeting {
  readonly QMP?: { readonly version?: { readonly qemu?: { major: number; minor: number; micro: number } } }
}

function lost(peer: string, cause?: Error): HoldfastError {
  return new HoldfastError('NetworkFailure', `the connection to ${peer} was lost`, {
    hint: 'QEMU has ended or closed its monitor; look at the state of the VM.',
    data: { gone: true },
    ...(cause && { cause }),
  })
}
