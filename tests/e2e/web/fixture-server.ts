import { randomUUID } from 'node:crypto'
import { serve, type HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import { serveDashboard } from '../../../api/static.ts'
import { answer, fileText, moment, type Scene } from '../../../web/src/lib/fixtures/index.ts'

/** What the API answers a page with. */
export interface Shown {
  readonly scene?: Scene
  /** Status that the API answers with instead of the data. */
  readonly broken?: number
  /** Requests of the API are never answered. */
  readonly silent?: boolean
  /** The event stream does not come. */
  readonly stale?: boolean
}

type Asked = Context<{ Bindings: HttpBindings }>

const header = 'x-shown'

/** The built dashboard as the server serves it, with the fixtures as its API; a header says which of them. */
export class FixtureServer implements AsyncDisposable {
  readonly #shown = new Map<string, Shown>()
  readonly #screenshot: Uint8Array<ArrayBuffer>
  #server!: ReturnType<typeof serve>
  origin = ''

  private constructor(screenshot: Uint8Array) {
    this.#screenshot = Uint8Array.from(screenshot)
  }

  /** @param screenshot PNG of a booted guest */
  static async open(build: string, screenshot: Uint8Array): Promise<FixtureServer> {
    const made = new FixtureServer(screenshot)
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.all('/api/v1/*', (context) => made.#answer(context))
    app.use('*', serveDashboard(build))
    made.#server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(server))
    })
    const address = made.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    made.origin = `http://127.0.0.1:${address.port}`
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if ('closeAllConnections' in this.#server) this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Headers of a page that is shown this. */
  show(shown: Shown): Record<string, string> {
    const id = randomUUID()
    this.#shown.set(id, shown)
    return { [header]: id }
  }

  async #answer(context: Asked): Promise<Response> {
    const shown = this.#shown.get(context.req.header(header) ?? '')
    if (shown === undefined) throw new Error(`${context.req.path} was asked for by no page that is shown`)
    const path = context.req.path.slice('/api/v1'.length)
    if (path === '/events' && shown.stale) return broken(context)
    if (path === '/events') return events(context)
    if (shown.silent) return silence(context)
    if (path.endsWith('/screenshot'))
      return new Response(this.#screenshot, { headers: { 'content-type': 'image/png' } })
    if (path.endsWith('/content')) return new Response(fileText)
    if (shown.broken !== undefined && path !== '/session')
      return Response.json(
        {
          type: 'urn:holdfast:error:TemporalUnavailable',
          title: 'x',
          status: shown.broken,
          detail: 'Temporal at 127.0.0.1:7233 refuses connections since 07:28.',
          instance: '',
          code: 'TemporalUnavailable',
          hint: 'Backups that were running go on; new ones wait.',
          docs: '',
          causes: [],
        },
        { status: shown.broken },
      )
    const { status, body } = answer(context.req.method, path, new URL(context.req.url).searchParams, shown.scene)
    return Response.json(body, { status })
  }
}

/** Open for as long as the page is, as the real stream is; a page that leaves is noticed by the abort. */
function events(context: Asked): Response {
  return streamSSE(context, async (stream) => {
    const data = JSON.stringify({ type: 'ping', id: null, ms: moment, data: null })
    await stream.writeSSE({ event: 'ping', id: '1', data })
    await new Promise<void>((resolve) => stream.onAbort(() => resolve()))
  })
}

function broken(context: Asked): Promise<Response> {
  context.env.outgoing.destroy()
  return silence(context)
}

/** Until the page has gone. */
function silence(context: Asked): Promise<Response> {
  return new Promise((resolve) => {
    context.env.outgoing.once('close', () => resolve(new Response()))
    if (context.env.outgoing.closed) resolve(new Response())
  })
}
