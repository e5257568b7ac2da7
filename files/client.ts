import { request, type IncomingMessage } from 'node:http'
import { HoldfastError, isErrorCode, type SerializedError } from '../base/index.ts'
import { partBytes, sessionSocket, sizeHeader } from './protocol.ts'
import { sandboxHere } from './restraints.ts'
import type { Answers, FileGateway, FileStream, Question, Sandbox, StreamQuestion } from './types.ts'

/** Asks those that have points open on this machine; `dir` holds their sockets. */
export class SessionClient implements FileGateway {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  sandbox(): Promise<Sandbox> {
    return sandboxHere()
  }

  /** Throws NoWorker if nobody has it open here now, else what the other side throws. */
  async ask<W extends keyof Answers>(
    session: string,
    question: Extract<Question, { what: W }>,
    signal: AbortSignal,
  ): Promise<Answers[W]> {
    const reply = await this.#send(session, question, signal)
    return JSON.parse(await textOf(reply)) as Answers[W]
  }

  async stream(session: string, question: StreamQuestion, signal: AbortSignal): Promise<FileStream> {
    const reply = await this.#send(session, question, signal)
    const size = reply.headers[sizeHeader]
    return { size: typeof size === 'string' ? Number(size) : null, body: reply }
  }

  async #send(session: string, question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const socket = sessionSocket(this.#dir, session)
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const way = { socketPath: socket, agent: false, highWaterMark: partBytes } as const
      const call = request({ ...way, method: 'POST', path: '/', signal }, resolve)
      call.once('error', (error) => reject(signal.aborted ? error : notOpen(error)))
      call.end(JSON.stringify(question))
    })
    if (reply.statusCode === 200) return reply
    throw errorOf(await textOf(reply))
  }
}

function notOpen(cause: Error): HoldfastError {
  return new HoldfastError('NoWorker', 'the point is not open on this machine now', {
    cause,
    hint: 'Look at its run: it may be starting, or its worker may be on another machine. Ask again in a few seconds.',
  })
}

async function textOf(reply: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of reply as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function errorOf(text: string): HoldfastError {
  const { code, message, hint, native } = JSON.parse(text) as Partial<SerializedError>
  if (!isErrorCode(code) || typeof message !== 'string') return new HoldfastError('Internal', text.slice(0, 500))
  return new HoldfastError(code, message, { ...(hint !== undefined && { hint }), ...(native && { native }) })
}
