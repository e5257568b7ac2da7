import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aPoint } from '../catalog/testing.ts'
import { passingOn } from './pass-on.ts'
import { adminToken, bench, type Bench } from './testing/bench.ts'

const MiB = 1024 * 1024
const content = randomBytes(12 * MiB)
const path = `/api/v1/files/${'a'.repeat(32)}/image?disk=a&format=raw`
const headers = { authorization: `Bearer ${adminToken}` }
const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

let here: Bench
let cut: AbortController
let isEnded: boolean
let server: ReturnType<typeof serve>
let port: number
beforeEach(async () => {
  cut = new AbortController()
  isEnded = false
  // One piece of memory for the whole stream: whoever asks for the next part has lost the one before.
  const body = async function* (): AsyncGenerator<Uint8Array> {
    const memory = Buffer.alloc(MiB)
    try {
      for (let at = 0; at < content.length; at += MiB) {
        content.copy(memory, 0, at, at + MiB)
        yield memory
        memory.fill(0xee)
      }
    } finally {
      isEnded = true
    }
  }
  here = bench({
    files: {
      sandbox: () => Promise.reject(new Error('not asked here')),
      ask: () => Promise.reject(new Error('not asked here')),
      stream: async () => ({ size: content.length, body: body(), cut: cut.signal }),
    },
  })
  here.catalog.points.record(aPoint(1))
  port = await new Promise((resolve) => {
    server = serve({ fetch: passingOn((request) => here.app.fetch(request)), port: 0, hostname: '127.0.0.1' }, (info) =>
      resolve(info.port),
    )
  })
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  here[Symbol.dispose]()
})

/** Asks, and takes nothing for now. */
function asking(): ReturnType<typeof connect> {
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${headers.authorization}\r\n\r\n`,
  )
  return socket
}

test('memory that is used again reaches whoever takes slowly as it was, under the headers of every answer', async () => {
  const socket = asking()
  const parts: Buffer[] = []
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part)
    // Longer than the sender needs to fill what the kernel holds.
    if (parts.length % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const all = Buffer.concat(parts)
  const head = all.subarray(0, all.indexOf('\r\n\r\n')).toString().toLowerCase()
  for (const line of [
    'http/1.1 200',
    `content-length: ${content.length}`,
    'x-frame-options: deny',
    'cache-control: no-store',
  ])
    expect(head).toContain(line)
  expect(hash(all.subarray(all.indexOf('\r\n\r\n') + 4))).toBe(hash(content))
  expect(isEnded).toBe(true)
})

test('without a server around, each part is a copy', async () => {
  const response = await here.call('GET', path)
  expect(hash(Buffer.from(await response.arrayBuffer()))).toBe(hash(content))
})

test('what is cut off behind it is cut off before it, also for whoever takes nothing', async () => {
  const socket = asking()
  await expect.poll(() => here.logged.length).toBeGreaterThan(0)
  cut.abort()
  const parts = Array.fromAsync(socket as AsyncIterable<Buffer>)
  const got = await parts.then((all) => Buffer.concat(all).length).catch(() => 0)
  expect(got).toBeLessThan(content.length)
  await expect.poll(() => isEnded).toBe(true)
})

test('whoever leaves ends what was opened for it', async () => {
  const socket = asking()
  await expect.poll(() => here.logged.length).toBeGreaterThan(0)
  socket.destroy()
  await expect.poll(() => isEnded).toBe(true)
})

test('an answer that is no stream goes out as before', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/session`, { headers })
  expect([response.status, await response.json()]).toMatchObject([200, { role: 'admin' }])
})
