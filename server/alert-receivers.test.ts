import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { alertKeeper } from '../api/alerts/index.ts'
import { bench, type Bench } from '../api/testing/bench.ts'
import { aPoint } from '../catalog/testing.ts'
import { senderOf } from './sender.ts'

const minute = 60_000
const hour = 60 * minute
const { signal } = new AbortController()

interface Received {
  readonly path: string
  readonly body: {
    readonly title: string
    readonly notices?: readonly { readonly title: string; readonly state: string }[]
  }
}

let here: Bench
let server: Server
let base: string
let received: Received[]
/** Paths that answer 503 for now. */
let away: Set<string>
beforeEach(async () => {
  here = bench()
  received = []
  away = new Set()
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece) => (text += String(piece)))
    request.on('end', () => {
      const path = request.url ?? ''
      if (away.has(path)) return void response.writeHead(503).end()
      received.push({ path, body: JSON.parse(text) as Received['body'] })
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  here[Symbol.dispose]()
  await new Promise<void>((resolve) => void server.close(() => resolve()))
})

async function channel(name: string, kind: 'webhook' | 'ntfy', path: string, allowPrivate: boolean): Promise<void> {
  const route = { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' }
  const body = { kind, url: `${base}${path}`, allowPrivate, route }
  expect((await here.call('PUT', `/api/v1/channels/${name}`, body)).status).toBe(200)
}

/** Time passes, the watchdog has looked, the catalog is copied, and the keeper has its turn. */
async function pass(ms: number): Promise<void> {
  here.clock.ms += ms
  const found = { series: 1, points: 1, unreadable: 0, vanished: 0, returned: 0 }
  here.catalog.watches.recordLook('main', { lookedMs: here.clock.ms, uuid: 'f'.repeat(32), ...found })
  const made = { stem: 's', madeMs: here.clock.ms, coveredSeq: here.catalog.events.newest(), bytes: 1, versions: 1 }
  here.catalog.own.recordMade('main', made)
  const keeper = alertKeeper({ ...here.deps, sender: senderOf(async () => '') })
  await keeper.tick(signal)
  await keeper.idle()
}

const log = async (name: string) =>
  (
    await here.get<{
      items: { title: string; state: string; attempts: number; error: { code: string; message: string } | null }[]
    }>(`/api/v1/deliveries?channel=${name}`)
  ).items

/** From the failure to the recovery, through the sender that the server has, over real connections. */
test('one incident is two messages on each of two channels, whoever was away for a while; a private address is refused', async () => {
  here.catalog.points.record(aPoint(1, { createdMs: here.clock.ms - hour }))
  await channel('team', 'webhook', '/hook', true)
  await channel('phone', 'ntfy', '/on-call', true)
  await channel('strict', 'webhook', '/inside', false)
  await pass(0)
  expect(received).toEqual([])
  away.add('/hook')
  await pass(30 * hour)
  // Told over and over by the catalog, and once to each: the one that is away gets it later.
  for (let n = 0; n < 4; n += 1) await pass(2 * minute)
  away.clear()
  await pass(15 * minute)
  const of = (path: string): Received[] => received.filter((one) => one.path === path)
  const ofHook = () =>
    of('/hook')
      .flatMap(({ body }) => body.notices ?? [])
      .filter(({ title }) => title === 'web-01 is overdue')
      .map(({ state }) => state)
  expect(ofHook()).toEqual(['opened'])
  here.catalog.points.record(aPoint(2, { createdMs: here.clock.ms }))
  for (let n = 0; n < 4; n += 1) await pass(2 * minute)
  expect(ofHook()).toEqual(['opened', 'recovered'])
  // ntfy posts to the root, with the topic inside.
  const phone = received.filter(({ body }) => (body as { topic?: string }).topic === 'on-call')
  const ofPhone = phone.filter(({ body }) =>
    /Critical: web-01 is overdue|Recovered: web-01 is overdue/.test(JSON.stringify(body)),
  )
  expect(ofPhone).toHaveLength(2)
  expect((await log('team')).every(({ state }) => state === 'sent')).toBe(true)
  expect(Math.max(...(await log('team')).map(({ attempts }) => attempts))).toBeGreaterThan(1)
  const refused = (await log('strict')).at(-1)
  expect(refused).toMatchObject({ state: 'waiting', error: { code: 'ChannelRefused' } })
  expect(refused?.error?.message).toContain('private address')
  expect(of('/inside')).toEqual([])
})
