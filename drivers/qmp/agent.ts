import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../../base/index.ts'
import { agentError } from '../errors.ts'
import { MessageSplitter } from './lines.ts'
import { abortError, dialUnix } from './socket.ts'

export interface AgentOptions {
  /** Until the agent has answered our synchronisation. Milliseconds, default 5,000. */
  readonly limit?: number
  readonly signal?: AbortSignal
  readonly peer?: string
  /** Every command but the synchronisation passes through it: where a driver counts and records its calls. */
  readonly around?: <T>(command: string, exchange: () => Promise<T>) => Promise<T>
}
export interface CallOptions {
  /** Milliseconds, default 10,000. */
  readonly limit?: number
  readonly signal?: AbortSignal
}
export interface ExecResult {
  readonly exit: number
  readonly out: string
  readonly err: string
  readonly truncated: boolean
}
export interface FilesystemInfo {
  readonly name: string
  readonly mountpoint: string
  readonly type: string
}

/** Outputs of guest commands are cut here, each (drivers.md, GuestAccess.run). */
export const MAX_OUTPUT = 64 * 1024

/**
 * One conversation with qemu-guest-agent. Its socket serves one client and keeps what an earlier client did not read,
 * so every conversation starts with `guest-sync-delimited` and a random number (QEMU guest agent reference): what
 * comes before the 0xFF of its answer belongs to somebody else. Answers carry no id, so after a command that was not
 * answered in time the conversation is over.
 *
 * Failures: `NetworkFailure` no such socket, or QEMU ended · `GuestAgentDisabled` nobody answers, or the command is
 * switched off · `GuestRefused` the agent said no · `HypervisorTimeout` a command was not answered · `Cancelled`.
 */
export class AgentClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #peer: string
  readonly #splitter: MessageSplitter
  readonly #around: NonNullable<AgentOptions['around']>
  #waiting: { readonly settle: (outcome: { value: unknown } | { error: HoldfastError }) => void } | undefined
  #closed: HoldfastError | undefined
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(socket: Socket, peer: string, around: AgentOptions['around']) {
    this.#socket = socket
    this.#peer = peer
    this.#splitter = new MessageSplitter(peer)
    this.#around = around ?? ((_command, exchange) => exchange())
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.once('error', (cause) => this.#end(ended(peer, cause)))
    socket.once('close', () => this.#end(ended(peer)))
  }

  static async connect(path: string, options: AgentOptions = {}): Promise<AgentClient> {
    const { limit = 5_000, signal, peer = 'the guest agent' } = options
    const client = new AgentClient(await dialUnix(path, peer, signal), peer, options.around)
    try {
      await client.#sync(limit, signal)
    } catch (error) {
      client.close()
      throw error
    }
    return client
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  ping(options?: CallOptions): Promise<void> {
    return this.call('guest-ping', undefined, options).then(() => undefined)
  }
  async freezeStatus(options?: CallOptions): Promise<'thawed' | 'frozen'> {
    const status = await this.call<string>('guest-fsfreeze-status', undefined, options)
    if (status === 'thawed' || status === 'frozen') return status
    throw new HoldfastError(
      'ProtocolMismatch',
      `${this.#peer} says that the file systems are ${JSON.stringify(status)}`,
    )
  }
  /** How many file systems are frozen now. */
  freeze(options?: CallOptions): Promise<number> {
    return this.call<number>('guest-fsfreeze-freeze', undefined, options)
  }
  /** How many file systems were thawed; 0 if they had been thawed behind the agent's back. */
  thaw(options?: CallOptions): Promise<number> {
    return this.call<number>('guest-fsfreeze-thaw', undefined, options)
  }
  filesystems(options?: CallOptions): Promise<readonly FilesystemInfo[]> {
    return this.call<readonly FilesystemInfo[]>('guest-get-fsinfo', undefined, options)
  }
  osInfo(options?: CallOptions): Promise<{ readonly id?: string; readonly 'pretty-name'?: string }> {
    return this.call('guest-get-osinfo', undefined, options)
  }

  /** Starts a program in the guest; returns its pid there. With `output` its outputs are kept for `execStatus`. */
  async execStart(path: string, args: readonly string[], output: boolean, options?: CallOptions): Promise<number> {
    const answer = await this.call<{ pid: number }>(
      'guest-exec',
      { path, arg: args, 'capture-output': output },
      options,
    )
    return answer.pid
  }

  /** null while it runs. The agent forgets a program once its end was told, so ask on after that never. */
  async execStatus(pid: number, options?: CallOptions): Promise<ExecResult | null> {
    const s = await this.call<ExecStatus>('guest-exec-status', { pid }, options)
    if (!s.exited) return null
    const [out, err] = [cut(s['out-data']), cut(s['err-data'])]
    return {
      exit: s.exitcode ?? 128 + (s.signal ?? 0),
      out: out.text,
      err: err.text,
      truncated: out.cut || err.cut || s['out-truncated'] === true || s['err-truncated'] === true,
    }
  }

  /**
   * Runs a program to its end. After `limit` milliseconds, or on abort, it is killed in the guest and
   * `HypervisorTimeout` or `Cancelled` is thrown. It never starts twice.
   */
  async exec(path: string, args: readonly string[], limit: number, signal?: AbortSignal): Promise<ExecResult> {
    const pid = await this.execStart(path, args, true, signal && { signal })
    const deadline = Date.now() + limit
    for (let pause = 10; ; pause = Math.min(pause * 2, 500)) {
      if (signal?.aborted) {
        await this.kill(pid)
        throw abortError(signal, this.#peer)
      }
      const result = await this.execStatus(pid)
      if (result) return result
      if (Date.now() >= deadline) {
        await this.kill(pid)
        throw new HoldfastError(
          'HypervisorTimeout',
          `${path} did not end in the guest within ${limit} ms and was killed`,
          {
            hint: 'Look at what the command waits for, or give it more time.',
          },
        )
      }
      await sleep(Math.min(pause, Math.max(1, deadline - Date.now())))
    }
  }

  /** Ends a program of ours and what it started; a program that is gone is fine. */
  async kill(pid: number, options?: CallOptions): Promise<void> {
    const script = 'pkill -KILL -P "$1"; kill -KILL "$1"; exit 0'
    const killer = await this.execStart('/bin/sh', ['-c', script, 'sh', String(pid)], false, options)
    for (let i = 0; i < 100 && (await this.execStatus(killer, options)) === null; i++) await sleep(20)
  }

  /** Commands are sent one after the other. */
  call<T = unknown>(
    command: string,
    args?: { readonly [name: string]: unknown },
    options: CallOptions = {},
  ): Promise<T> {
    const { limit = 10_000, signal } = options
    const text = JSON.stringify({ execute: command, ...(args && { arguments: args }) })
    const run = this.#queue.then(() => this.#around(command, () => this.#exchange<T>(text, command, limit, signal)))
    this.#queue = run.then(
      () => undefined,
      () => undefined,
    )
    return run
  }

  close(): void {
    this.#end(new HoldfastError('NetworkFailure', `the conversation with ${this.#peer} was closed`))
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  async #sync(limit: number, signal: AbortSignal | undefined): Promise<void> {
    const id = randomInt(2 ** 31)
    const request = JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } })
    await this.#exchange<number>(request, 'guest-sync-delimited', limit, signal, id)
  }

  #exchange<T>(
    text: string,
    command: string,
    limit: number,
    signal: AbortSignal | undefined,
    expected?: number,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(this.#closed)
      if (signal?.aborted) return reject(abortError(signal, this.#peer))
      const finish = (act: () => void): void => {
        this.#waiting = undefined
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      // A late answer would be taken for the next command's: the conversation ends here.
      const stop = (error: HoldfastError): void => {
        finish(() => reject(error))
        this.#end(error)
      }
      const timer = setTimeout(() => stop(silent(this.#peer, command, limit, expected !== undefined)), limit)
      const onAbort = (): void => stop(abortError(signal, this.#peer))
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting = {
        settle: (o) => {
          finish(() => ('error' in o ? reject(o.error) : resolve(o.value as T)))
        },
      }
      this.#command = command
      this.#expected = expected
      // 0xFF empties what the agent's parser holds of an earlier client's half command.
      this.#socket.write(Buffer.concat([Buffer.from(expected === undefined ? [] : [0xff]), Buffer.from(`${text}\n`)]))
    })
  }
  #command = ''
  /** The number that answers our synchronisation; undefined once it came. */
  #expected: number | undefined
  /** A 0xFF was seen while we wait for that number: an answer to a synchronisation follows, ours or an earlier client's. */
  #marked = false

  #receive(chunk: Buffer): void {
    if (this.#closed) return
    let rest = chunk
    if (this.#expected !== undefined) {
      const mark = rest.lastIndexOf(0xff)
      if (mark >= 0) this.#splitter.reset()
      this.#marked ||= mark >= 0
      if (!this.#marked) return
      rest = rest.subarray(mark + 1)
    }
    try {
      for (const message of this.#splitter.push(rest)) this.#dispatch(message)
    } catch (error) {
      // What an earlier client left behind may be anything; ours comes after a mark of its own.
      if (this.#expected === undefined) this.#end(error as HoldfastError)
      else this.#marked = false
    }
  }

  #dispatch(message: unknown): void {
    const m = message as { return?: unknown; error?: { class: string; desc: string } }
    if (this.#expected !== undefined) {
      // A guest that stood still answers the client that gave up first.
      if (m.return !== this.#expected) return
      this.#expected = undefined
    }
    if (m.error) this.#waiting?.settle({ error: agentError(this.#command, m.error.class, m.error.desc) })
    else this.#waiting?.settle({ value: m.return })
  }

  #end(error: HoldfastError): void {
    if (this.#closed) return
    this.#closed = error
    this.#socket.destroy()
    this.#waiting?.settle({ error })
  }
}

interface ExecStatus {
  readonly exited: boolean
  readonly exitcode?: number
  readonly signal?: number
  readonly 'out-data'?: string
  readonly 'err-data'?: string
  readonly 'out-truncated'?: boolean
  readonly 'err-truncated'?: boolean
}

function cut(base64: string | undefined): { readonly text: string; readonly cut: boolean } {
  const all = Buffer.from(base64 ?? '', 'base64')
  return { text: all.subarray(0, MAX_OUTPUT).toString('utf8'), cut: all.length > MAX_OUTPUT }
}

function silent(peer: string, command: string, limit: number, sync: boolean): HoldfastError {
  return sync
    ? new HoldfastError('GuestAgentDisabled', `${peer} did not answer within ${limit} ms`, {
        hint: 'Install and start qemu-guest-agent in the guest; if it runs, another client may hold its channel.',
        data: { silent: true },
      })
    : new HoldfastError('HypervisorTimeout', `${peer} did not answer ${command} within ${limit} ms`)
}

function ended(peer: string, cause?: Error): HoldfastError {
  return new HoldfastError('NetworkFailure', `the conversation with ${peer} was cut off`, {
    hint: 'The VM has ended, or QEMU closed the channel.',
    data: { gone: true },
    ...(cause && { cause }),
  })
}
