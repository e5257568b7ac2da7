import type { Duplex } from 'node:stream'
import { HoldfastError, describeError, toHoldfastError } from '../../base/index.ts'
import type { ByteName } from '../names.ts'
import {
  broken,
  decode,
  decodeVersion,
  encode,
  encodeRead,
  largestMessage,
  Status,
  Type,
  type Attributes,
  type NamedAttributes,
  type Reply,
} from './codec.ts'

/** What one READ asks for, and how many are under way: keeps the channel full. */
const readBytes = 128 * 1024
const readsAhead = 4

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

/**
 * Reading half of an SFTP client on a channel that is there already. Calls may run at the same time. A call that gets no
 * answer within `limitMs`, or a message that breaks the protocol, ends the conversation: all calls, also later ones, throw.
 * Errors: NotFound, SourceReadFailed (the file system does not give it), ProtocolMismatch,
 * HypervisorTimeout, HypervisorRefused (it has ended).
 */
export class SftpClient {
  readonly #channel: Duplex
  readonly #limitMs: number
  readonly #waiting = new Map<number, Waiting>()
  readonly #version = Promise.withResolvers<void>()
  #parts: Buffer[] = []
  #have = 0
  #id = 0
  #greeted = false
  #failure: HoldfastError | null = null

  constructor(channel: Duplex, limitMs: number) {
    this.#channel = channel
    this.#limitMs = limitMs
    metLater(this.#version.promise)
    channel.on('data', (chunk: Buffer) => this.#receive(chunk))
    channel.once('close', () => this.end(gone()))
    channel.once('end', () => this.end(gone()))
    channel.on('error', (error) => this.end(gone(error)))
  }

  /** Says hello behind `first`, which is for whoever starts the server; resolves when it answers, however long it takes. */
  async greet(first = ''): Promise<void> {
    this.#channel.write(first)
    this.#channel.write(encode(Type.INIT, null, 3))
    await this.#version.promise
  }

  /** Of the name itself, not of what a link leads to. */
  async lstat(path: ByteName): Promise<Attributes> {
    const reply = await this.#ask((id) => encode(Type.LSTAT, id, path))
    if (reply.type === 'attributes') return reply.attributes
    throw refusal(reply, 'attributes')
  }

  async readlink(path: ByteName): Promise<ByteName> {
    const reply = await this.#ask((id) => encode(Type.READLINK, id, path))
    const first = reply.type === 'names' ? reply.names[0] : undefined
    if (first !== undefined) return first.name
    throw refusal(reply, 'a name')
  }

  /** Batches as they come; “.” and “..” are left out, everything else is as the file system says. */
  async *readdir(path: ByteName): AsyncGenerator<readonly NamedAttributes[], void, undefined> {
    const handle = await this.#open((id) => encode(Type.OPENDIR, id, path))
    try {
      for (;;) {
        const reply = await this.#ask((id) => encode(Type.READDIR, id, handle))
        if (reply.type === 'status' && reply.code === Status.EOF) return
        if (reply.type !== 'names') throw refusal(reply, 'names')
        yield reply.names.filter(({ name }) => name !== '.' && name !== '..')
      }
    } finally {
      await this.#close(handle)
    }
  }

  /** Bytes [start, end) of a file, or up to its end; in order, with some READs under way ahead of the consumer. */
  async *read(path: ByteName, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const handle = await this.#open((id) => encode(Type.OPEN, id, path, 1, 0))
    const ahead: { readonly at: number; readonly length: number; readonly reply: Promise<Reply> }[] = []
    try {
      let next = start
      const fill = (): void => {
        while (ahead.length < readsAhead && next < end) {
          const [at, length] = [next, Math.min(readBytes, end - next)]
          const reply = this.#ask((id) => encodeRead(id, handle, at, length))
          metLater(reply)
          ahead.push({ at, length, reply })
          next += length
        }
      }
      fill()
      for (let one = ahead.shift(); one !== undefined; one = ahead.shift()) {
        const reply = await one.reply
        if (reply.type === 'status' && reply.code === Status.EOF) return
        if (reply.type !== 'data') throw refusal(reply, 'data')
        const { data } = reply
        if (data.length === 0 || data.length > one.length) throw broken('it sent another amount than it was asked for')
        // Fewer than asked for: what is under way is of places behind the gap.
        if (data.length < one.length) {
          await Promise.allSettled(ahead.splice(0).map(({ reply: late }) => late))
          next = one.at + data.length
        }
        fill()
        yield data
      }
    } finally {
      await Promise.allSettled(ahead.map(({ reply }) => reply))
      await this.#close(handle)
    }
  }

  /** All that waits, and all that will be asked, fails with this. Idempotent. */
  end(error: HoldfastError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#version.reject(error)
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#waiting.clear()
    this.#channel.destroy()
  }

  async #open(request: (id: number) => Buffer): Promise<Buffer> {
    const reply = await this.#ask(request)
    if (reply.type === 'handle') return reply.handle
    throw refusal(reply, 'a handle')
  }

  /** Nothing is lost by a handle that stays: the machine goes with the session. */
  async #close(handle: Buffer): Promise<void> {
    if (this.#failure !== null) return
    const closing = this.#ask((id) => encode(Type.CLOSE, id, handle))
    metLater(closing)
    await Promise.allSettled([closing])
  }

  #ask(request: (id: number) => Buffer): Promise<Reply> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    this.#id = (this.#id + 1) >>> 0
    const id = this.#id
    return new Promise((resolve, reject) => {
      const late = new HoldfastError('HypervisorTimeout', `the micro-VM has not answered for ${this.#limitMs} ms`)
      const timer = setTimeout(() => this.end(late), this.#limitMs)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#channel.write(request(id))
    })
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== null) return
    this.#parts.push(chunk)
    this.#have += chunk.length
    try {
      for (;;) {
        if (this.#have < 4) return
        const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : null
        const header = all ?? Buffer.concat(this.#parts)
        const length = header.readUInt32BE()
        if (length === 0 || length > largestMessage) throw broken(`it announces a message of ${length} bytes`)
        if (header.length < 4 + length) {
          // Joined once for each chunk of at most 64 KiB; a message has a few of them.
          this.#parts = [header]
          return
        }
        const rest = header.subarray(4 + length)
        this.#parts = rest.length > 0 ? [rest] : []
        this.#have = rest.length
        this.#message(header.subarray(4, 4 + length))
      }
    } catch (error) {
      this.end(toHoldfastError(error, 'ProtocolMismatch'))
    }
  }

  #message(message: Buffer): void {
    if (!this.#greeted) {
      const version = decodeVersion(message)
      if (version !== 3) throw broken(`it speaks version ${version}`)
      this.#greeted = true
      this.#version.resolve()
      return
    }
    const { id, reply } = decode(message)
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) throw broken('it answers what nobody asked')
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    waiting.resolve(reply)
  }
}

/** Whoever awaits it meets its failure; that nobody may is no failure of the process. */
function metLater(promise: Promise<unknown>): void {
  promise.then(undefined, () => undefined)
}

function refusal(reply: Reply, wanted: string): HoldfastError {
  if (reply.type !== 'status') return broken(`it sent ${reply.type} where ${wanted} was asked for`)
  if (reply.code === Status.NO_SUCH_FILE) return new HoldfastError('NotFound', 'there is no such file in the volume')
  const why = reply.message === '' ? `status ${reply.code}` : reply.message
  return new HoldfastError('SourceReadFailed', `the file system does not give it: ${why}`, {
    hint: 'It may be damaged there; try the next older point.',
  })
}

function gone(cause?: unknown): HoldfastError {
  const why = cause === undefined ? '' : `: ${describeError(cause)}`
  return new HoldfastError('HypervisorRefused', `the micro-VM has ended${why}`, {
    cause,
    hint: 'A file system in the point may have broken it, or it was ended; the session opens it again by itself.',
  })
}
