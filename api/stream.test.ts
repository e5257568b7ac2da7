import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aRun, pointIdOf, aPoint } from '../catalog/testing.ts'
import { hashOf } from './secrets.ts'
import { adminToken, bench, own, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench({ streamPace: { coalesceMs: 20, pingMs: 60 } })))
afterEach(() => here[Symbol.dispose]())

interface Message {
  readonly id: number
  readonly event: string
  readonly data: { readonly id: string | null; readonly data: { readonly state: string } | null }
}

/** Reads the stream message by message. */
class Listener {
  readonly response: Response
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #buffer = ''

  constructor(response: Response) {
    if (!response.body) throw new Error('no stream')
    this.response = response
    this.#reader = response.body.getReader()
  }
  async next(): Promise<Message> {
    while (!this.#buffer.includes('\n\n')) {
      const { value, done } = await this.#reader.read()
      if (done) throw new Error('the stream has ended')
      this.#buffer += new TextDecoder().decode(value)
    }
    const end = this.#buffer.indexOf('\n\n')
    const fields = new Map(
      this.#buffer
        .slice(0, end)
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
    )
    this.#buffer = this.#buffer.slice(end + 2)
    return {
      id: Number(fields.get('id')),
      event: fields.get('event') ?? '',
      data: JSON.parse(fields.get('data') ?? 'null') as Message['data'],
    }
  }
  /** The next that is no ping. */
  async nextChange(): Promise<Message> {
    for (;;) {
      const message = await this.next()
      if (message.event !== 'ping') return message
    }
  }
  async leave(): Promise<void> {
    await this.#reader.cancel()
  }
}

async function listen(lastEventId?: number, signal?: AbortSignal): Promise<Listener> {
  const headers = {
    authorization: `Bearer ${adminToken}`,
    ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
  }
  return new Listener(await here.app.request(`${own}/api/v1/events`, { headers, ...(signal && { signal }) }))
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !condition();) {
    if (Date.now() > deadline) throw new Error('it did not come true in time')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a listener is told at once where it stands, and proxies are told not to hold anything back', async () => {
  const listener = await listen()
  expect(listener.response.headers.get('content-type')).toBe('text/event-stream')
  expect(listener.response.headers.get('x-accel-buffering')).toBe('no')
  expect(listener.response.headers.get('cache-control')).toMatch(/no-(cache|store)/)
  expect(await listener.next()).toMatchObject({ event: 'ping', id: here.catalog.events.newest() })
  await listener.leave()
})

test('a change arrives with its number, and a run with its row', async () => {
  const listener = await listen()
  await listener.next()
  here.catalog.runs.started(aRun(1))
  const message = await listener.nextChange()
  expect(message).toMatchObject({
    event: 'run',
    id: here.catalog.events.newest(),
    data: { id: 'run-1', data: { workflowId: 'backup/web-01', state: 'running' } },
  })
  here.catalog.points.record(aPoint(1))
  expect(await listener.nextChange()).toMatchObject({ event: 'point', data: { id: pointIdOf(1), data: null } })
  await listener.leave()
})

test('many changes of one run come as one, in its newest state', async () => {
  const listener = await listen()
  await listener.next()
  here.catalog.runs.started(aRun(1))
  expect((await listener.nextChange()).data.data?.state).toBe('running')
  for (let n = 0; n < 50; n += 1) here.catalog.runs.observe('run-1', { bytesRead: n })
  here.catalog.runs.observe('run-1', { state: 'completed', endedMs: here.clock.ms })
  const message = await listener.nextChange()
  expect(message).toMatchObject({ id: here.catalog.events.newest(), data: { data: { state: 'completed' } } })
  await listener.leave()
})

test('who comes back is told what it missed, and nothing twice', async () => {
  const seen = here.catalog.events.newest()
  here.catalog.runs.started(aRun(1))
  here.catalog.runs.started(aRun(2))
  const listener = await listen(seen)
  expect([await listener.nextChange(), await listener.nextChange()].map((message) => message.data.id)).toEqual([
    'run-1',
    'run-2',
  ])
  const again = await listen(here.catalog.events.newest())
  expect((await again.next()).event).toBe('ping')
  here.catalog.runs.started(aRun(3))
  expect((await again.nextChange()).data.id).toBe('run-3')
  await Promise.all([listener.leave(), again.leave()])
})

test('who was away for too long, or comes from another catalog, is told to read everything again', async () => {
  for (let n = 0; n < 5300; n += 1) here.catalog.events.publish('vm', `vm-${n}`)
  const late = await listen(3)
  expect(await late.next()).toMatchObject({ event: 'resync', id: here.catalog.events.newest() })
  const foreign = await listen(999_999)
  expect(await foreign.next()).toMatchObject({ event: 'resync', id: here.catalog.events.newest() })
  await Promise.all([late.leave(), foreign.leave()])
})

test('a quiet stream says from time to time that it is there', async () => {
  const listener = await listen()
  const first = await listener.next()
  expect(await listener.next()).toEqual({ ...first, data: expect.anything() as unknown })
  await listener.leave()
})

test('who leaves is forgotten, whichever side notices', async () => {
  const abort = new AbortController()
  const listeners = [await listen(), await listen(undefined, abort.signal)]
  for (const listener of listeners) await listener.next()
  expect(here.catalog.events.listeners()).toBe(2)
  await listeners[0]?.leave()
  await until(() => here.catalog.events.listeners() === 1)
  abort.abort()
  await listeners[1]?.leave().catch((error: unknown) => error)
  await until(() => here.catalog.events.listeners() === 0)
})

test('a session that has ended hears nothing more', async () => {
  const headers = { 'content-type': 'application/json' }
  const login = await here.app.request(`${own}/api/v1/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ token: adminToken }),
  })
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const listener = new Listener(await here.app.request(`${own}/api/v1/events`, { headers: { cookie } }))
  await listener.next()
  here.catalog.runs.started(aRun(1))
  expect((await listener.nextChange()).data.id).toBe('run-1')
  const out = await here.app.request(`${own}/api/v1/session`, {
    method: 'DELETE',
    headers: { cookie, origin: own, host: new URL(own).host },
  })
  expect(out.status).toBe(204)
  here.catalog.runs.started(aRun(2))
  await expect(listener.nextChange()).rejects.toThrow('the stream has ended')
  await until(() => here.catalog.events.listeners() === 0)
})

test('a token that is withdrawn hears nothing more, not even that the server is there', async () => {
  const listener = await listen()
  await listener.next()
  here.catalog.access.putToken({ id: 'admin', name: 'operator', hash: hashOf('another'), role: 'admin' })
  await expect(listener.next()).rejects.toThrow('the stream has ended')
})

test('a stream that breaks is forgotten too', async () => {
  const listener = await listen()
  await listener.next()
  here.catalog.events.after = () => {
    throw new Error('the disk is gone')
  }
  here.catalog.events.publish('vm', 'web-01')
  await until(() => here.catalog.events.listeners() === 0)
  await listener.leave()
})

test('a number that is none is refused', async () => {
  const response = await here.call('GET', '/api/v1/events', undefined, { 'last-event-id': 'abc' })
  expect(response.status).toBe(400)
})

test('over a real connection, a browser that closes its page is forgotten', async () => {
  const server = serve({ fetch: here.app.fetch, port: 0, hostname: '127.0.0.1' })
  try {
    await until(() => server.listening)
    const { port } = server.address() as AddressInfo
    const page = new AbortController()
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/events`, {
      headers: { authorization: `Bearer ${adminToken}` },
      signal: page.signal,
    })
    const listener = new Listener(response)
    await listener.next()
    expect(here.catalog.events.listeners()).toBe(1)
    here.catalog.runs.started(aRun(1))
    expect((await listener.nextChange()).data.id).toBe('run-1')
    page.abort()
    await until(() => here.catalog.events.listeners() === 0)
  } finally {
    server.close()
  }
})
