import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bench, workerToken, type Bench } from '../api/testing/bench.ts'
import { parseLocation } from '../repository/index.ts'
import { runProgram } from '../drivers/transport/index.ts'
import { homeOf, type Home } from './config.ts'
import { serverDoor } from './door.ts'
import { homeProxy } from './home-proxy.ts'
import { workerTokenPath } from './secrets.ts'
import { SiteWay } from './site-way.ts'
import { connectOnce } from './temporal.ts'
import { ConnectProxy } from './testing/connect-proxy.ts'

let here: Bench
let home: Home
let url: string
let server: ReturnType<typeof serve>
const said: string[] = []
const note = (_fields: object, message: string): void => void said.push(message)
const log = { info: note, warn: note }
const store = parseLocation('s3://bucket?region=eu-west-3')

beforeEach(async () => {
  here = bench()
  said.length = 0
  home = homeOf({ HOLDFAST_HOME: mkdtempSync(join(tmpdir(), 'holdfast-way-')) })
  mkdirSync(home.secrets, { recursive: true, mode: 0o700 })
  writeFileSync(workerTokenPath(home), workerToken, { mode: 0o600 })
  server = serve({ fetch: here.app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  here[Symbol.dispose]()
  await new Promise((resolve) => server.close(resolve))
  rmSync(home.root, { recursive: true, force: true })
})
const wayOf = (address = url): SiteWay =>
  new SiteWay({ home, door: serverDoor(home, { HOLDFAST_URL: address }), site: 'lyon', log })

it('a worker reaches stores as the server says of its site, and as it said last while it is away', async () => {
  using first = wayOf()
  await first.start()
  expect(first.wayTo(store)).toEqual(store)
  const proxy = { url: 'http://proxy:3128', except: ['minio.lan'] }
  await here.call('PUT', '/api/v1/sites/lyon', { proxy })
  await first.look(3_000)
  const through = { kind: 's3', url: 's3://bucket?region=eu-west-3&proxy=http%3A%2F%2Fproxy%3A3128' }
  expect(first.wayTo(store)).toEqual(through)
  expect(first.wayTo(parseLocation('s3://bucket?endpoint=http://minio.lan:9000'))).not.toEqual(through)
  // Another process of the same home, its server away: said once, and the way stays.
  using second = wayOf('http://127.0.0.1:1')
  await second.look(3_000)
  await second.look(3_000)
  expect(second.wayTo(store)).toEqual(through)
  expect(said.filter((line) => line.includes('does not say'))).toHaveLength(1)
  await here.call('PUT', '/api/v1/sites/lyon', { proxy: null })
  await first.look(3_000)
  expect(first.wayTo(store)).toEqual(store)
})

it('the way home is said on the machine of the worker', () => {
  expect(homeProxy({})).toBeNull()
  expect(homeProxy({ HOLDFAST_PROXY: 'http://me:pass@proxy:3128' })?.host).toBe('proxy:3128')
  for (const bad of ['socks5://proxy:1080', 'proxy:3128', 'http://proxy/path'])
    expect(() => homeProxy({ HOLDFAST_PROXY: bad })).toThrow('HOLDFAST_PROXY')
})

it('a request to the server goes through it', async () => {
  await using proxy = await ConnectProxy.start()
  const module = new URL('home-proxy.ts', import.meta.url).pathname
  const script = `import { homeProxy, reachServerThrough } from '${module}'
    reachServerThrough(homeProxy({ HOLDFAST_PROXY: '${proxy.url}' }))
    const answer = await fetch('${url}/api/v1/session', { headers: { authorization: 'Bearer ${workerToken}' } })
    console.log(answer.status, (await answer.json()).role)`
  const { out } = await runProgram(process.execPath, ['--input-type=module-typescript', '-e', script])
  expect(out.trim()).toBe('200 worker')
  expect(proxy.seen).toEqual([new URL(url).host])
})

it('Temporal is looked for through it', async () => {
  await using proxy = await ConnectProxy.start()
  // No Temporal: what matters is where it was looked for.
  const { host: address } = new URL(url)
  const target = {
    address,
    namespace: 'default',
    tls: false,
    apiKeyRef: null,
    proxy: homeProxy({ HOLDFAST_PROXY: proxy.url }),
  }
  await expect(connectOnce(target)).rejects.toMatchObject({ code: 'TemporalUnavailable' })
  expect(new Set(proxy.seen)).toEqual(new Set([address]))
})
