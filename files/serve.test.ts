import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SessionClient } from './client.ts'
import { sessionSocket } from './protocol.ts'
import { SessionServer, type Served } from './serve.ts'

const id = 'a'.repeat(32)
let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hf-serve-'))
  path = sessionSocket(dir, id)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** A session with one file without an end. */
function served(label: string): Served {
  const unused = (): never => {
    throw new Error('not asked here')
  }
  const endless = async function* (): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(64 * 1024)
  }
  return {
    volumes: [
      {
        ...{ id: 'd0', kind: 'disk', state: 'files', disk: 'a', size: 512, fileSystem: 'ext4', label, uuid: null },
        ...{ isJournalReplayed: true, error: null },
      },
    ],
    ...{ stat: unused, list: unused, search: unused, archive: unused, image: unused },
    content: async () => ({ size: 2 ** 40, stream: endless() }),
  }
}

async function labelNow(): Promise<string | null | undefined> {
  const [volume] = await new SessionClient(dir).ask(id, { what: 'volumes' }, AbortSignal.timeout(5_000))
  return volume?.label
}

test('one that ends late leaves what its successor has put in its place', async () => {
  const first = await SessionServer.start(path, served('first'), { now: Date.now })
  expect(await labelNow()).toBe('first')
  const second = await SessionServer.start(path, served('second'), { now: Date.now })
  expect(await labelNow()).toBe('second')
  await first[Symbol.asyncDispose]()
  expect(await labelNow()).toBe('second')
  await second[Symbol.asyncDispose]()
  expect(existsSync(path)).toBe(false)
  expect(readdirSync(dir)).toEqual([])
})

test('a download that nobody takes is cut off, told, and holds the session open no longer', async () => {
  let stalls = 0
  await using server = await SessionServer.start(path, served('x'), {
    ...{ now: Date.now, takeWithinMs: 50 },
    onStall: () => (stalls += 1),
  })
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request({ socketPath: path, method: 'POST', path: '/', agent: false }, resolve)
    call.once('error', reject)
    call.end(JSON.stringify({ what: 'content', volume: 'd0', path: '/x', start: 0, end: null }))
  })
  expect(reply.statusCode).toBe(200)
  expect(server.idleMs).toBe(0)
  await expect.poll(() => stalls).toBe(1)
  await expect(Array.fromAsync(reply)).rejects.toThrow('aborted')
  await expect.poll(() => server.idleMs).toBeGreaterThan(0)
})

test('memory that is used again reaches whoever takes slowly as it was', async () => {
  const parts = 48
  const reused = async function* (): AsyncGenerator<Buffer> {
    const memory = Buffer.alloc(256 * 1024)
    for (let n = 0; n < parts; n += 1) yield memory.fill(n)
  }
  const session = { ...served('x'), content: async () => ({ size: parts * 256 * 1024, stream: reused() }) }
  await using _server = await SessionServer.start(path, session, { now: Date.now })
  const question = { what: 'content', volume: 'd0', path: '/x', start: 0, end: null } as const
  const { body } = await new SessionClient(dir).stream(id, question, AbortSignal.timeout(20_000))
  let at = 0
  for await (const part of body) {
    for (const end = at + part.length; at < end;) {
      const until = Math.min(end, (Math.floor(at / (256 * 1024)) + 1) * 256 * 1024)
      const piece = part.subarray(part.length - (end - at), part.length - (end - until))
      expect(piece.every((byte) => byte === Math.floor(at / (256 * 1024)))).toBe(true)
      at = until
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(at).toBe(parts * 256 * 1024)
})
