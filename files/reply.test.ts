import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Chunks } from './chunks.ts'
import { Reply } from './reply.ts'

const MiB = 1024 * 1024
const { signal } = new AbortController()

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-reply-'))
  path = join(dir, 's')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function answering(listener: RequestListener): Promise<AsyncDisposable> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

test('a part is what was sent for as long as nobody asks for the next one, however much waits behind it', async () => {
  const body = randomBytes(8 * MiB)
  let sent = 0
  let flushed = 0
  await using _server = await answering((_request, response) => {
    response.writeHead(200, { 'x-a': 'b' })
    const next = (): void => {
      // In pieces of odd sizes, so that chunks, reads and buffers end at different places.
      const piece = body.subarray(sent, sent + 100_003)
      sent += piece.length
      if (piece.length === 0) response.end()
      else response.write(piece, () => ((flushed = sent), next()))
    }
    next()
  })
  const reply = await Reply.of(path, '{}', signal)
  expect([reply.status, reply.header('x-a')]).toEqual([200, 'b'])
  let at = 0
  for await (const part of reply) {
    if (at < 2 * MiB) {
      // Until the sender stands still: everything that could be read into has been.
      let before = -1
      await expect
        .poll(() => {
          const isStill = flushed === before
          before = flushed
          return isStill
        })
        .toBe(true)
    }
    expect(hash(part)).toBe(hash(body.subarray(at, at + part.length)))
    at += part.length
  }
  expect(at).toBe(body.length)
})

test('what is cut off fails, and says so also while nobody asks', async () => {
  let cut = (): void => undefined
  await using _server = await answering((_request, response) => {
    response.write('the beginning')
    cut = () => response.destroy()
  })
  const reply = await Reply.of(path, '{}', signal)
  const parts = reply[Symbol.asyncIterator]()
  expect(Buffer.from((await parts.next()).value ?? []).toString()).toBe('the beginning')
  expect(reply.cut.aborted).toBe(false)
  cut()
  await expect.poll(() => reply.cut.aborted).toBe(true)
  await expect(parts.next()).rejects.toThrow()
})

test('whoever leaves before the first part ends it, and a whole answer is no cut', async () => {
  let isLeft = false
  await using _server = await answering((request, response) => {
    response.once('close', () => (isLeft = !response.writableFinished))
    request.resume()
    response.write('x')
  })
  const left = await Reply.of(path, '{}', signal)
  await left[Symbol.asyncIterator]().return?.()
  await expect.poll(() => isLeft).toBe(true)
  await using _other = await (async () => {
    path = join(dir, 't')
    return answering((_request, response) => {
      response.write('who')
      response.end('le')
    })
  })()
  const whole = await Reply.of(path, '{}', signal)
  expect((await Array.fromAsync(whole, (part) => Buffer.from(part).toString())).join('')).toBe('whole')
  expect(whole.cut.aborted).toBe(false)
})

test('takes the coding off a body as Node writes it, wherever the pieces end', async () => {
  const body = randomBytes(3_000)
  const wire = await asSent((_request, response) => {
    for (const [from, to] of [
      [0, 1],
      [1, 700],
      [700, 700],
      [700, 3_000],
    ] as const)
      response.write(body.subarray(from, to))
    response.end()
  })
  for (let piece = 1; piece < 40; piece += 1) {
    const chunks = new Chunks()
    const got: Uint8Array[] = []
    for (let from = 0; from < wire.length && !chunks.isDone; from += piece) {
      const end = Math.min(wire.length, from + piece)
      for (let at = from; at < end && !chunks.isDone;) {
        const { data, next } = chunks.next(wire, at, end)
        if (data !== null) got.push(data)
        at = next
      }
    }
    expect([chunks.isDone, hash(Buffer.concat(got))]).toEqual([true, hash(body)])
  }
})

test('takes nothing for a body that is none', () => {
  for (const text of ['zz\r\n', `${'1'.repeat(20)}`, '5;x=1\r\n', '-1\r\n'])
    expect(() => new Chunks().next(Buffer.from(text), 0, text.length)).toThrow('no body of an answer')
})

/** The body as it is on the wire. */
async function asSent(listener: RequestListener): Promise<Buffer> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const all = Buffer.concat((await Array.fromAsync(socket)) as Buffer[])
  server.close()
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}
