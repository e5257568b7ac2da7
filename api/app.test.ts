import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { allRoutes, basePath } from './document.ts'
import { adminToken, bench, own, workerToken, type Bench } from './testing/bench.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

/** Path parameters filled with something of the right shape that does not exist. */
function filled(path: string): string {
  return (
    basePath +
    path
      .replace('{sha256}', 'a'.repeat(64))
      .replace('{run}', 'nothing')
      .replace('/points/{id}', `/points/${'f'.repeat(32)}`)
      .replace('{id}', 'nothing')
  )
}

test.each(allRoutes().map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s is served and asks for a token',
  async (_, route) => {
    const response = await here.app.request(own + filled(route.path), {
      method: route.method.toUpperCase(),
      ...(route.request?.body && { headers: { 'content-type': 'application/json' }, body: '{}' }),
    })
    if (route.security?.length === 0) expect([200, 400]).toContain(response.status)
    else {
      expect(response.status).toBe(401)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toMatchObject({
        code: 'Unauthorized',
        status: 401,
        hint: expect.stringContaining('token') as string,
      })
    }
  },
)

/** What a body has to say before anybody looks for the thing. */
const needed: { readonly [path: string]: object } = {
  '/points/{id}/holds': { reason: 'why' },
  '/hypervisors/{id}/imports': { vm: 'old', files: ['root.raw'] },
  '/plans/{id}': { paused: true },
  '/plans/{id}/members': { vmIds: ['web-01'] },
  '/capacity/{id}/what-if': { vms: 1, bytesPerVm: 1 },
  '/points/{id}/change-review': { verdict: 'expected', reason: 'why' },
  '/points/{id}/remove': { confirmName: 'web-01', reason: 'why' },
  '/sweeps/{run}/approve': { digest: 'd' },
  '/instants/{run}/discard': { confirmName: 'web-01' },
  '/replications/{id}/move': { move: 'planned', confirmName: 'web-01' },
  '/recovery-plans/{id}/start': { mode: 'rehearse' },
  '/recovery-runs/{run}/approve': { tier: 'db', wait: 'before-0' },
  '/recovery-runs/{run}/choose': { tier: 'db', wait: 'choice-1', choice: 'retry' },
  '/recovery-runs/{run}/abort': { end: 'clean-up' },
}

test.each(
  allRoutes()
    // PUT makes what is not there.
    .filter((route) => route.method !== 'put' && /\{(id|run)\}/.test(route.path))
    .map((route) => [`${route.method} ${route.path}`, route] as const),
)('%s says that the thing is not there', async (_, route) => {
  const body = route.request?.body ? (needed[route.path] ?? {}) : undefined
  const response = await here.call(route.method.toUpperCase(), filled(route.path), body)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ code: 'NotFound' })
})

test('a problem says what happened, what to do and where to read more', async () => {
  const response = await here.call('GET', '/api/v1/vms/nothing')
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchInlineSnapshot(`
    {
      "causes": [],
      "code": "NotFound",
      "detail": "there is no VM nothing",
      "docs": "errors.md#notfound",
      "hint": "Check the name or id; list what exists first.",
      "instance": "/api/v1/vms/nothing",
      "status": 404,
      "title": "Not found",
      "type": "urn:holdfast:error:NotFound",
    }
  `)
})

test('a wrong member is named', async () => {
  const response = await here.call('POST', '/api/v1/repositories', {
    name: 'x',
    location: { kind: 'posix', path: 'relative' },
    credentialRef: 'file:/x',
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchInlineSnapshot(`
    {
      "causes": [],
      "code": "InvalidRequest",
      "data": {
        "issues": [
          {
            "message": "an absolute path",
            "path": "location.path",
          },
        ],
        "where": "json",
      },
      "detail": "location.path: an absolute path",
      "docs": "errors.md#invalidrequest",
      "hint": "Correct the input that the message names.",
      "instance": "/api/v1/repositories",
      "status": 400,
      "title": "Invalid request",
      "type": "urn:holdfast:error:InvalidRequest",
    }
  `)
})

test('a body that is no JSON is a problem, not a crash', async () => {
  const response = await here.app.request(`${own}/api/v1/hypervisors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: '{"name":',
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'InvalidRequest' })
})

test('a body without its content type is refused instead of being taken as empty', async () => {
  const response = await here.app.request(`${own}/api/v1/hypervisors`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'text/plain' },
    body: JSON.stringify({ name: 'x', platform: 'qemu', address: '/x' }),
  })
  expect(response.status).toBe(415)
  expect(here.catalog.endpoints.list({ limit: 10 }).total).toBe(1)
})

test('an unknown path under the API is a problem', async () => {
  const response = await here.call('GET', '/api/v1/nothing-here')
  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
})

test('health needs no token and says when the engine is away', async () => {
  const up = await here.app.request(`${own}/api/v1/health`)
  expect(await up.json()).toEqual({ status: 'ok', version: '0.1.0-test', engine: 'up', nowMs: here.clock.ms })
  here.engine.away = true
  const down = await here.app.request(`${own}/api/v1/health`)
  expect(down.status).toBe(200)
  expect(await down.json()).toMatchObject({ status: 'degraded', engine: 'down' })
})

test('a worker’s token opens nothing but evidence', async () => {
  const headers = { authorization: `Bearer ${workerToken}` }
  expect((await here.app.request(`${own}/api/v1/vms`, { headers })).status).toBe(403)
  expect(
    (await here.app.request(`${own}/api/v1/vms/web-01/backups`, { method: 'POST', headers, body: '{}' })).status,
  ).toBe(403)
  expect((await here.app.request(`${own}/api/v1/evidence/${'a'.repeat(64)}`, { headers })).status).toBe(404)
})

test('answers of the API are never kept by caches on the way', async () => {
  expect((await here.call('GET', '/api/v1/vms')).headers.get('cache-control')).toBe('no-store')
})

test('a request of more than a mebibyte is refused', async () => {
  const response = await here.call('POST', '/api/v1/hypervisors', {
    name: 'x'.repeat(2 ** 20),
    platform: 'qemu',
    address: '/x',
  })
  expect(response.status).toBe(413)
})

test('who has proved nothing sends little: the login takes no large body', async () => {
  for (const body of [JSON.stringify({ token: 'x'.repeat(8 * 2 ** 20) }), new Blob(['x'.repeat(8192)]).stream()]) {
    const response = await here.app.request(`${own}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      ...(typeof body !== 'string' && { duplex: 'half' }),
    })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'InvalidRequest' })
  }
})

test('the document is served', async () => {
  const response = await here.app.request(`${own}/api/openapi.json`)
  expect(((await response.json()) as { openapi: string }).openapi).toBe('3.1.0')
})

test('the dashboard is served with its policy, its addresses fall back to the page, and files are kept by their kind', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-web-'))
  try {
    mkdirSync(join(dir, '_app/immutable'), { recursive: true })
    writeFileSync(join(dir, 'index.html'), '<html><script>start()</script><script src="/x.js"></script></html>')
    writeFileSync(join(dir, '_app/immutable/a.js'), 'export {}')
    writeFileSync(join(dir, '..', `${dir.split('/').at(-1) ?? ''}-secret.txt`), 'secret')
    using web = bench({ webDir: dir })
    const page = await web.app.request(`${own}/runs/backup%2Fweb-01`)
    expect(await page.text()).toContain('start()')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/script-src 'self' 'sha256-[A-Za-z0-9+/=]{44}';/)
    expect(policy).not.toMatch(/https?:/)
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const again = await web.app.request(`${own}/`, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
    const script = await web.app.request(`${own}/_app/immutable/a.js`)
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toContain('immutable')
    expect((await web.app.request(`${own}/_app/immutable/gone.js`)).status).toBe(404)
    const outside = await web.app.request(`${own}/..%2f${dir.split('/').at(-1) ?? ''}-secret.txt`)
    expect(await outside.text()).not.toContain('secret')
  } finally {
    rmSync(dir, { recursive: true })
    rmSync(`${dir}-secret.txt`, { force: true })
  }
})
