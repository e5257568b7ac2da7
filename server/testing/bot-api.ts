import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the service says to one request. */
export interface BotAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * Telegram's Bot API as far as a channel meets it, on loopback: `sendMessage` as https://core.telegram.org/bots/api#sendmessage
 * and #making-requests document it (`ok`, `error_code`, `description`, `parameters`). The words of each refusal are those of
 * the published server (github.com/tdlib/telegram-bot-api); what it does not document is not in here.
 */
export class BotApi implements AsyncDisposable {
  static readonly token = '4711:bot-secret-of-the-tests'
  /** What chats were told, in their order. */
  readonly told: { readonly chat: string; readonly text: string }[] = []
  requests = 0
  /** Chats that the bot is in. */
  readonly chats = new Set<string>(['-100123'])
  /** Chats whose people do not want it any more. */
  readonly blocked = new Set<string>()
  /** Instead of its usual answer, for as long as it is set. */
  instead: BotAnswer | null = null
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  static async start(): Promise<BotApi> {
    const api = new BotApi()
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Too many: to be asked again after so many seconds. */
  static flood(seconds: number): BotAnswer {
    const description = `Too Many Requests: retry after ${seconds}`
    return refusal(429, description, { retry_after: seconds })
  }

  static movedTo(chat: number): BotAnswer {
    return refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: chat })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1
    let text = ''
    for await (const piece of request) text += String(piece)
    const { status, body } = this.instead ?? this.#answer(request.method ?? '', request.url ?? '', text)
    const words = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(words)
  }

  #answer(method: string, path: string, text: string): BotAnswer {
    const [, token, call] = /^\/bot([^/]+)\/(\w+)$/.exec(path) ?? []
    if (method !== 'POST' || call !== 'sendMessage') return refusal(404, 'Not Found')
    if (token !== BotApi.token) return refusal(401, 'Unauthorized')
    const said = JSON.parse(text) as { readonly chat_id?: string; readonly text?: string }
    const chat = said.chat_id ?? ''
    const words = said.text ?? ''
    if (words === '') return refusal(400, 'Bad Request: message text is empty')
    if (!words.isWellFormed()) return refusal(400, 'Bad Request: strings must be encoded in UTF-8')
    if (words.length > 4096) return refusal(400, 'Bad Request: message is too long')
    if (this.blocked.has(chat)) return refusal(403, 'Forbidden: bot was blocked by the user')
    if (!this.chats.has(chat)) return refusal(400, 'Bad Request: chat not found')
    this.told.push({ chat, text: words })
    const result = {
      message_id: this.told.length,
      date: 1,
      chat: { id: Number(chat), type: 'supergroup' },
      text: words,
    }
    return { status: 200, body: { ok: true, result } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function refusal(code: number, description: string, parameters?: object): BotAnswer {
  return { status: code, body: { ok: false, error_code: code, description, ...(parameters && { parameters }) } }
}
