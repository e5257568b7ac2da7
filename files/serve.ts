import { randomBytes } from 'node:crypto'
import { lstatSync, unlinkSync } from 'node:fs'
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { HoldfastError, toHoldfastError } from '../base/index.ts'
import { socketPath } from '../drivers/names.ts'
import type { ImageFormat } from '../images/types.ts'
import { partBytes, sizeHeader } from './protocol.ts'
import type { FileSession } from './session.ts'
import type { Question } from './types.ts'

const largestQuestion = 1024 * 1024
const mostConnections = 64
/** Whoever takes nothing of a download for so long has gone, whatever its connection says. */
const takeWithinMs = 5 * 60_000

/** What of a session is asked. */
export interface Served extends Pick<FileSession, 'volumes' | 'stat' | 'list' | 'search' | 'content' | 'archive'> {
  /** A whole disk; `size` null: nobody knows before it has ended. Throws NotFound, Unsupported. */
  image(
    disk: string,
    format: ImageFormat,
    signal: AbortSignal,
  ): Promise<{ readonly size: number | null; readonly stream: AsyncIterable<Uint8Array> }>
}

export interface ServeOptions {
  readonly now: () => number
  /** Milliseconds after which a download that nobody takes is cut off; default: five minutes. */
  readonly takeWithinMs?: number
  /** A download was cut off by us. */
  readonly onStall?: () => void
}

/** Answers at the socket until it is disposed of; what was left there by a process that died is replaced. */
export class SessionServer implements AsyncDisposable {
  readonly #server: Server
  readonly #path: string
  readonly #options: ServeOptions
  readonly #session: Served
  #inode = 0n
  #underWay = 0
  #lastMs: number

  private constructor(path: string, session: Served, options: ServeOptions) {
    this.#path = path
    this.#session = session
    this.#options = options
    this.#lastMs = options.now()
    this.#server = createServer(
      { keepAlive: false, highWaterMark: partBytes },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxConnections = mostConnections
    // A download lasts as long as it lasts.
    this.#server.requestTimeout = 0
  }

  static async start(path: string, session: Served, options: ServeOptions): Promise<SessionServer> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const server = new SessionServer(path, session, options)
    // Bound under a name of its own: closing removes what stands at the name that was bound, whoever put it there.
    const own = socketPath(`${path}.${randomBytes(4).toString('hex')}`)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(own, resolve)
    })
    try {
      await chmod(own, 0o600)
      server.#inode = (await stat(own, { bigint: true })).ino
      await rename(own, path)
    } catch (error) {
      await server[Symbol.asyncDispose]()
      await rm(own, { force: true })
      throw error
    }
    return server
  }

  /** How long nobody has asked anything. */
  get idleMs(): number {
    return this.#underWay > 0 ? 0 : this.#options.now() - this.#lastMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    removeOwn(this.#path, this.#inode)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay += 1
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      await answer(this.#session, await questionOf(request), response, gone.signal, this.#options)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else refuse(response, toHoldfastError(error))
    } finally {
      this.#underWay -= 1
      this.#lastMs = this.#options.now()
    }
  }
}

async function questionOf(request: IncomingMessage): Promise<Question> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > largestQuestion) throw new HoldfastError('InvalidRequest', 'the question is too long')
    parts.push(part)
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as Question
}

async function answer(
  session: Served,
  question: Question,
  response: ServerResponse,
  signal: AbortSignal,
  options: ServeOptions,
): Promise<void> {
  switch (question.what) {
    case 'volumes':
      json(response, session.volumes)
      return
    case 'stat':
      json(response, await session.stat(question))
      return
    case 'list':
      json(response, await session.list(question, question.from, question.limit))
      return
    case 'search':
      json(response, await session.search(question, question.text, signal))
      return
    case 'content': {
      const { size, stream } = await session.content(question, question.start, question.end)
      response.writeHead(200, { 'content-type': 'application/octet-stream', [sizeHeader]: String(size) })
      await send(stream, response, signal, options)
      return
    }
    case 'archive': {
      const { stream } = await session.archive(question.volume, question.paths, question.format, signal)
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      await send(stream, response, signal, options)
      return
    }
    case 'image': {
      const { size, stream } = await session.image(question.disk, question.format, signal)
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        ...(size !== null && { [sizeHeader]: String(size) }),
      })
      await send(stream, response, signal, options)
      return
    }
    default:
      throw new HoldfastError('InvalidRequest', 'the question is not understood')
  }
}

/** Throws Cancelled for whoever takes nothing for too long: it would keep the session open for ever. */
async function send(
  stream: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  signal: AbortSignal,
  { takeWithinMs: limitMs = takeWithinMs, onStall }: ServeOptions,
): Promise<void> {
  const left = new Promise<never>((_resolve, reject) => {
    const leave = (): void => reject(new HoldfastError('Cancelled', 'whoever asked has left'))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
  const all = async (): Promise<void> => {
    for await (const data of stream) {
      signal.throwIfAborted()
      if (await isTaken(response, data, limitMs)) continue
      onStall?.()
      throw new HoldfastError('Cancelled', `nobody has taken anything of a download for ${limitMs} ms`)
    }
    response.end()
  }
  // Whoever leaves ends it at once, also while the next part is waited for, which may take as long as a store is away.
  await Promise.race([all(), left])
}

/** Resolves when the kernel has the bytes: their memory is used again then. false: not within the time. */
async function isTaken(response: ServerResponse, data: Uint8Array, limitMs: number): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const late = setTimeout(() => resolve(false), limitMs)
    response.write(data, (error) => {
      clearTimeout(late)
      if (error) reject(error)
      else resolve(true)
    })
  })
}

/** Not what another one has put there meanwhile. */
function removeOwn(path: string, inode: bigint): void {
  try {
    if (lstatSync(path, { bigint: true }).ino === inode) unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function refuse(response: ServerResponse, error: HoldfastError): void {
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error))
}
