/**
 * An answer of `SessionServer`, taken without `node:http`: that gives each piece of a body memory of its own, and in a process
 * with a large heap most of the time then goes to the collector. Here the socket is read into a few buffers, again and again.
 */
import { connect, type Socket } from 'node:net'
import { HoldfastError, KiB } from '../base/index.ts'
import { Chunks } from './chunks.ts'

/** What the kernel hands over at a time, of a socket of this machine: no more than it holds. */
const bufferBytes = 256 * KiB
/** Of these one is read into next, one is with the taker, and the others wait to be taken. */
const buffers = 4
const mostHead = 16 * KiB

interface Head {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

/** Where a part of the body lies until the taker is done with it. */
interface Part {
  readonly buffer: number
  readonly data: Uint8Array
}

/** Of one request, on a connection of its own. Memory: a MiB, from the first byte to `end`. */
export class Reply implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket
  readonly #memory = Array.from({ length: buffers }, () => Buffer.allocUnsafeSlow(bufferBytes))
  /** Buffers that nothing lies in. */
  readonly #free = Array.from({ length: buffers }, (_, n) => n)
  /** Parts that lie in each buffer and are still to be taken, or are with the taker. */
  readonly #uses = Array.from({ length: buffers }, () => 0)
  readonly #parts: Part[] = []
  readonly #cut = new AbortController()
  readonly #chunks = new Chunks()
  #reading = 0
  #text = ''
  #head: Head | undefined
  #failure: Error | undefined
  #isDone = false
  #isStopped = false
  #wake: () => void = () => undefined

  private constructor(path: string, signal: AbortSignal) {
    this.#reading = this.#free.pop() ?? 0
    const options = {
      path,
      signal,
      onread: { buffer: () => this.#into(), callback: (length: number) => this.#came(length) },
    }
    this.#socket = connect(options)
    this.#socket.once('error', (error) => this.#fail(error))
    this.#socket.once('close', () => this.#fail(new Error('aborted')))
  }

  /** Sends `text` as a POST; resolves with the head of the answer. Throws what connecting throws. */
  static async of(path: string, text: string, signal: AbortSignal): Promise<Reply> {
    signal.throwIfAborted()
    const reply = new Reply(path, signal)
    const body = Buffer.from(text)
    reply.#socket.write(
      `POST / HTTP/1.1\r\nhost: session\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    reply.#socket.write(body)
    try {
      while (reply.#head === undefined) {
        if (reply.#failure !== undefined) throw reply.#failure
        await reply.#news()
      }
    } catch (error) {
      reply.end()
      throw error
    }
    return reply
  }

  get status(): number {
    return this.#head?.status ?? 0
  }

  header(name: string): string | undefined {
    return this.#head?.headers.get(name)
  }

  /** Aborted when the other side ends in the middle, also while nobody asks for the next part. */
  get cut(): AbortSignal {
    return this.#cut.signal
  }

  /** The body, once. A part is there until the next one is asked for; then its memory is read into again. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, undefined> {
    const parts = this.#body()
    return {
      next: () => parts.next(),
      // A generator that nobody has begun would end without a word to the socket.
      return: () => {
        this.end()
        return parts.return()
      },
    }
  }

  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const part = this.#parts.shift()
        if (part !== undefined) {
          yield part.data
          this.#release(part.buffer)
        } else if (this.#isDone) return
        else if (this.#failure !== undefined) throw this.#failure
        else await this.#news()
      }
    } finally {
      this.end()
    }
  }

  /** Nothing more is taken. May be called again. */
  end(): void {
    this.#socket.destroy()
  }

  /**
   * Asked by the socket after each read, for the next one. Nothing lies in it: `#came` chose one that was free, and stops the
   * socket before the last free one would be read into.
   */
  #into(): Buffer {
    return this.#memory[this.#reading] ?? Buffer.alloc(0)
  }

  /** So many bytes lie in the buffer; false: read no more for now. */
  #came(length: number): boolean {
    const buffer = this.#reading
    try {
      this.#take(buffer, length)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
      this.end()
    }
    if (this.#uses[buffer] !== 0) this.#reading = this.#free.pop() ?? -1
    this.#wake()
    this.#isStopped = this.#free.length === 0
    return !this.#isStopped
  }

  #take(buffer: number, length: number): void {
    const memory = this.#memory[buffer] ?? Buffer.alloc(0)
    let at = this.#head === undefined ? this.#readHead(memory, length) : 0
    while (at < length && !this.#isDone) {
      const { data, next } = this.#chunks.next(memory, at, length)
      if (data !== null) {
        this.#parts.push({ buffer, data })
        this.#uses[buffer] = (this.#uses[buffer] ?? 0) + 1
      }
      at = next
      this.#isDone = this.#chunks.isDone
    }
  }

  /** Where the body begins. */
  #readHead(memory: Buffer, length: number): number {
    const before = this.#text.length
    this.#text += memory.toString('latin1', 0, length)
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0 && this.#text.length > mostHead) throw misunderstood()
    if (end < 0) return length
    const [first = '', ...lines] = this.#text.slice(0, end).split('\r\n')
    const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
      }),
    )
    if (status === undefined || headers.get('transfer-encoding') !== 'chunked') throw misunderstood()
    this.#head = { status: Number(status), headers }
    return end + 4 - before
  }

  /** The taker is done with a part that lay there. */
  #release(buffer: number): void {
    const uses = (this.#uses[buffer] ?? 0) - 1
    this.#uses[buffer] = uses
    if (uses > 0) return
    this.#free.push(buffer)
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#socket.resume()
  }

  #fail(error: Error): void {
    if (this.#isDone || this.#failure !== undefined) return
    this.#failure = error
    this.#cut.abort(error)
    this.#wake()
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

function misunderstood(): HoldfastError {
  return new HoldfastError('ProtocolMismatch', 'what answers at the socket of an open point does not speak as it does')
}
