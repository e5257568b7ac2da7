import { ServerResponse } from 'node:http'
import type { HttpBindings, Http2Bindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { FileStream } from '../files/types.ts'

/** What answers a request and is still to be taken. */
const streams = new WeakMap<Request, FileStream>()

/**
 * The body of an answer for a stream whose memory is used again: each part is copied, unless `passingOn` is around, which
 * writes the parts themselves.
 */
export function passOn(request: Request, stream: FileStream): ReadableStream<Uint8Array<ArrayBuffer>> {
  streams.set(request, stream)
  const parts = stream.body[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await parts.next()
        if (next.done === true) controller.close()
        else controller.enqueue(Uint8Array.from(next.value))
      },
      cancel: async () => void (await parts.return?.()),
    },
    { highWaterMark: 0 },
  )
}

type Fetch = (request: Request) => Response | Promise<Response>

/**
 * `fetch` for Node's HTTP server. What was given to `passOn` goes from the memory in which it came to the socket, a part at a
 * time, and the next one is asked for when the kernel has it. As a web stream each piece would be memory of its own, and the
 * large heap of a server is looked through every few MiB because of that.
 */
export function passingOn(fetch: Fetch): (request: Request, env: HttpBindings | Http2Bindings) => Promise<Response> {
  return async (request, { outgoing }) => {
    const response = await fetch(request)
    const stream = streams.get(request)
    if (stream === undefined || response.status !== 200 || !(outgoing instanceof ServerResponse)) return response
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    await send(stream, outgoing)
    return RESPONSE_ALREADY_SENT
  }
}

/** Never throws: whoever takes it sees that it was cut off. */
async function send({ body, cut }: FileStream, outgoing: ServerResponse): Promise<void> {
  const cutOff = (): void => void outgoing.destroy()
  if (cut.aborted) cutOff()
  cut.addEventListener('abort', cutOff, { once: true })
  try {
    for await (const data of body) {
      await new Promise<void>((resolve, reject) => {
        outgoing.write(data, (error) => (error ? reject(error) : resolve()))
      })
    }
    outgoing.end()
  } catch {
    cutOff()
  }
}
