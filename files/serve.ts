import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HoldfastError, toHoldfastError } from '../base/index.ts'
import { sizeHeader } from './protocol.ts'
import type { FileSession } from './session.ts'
import type { Question } from './types.ts'

const largestQuestion = 1024 * 1024
const mostConnections = 64

/** Answers at the socket until it is disposed of; what was left there by a process that died is replaced. */
export class SessionServer implements AsyncDisposable {
  readonly #server: Server
  readonly #path: string
  readonly #now: () => number
  #session: FileSession
  #underWay = 0
  #lastMs: number

  private constructor(path: string, session: FileSession, now: () => number) {
    this.#path = path
    this.#session = session
    this.#now = now
    this.#lastMs = now()
    this.#server = createServer({ keepAlive: false }, (request, response) => void this.#serve(request, response))
    this.#server.maxConnections = mostConnections
    // A download lasts as long as it lasts.
    this.#server.requestTimeout = 0
  }

  static async start(path: string, session: FileSession, now: () => number): Promise<SessionServer> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await rm(path, { force: true })
    const server = new SessionServer(path, session, now)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(path, resolve)
    })
    await chmod(path, 0o600)
    return server
  }

  /** How long nobody has asked anything. */
  get idleMs(): number {
    return this.#underWay > 0 ? 0 : this.#now() - this.#lastMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    await rm(this.#path, { force: true })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay += 1
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      await answer(this.#session, await questionOf(request), response, gone.signal)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else refuse(response, toHoldfastError(error))
    } finally {
      this.#underWay -= 1
      this.#lastMs = this.#now()
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
  session: FileSession,
  question: Question,
  response: ServerResponse,
  signal: AbortSignal,
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
      await pipeline(Readable.from(stream), response, { signal })
      return
    }
    case 'archive': {
      const { stream } = await session.archive(question.volume, question.paths, signal)
      response.writeHead(200, { 'content-type': 'application/x-tar' })
      await pipeline(Readable.from(stream), response, { signal })
      return
    }
    default:
      throw new HoldfastError('InvalidRequest', 'the question is not understood')
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function refuse(response: ServerResponse, error: HoldfastError): void {
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error))
}
