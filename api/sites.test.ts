import { afterEach, beforeEach, expect, test } from 'vitest'
import { siteQueue } from '../workflows/shared/queues.ts'
import { bench, own, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => {
  here = bench()
  here.catalog.repositories.add({
    ...{
      name: 'far',
      site: 'lyon',
      location: { kind: 'posix', path: '/srv/far' },
      credentialRef: 'file:/srv/far-secret',
    },
  })
})
afterEach(() => here[Symbol.dispose]())

const body = async <T>(response: Response): Promise<T> => (await response.json()) as T
const as = (token: string, method: string, path: string, json?: unknown) =>
  here.app.request(`${own}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(json !== undefined && { 'content-type': 'application/json' }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
const tokenOf = async (site: string, days: number | null = null) =>
  body<{ id: string; token: string }>(await here.call('POST', `/api/v1/sites/${site}/tokens`, { days }))

test('sites say who works there, and what is of them', async () => {
  await here.call('PUT', '/api/v1/sites/spare', { description: 'for later' })
  const { items } = await here.get<{ items: object[] }>('/api/v1/sites')
  expect(items).toMatchObject([
    { name: 'local', state: 'ok', workers: [{ identity: 'worker-1' }], hypervisors: 1, repositories: 1 },
    { name: 'lyon', state: 'silent', workers: [], repositories: 1 },
    { name: 'spare', state: 'idle', description: 'for later' },
  ])
  const limit = [{ bytesPerSecond: 1e6, start: '00:00', end: '00:00' }]
  const ends = (hypervisorId: string | null, repositoryId: string | null) =>
    here.catalog.links.put({ hypervisorId, repositoryId, timeZone: 'UTC', backup: limit, restore: [] })
  ends('lab', 'main')
  ends(null, 'far')
  const lyon = await here.get<{ links: object[] }>('/api/v1/sites/lyon')
  expect(lyon).toMatchObject({
    members: { hypervisors: [], repositories: [{ id: 'far', place: '/srv/far' }] },
    links: [{ hypervisorId: null, repositoryId: 'far' }],
  })
  expect(lyon.links).toHaveLength(1)
  here.engine.away = true
  expect(await here.get('/api/v1/sites/local')).toMatchObject({ state: 'unknown', workers: [] })
})

test('a site goes when nothing is of it', async () => {
  const refused = await here.call('DELETE', '/api/v1/sites/lyon')
  expect([refused.status, (await body<{ code: string }>(refused)).code]).toEqual([409, 'InUse'])
  await here.call('PUT', '/api/v1/sites/spare', {})
  expect((await here.call('DELETE', '/api/v1/sites/spare')).status).toBe(204)
  expect((await here.call('GET', '/api/v1/sites/spare')).status).toBe(404)
})

test('a test is asked of the workers there, of all that is of the site', async () => {
  const check = {
    kind: 'repository',
    id: 'main',
    name: 'main',
    place: '/r',
    latencyMs: 2,
    detail: 'opens',
    error: null,
  }
  let asked: unknown
  here.engine.answers.set('testSite', (input) => {
    asked = input
    return { v: 1, worker: 'worker-1', checks: [check], error: null }
  })
  expect(await body(await here.call('POST', '/api/v1/sites/local/test'))).toMatchObject({
    ...{ state: 'ok', worker: 'worker-1', checks: [check] },
  })
  expect(asked).toMatchObject({ site: 'local', hypervisors: [{ name: 'lab' }], repositories: [{ id: 'main' }] })
  const failed = { ...check, latencyMs: null, error: { code: 'StoreUnavailable', message: 'm', hint: 'h', docs: 'd' } }
  here.engine.answers.set('testSite', () => ({ v: 1, worker: 'worker-1', checks: [check, failed], error: null }))
  expect(await body(await here.call('POST', '/api/v1/sites/local/test'))).toMatchObject({ state: 'failed' })
  expect((await here.call('POST', '/api/v1/sites/lyon/test')).status).toBe(503)
})

test('a token of a site is said once, opens what its workers need there, and nothing else', async () => {
  const { id, token } = await tokenOf('lyon')
  expect(await here.get('/api/v1/sites/lyon')).toMatchObject({ tokens: [{ id, expiresMs: null }] })
  expect(JSON.stringify(here.catalog.access.tokens())).not.toContain(token)
  expect(await body(await as(token, 'GET', '/session'))).toMatchObject({ role: 'worker', site: 'lyon' })
  const doors: [string, string, unknown, number][] = [
    ['GET', '/verify-ledgers/far', undefined, 200],
    ['GET', '/verify-ledgers/main', undefined, 403],
    ['POST', '/verify-ledgers/main', undefined, 403],
    ['GET', `/evidence/${'0'.repeat(64)}`, undefined, 404],
    ['GET', `/catalog-copies/${'0'.repeat(32)}`, undefined, 404],
    ['GET', '/sites', undefined, 403],
    ['GET', '/vms', undefined, 403],
    ['POST', '/sites/lyon/tokens', {}, 403],
    ['DELETE', '/sites/lyon', undefined, 403],
    ['PUT', '/sites/lyon', { handsSecrets: true }, 403],
    ['POST', '/site-secrets', { credentialRef: 'file:/srv/far-secret' }, 403],
    ['GET', '/site-settings/lyon', undefined, 200],
    ['GET', '/site-settings/local', undefined, 403],
  ]
  for (const [method, path, json, status] of doors)
    expect([method, path, (await as(token, method, path, json)).status]).toEqual([method, path, status])
  expect((await here.app.request(`${own}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403)
  expect((await here.call('DELETE', `/api/v1/sites/lyon/tokens/${id}`)).status).toBe(204)
  expect((await as(token, 'GET', '/session')).status).toBe(401)
  const brief = await tokenOf('lyon', 1)
  here.clock.ms += 86_400_001
  expect((await as(brief.token, 'GET', '/session')).status).toBe(401)
})

test('a worker of one site takes no share of what is between ends of another', async () => {
  here.engine.pollersByQueue.set(siteQueue('lyon'), [])
  const limit = [{ bytesPerSecond: 1000, start: '00:00', end: '00:00' }]
  for (const repositoryId of ['main', 'far'])
    here.catalog.links.put({ hypervisorId: null, repositoryId, timeZone: 'UTC', backup: limit, restore: [] })
  const { token } = await tokenOf('lyon')
  const moving = ['main', 'far'].map((end) => ({ key: `link/*/${end}/backup`, copies: 3 }))
  const foreign = await body<{ shares: { key: string }[] }>(
    await as(token, 'POST', '/bandwidth', { worker: 'w', moving }),
  )
  expect(foreign.shares.map(({ key }) => key)).toEqual(['link/*/far/backup'])
  const local = await body<{ shares: { bytesPerSecond: number }[] }>(
    await as(workerToken, 'POST', '/bandwidth', { worker: 'w', moving: [{ key: 'link/*/main/backup', copies: 1 }] }),
  )
  expect(local.shares[0]?.bytesPerSecond).toBe(1000)
})

test('secrets are handed to the workers of a site that may ask, and only its own', async () => {
  const { token } = await tokenOf('lyon')
  const secret = (with_: string, credentialRef: string) => as(with_, 'POST', '/site-secrets', { credentialRef })
  const refused = await body<{ hint: string }>(await secret(token, 'file:/srv/far-secret'))
  expect(refused.hint).toContain('holdfast site set lyon --secrets server')
  await here.call('PUT', '/api/v1/sites/lyon', { handsSecrets: true })
  const given = await secret(token, 'file:/srv/far-secret')
  expect([given.status, await body(given)]).toEqual([200, { secret: 'what file:/srv/far-secret stands for' }])
  expect(given.headers.get('cache-control')).toBe('no-store')
  for (const ref of ['file:/srv/secrets/main', 'file:/etc/shadow']) expect((await secret(token, ref)).status).toBe(403)
  // Of the server's own home: it reads the files themselves.
  expect((await secret(workerToken, 'file:/srv/far-secret')).status).toBe(403)
})

test('a proxy of a site is what its workers are told, until it has none', async () => {
  const proxy = { url: 'http://proxy:3128', except: ['minio.lan', '.internal'] }
  expect(await body(await here.call('PUT', '/api/v1/sites/lyon', { proxy }))).toMatchObject({ proxy })
  await here.call('PUT', '/api/v1/sites/lyon', { description: 'second hall' })
  const told = async () => body(await as(workerToken, 'GET', '/site-settings/lyon'))
  expect(await told()).toEqual({ proxy })
  expect(await body(await as(workerToken, 'GET', '/site-settings/nobody'))).toEqual({ proxy: null })
  for (const url of [
    'http://me:secret@proxy:3128',
    'socks5://proxy:1080',
    'proxy:3128',
    'http://proxy/path',
    'http://proxy?x',
  ])
    expect((await here.call('PUT', '/api/v1/sites/lyon', { proxy: { url } })).status, url).toBe(400)
  await here.call('PUT', '/api/v1/sites/lyon', { proxy: null })
  expect(await told()).toEqual({ proxy: null })
})

test('names at another site are said of two sites that there are, each name once', async () => {
  const put = (to: string, json: object) => here.call('PUT', `/api/v1/sites/lyon/maps/${to}`, json)
  const map = { networks: [{ from: 'prod', to: 'prod-dr' }], storages: [{ from: '*', to: 'raw' }] }
  expect(await body(await put('local', map))).toMatchObject({ maps: [{ to: 'local', ...map }] })
  expect((await put('moon', map)).status).toBe(404)
  expect((await put('lyon', map)).status).toBe(400)
  expect((await put('local', { storages: [...map.storages, ...map.storages] })).status).toBe(400)
  expect(await body(await put('local', {}))).toMatchObject({ maps: [] })
})
