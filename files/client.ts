import { HoldfastError, isErrorCode, isHoldfastError, type SerializedError } from '../base/index.ts'
import { sessionSocket, sizeHeader } from './protocol.ts'
import { Reply } from './reply.ts'
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
    const size = reply.header(sizeHeader)
    return { size: size === undefined ? null : Number(size), body: reply, cut: reply.cut }
  }

  async #send(session: string, question: Question, signal: AbortSignal): Promise<Reply> {
    const socket = sessionSocket(this.#dir, session)
    let reply: Reply
    try {
      reply = await Reply.of(socket, JSON.stringify(question), signal)
    } catch (error) {
      throw signal.aborted || isHoldfastError(error) ? error : notOpen(error)
    }
    if (reply.status === 200) return reply
    throw errorOf(await textOf(reply))
  }
}

function notOpen(cause: unknown): HoldfastError {
  return new HoldfastError('NoWorker', 'the point is not open on this machine now', {
    cause,
    hint: 'Look at its run: it may be starting, or its worker may be on another machine. Ask again in a few seconds.',
  })
}

async function textOf(reply: Reply): Promise<string> {
  const parts: Buffer[] = []
  // Copies: the memory of a part is used again.
  for await (const part of reply) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}

function errorOf(text: string): HoldfastError {
  const { code, message, hint, native } = JSON.parse(text) as Partial<SerializedError>
  if (!isErrorCode(code) || typeof message !== 'string') return new HoldfastError('Internal', text.slice(0, 500))
  return new HoldfastError(code, message, { ...(hint !== undefined && { hint }), ...(native && { native }) })
}
