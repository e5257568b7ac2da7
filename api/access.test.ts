import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testCatalog } from '../catalog/testing.ts'
import { ensureAdminToken, hashOf } from './secrets.ts'
import { sessionLifeMs } from './auth.ts'
import { adminToken, bench, own, type Bench } from './testing/bench.ts'
import { triesPerWindow } from './throttle.ts'

let here: Bench
beforeEach(() => void (here = bench()))
afterEach(() => here[Symbol.dispose]())

async function login(token = adminToken, headers: Record<string, string> = {}): Promise<Response> {
  return here.app.request(`${own}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ token }),
  })
}
function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}
/** As the fetch of a browser's page sends it. */
async function asPage(method: string, path: string, cookie: string, origin: string | null): Promise<Response> {
  const headers = {
    cookie,
    host: 'holdfast.test',
    'content-type': 'application/json',
    ...(origin !== null && { origin }),
  }
  return here.app.request(`${own}${path}`, { method, headers, ...(method !== 'GET' && { body: '{}' }) })
}

describe('tokens', () => {
  test.each([
    ['nothing', undefined],
    ['another token', 'Bearer holdfast_another'],
    ['an empty one', 'Bearer '],
    ['another scheme', `Basic ${adminToken}`],
    ['the hash instead of the token', `Bearer ${hashOf(adminToken)}`],
  ])('%s opens nothing', async (_, authorization) => {
    const response = await here.app.request(`${own}/api/v1/vms`, {
      headers: authorization === undefined ? {} : { authorization },
    })
    expect(response.status).toBe(401)
  })

  test('a bad token is not rescued by a good cookie', async () => {
    const cookie = cookieOf(await login())
    const response = await here.app.request(`${own}/api/v1/vms`, { headers: { cookie, authorization: 'Bearer wrong' } })
    expect(response.status).toBe(401)
  })
})

describe('sessions', () => {
  test('the cookie is out of reach of scripts and of other sites, and opens the API', async () => {
    const response = await login()
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      user: 'operator',
      role: 'admin',
      via: 'session',
      expiresMs: here.clock.ms + sessionLifeMs,
    })
    expect(response.headers.get('set-cookie')).toMatch(
      /^holdfast_session=holdfast_[\w-]{43}; Max-Age=43200; Path=\/api; HttpOnly; SameSite=Strict$/,
    )
    expect((await asPage('GET', '/api/v1/vms', cookieOf(response), null)).status).toBe(200)
  })

  test('over TLS the cookie stays on TLS', async () => {
    expect((await login(adminToken, { 'x-forwarded-proto': 'https' })).headers.get('set-cookie')).toContain('; Secure')
  })

  test('a wrong token opens no session', async () => {
    const response = await login('wrong')
    expect([response.status, response.headers.get('set-cookie')]).toEqual([401, null])
  })

  test('the catalog holds no secret that would open anything', async () => {
    const secret = cookieOf(await login()).split('=')[1] ?? ''
    const dump = JSON.stringify([here.catalog.access.tokens(), here.catalog.access.session(hashOf(secret))])
    expect(dump).not.toContain(secret)
    expect(dump).not.toContain(adminToken)
  })

  test('it lasts as long as it is used, and ends twelve hours after', async () => {
    const cookie = cookieOf(await login())
    here.clock.ms += sessionLifeMs - 1
    const used = await asPage('GET', '/api/v1/vms', cookie, null)
    expect([used.status, used.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('holdfast_session=')])
    here.clock.ms += sessionLifeMs - 1
    expect((await asPage('GET', '/api/v1/session', cookie, null)).status).toBe(200)
    here.clock.ms += sessionLifeMs
    expect((await asPage('GET', '/api/v1/vms', cookie, null)).status).toBe(401)
  })

  test('logging out ends it on the server, not only in the browser', async () => {
    const cookie = cookieOf(await login())
    const out = await asPage('DELETE', '/api/v1/session', cookie, own)
    expect(out.status).toBe(204)
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0')
    expect((await asPage('GET', '/api/v1/vms', cookie, null)).status).toBe(401)
  })
})

describe('guessing', () => {
  const env = (remoteAddress: string): object => ({ incoming: { socket: { remoteAddress } } })
  const tryToken = (token: string, from: string): Promise<Response> =>
    Promise.resolve(
      here.app.request(
        `${own}/api/v1/session`,
        { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) },
        env(from),
      ),
    )

  test('is slowed down by address, also for the right token, until the window is over', async () => {
    for (let n = 0; n < triesPerWindow; n += 1) expect((await tryToken(`guess-${n}`, '192.0.2.1')).status).toBe(401)
    here.clock.ms += 20_000
    const refused = await tryToken(adminToken, '192.0.2.1')
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('set-cookie')]).toEqual([
      429,
      '40',
      null,
    ])
    expect((await tryToken(adminToken, '192.0.2.2')).status).toBe(200)
    here.clock.ms += 40_000
    expect((await tryToken(adminToken, '192.0.2.1')).status).toBe(200)
  })

  test('whoever knows the token is never slowed down', async () => {
    for (let n = 0; n < 2 * triesPerWindow; n += 1) expect((await tryToken(adminToken, '192.0.2.1')).status).toBe(200)
  })
})

describe('foreign pages', () => {
  test.each([
    ['its own page', own, 404],
    ['a page of another origin', 'https://evil.example', 403],
    ['a sandboxed page', 'null', 403],
    ['a page that hides its origin', null, 403],
    ['the same host on another port', `${own}:8080`, 403],
  ])('with a cookie, %s acting gets its answer', async (_, origin, status) => {
    const cookie = cookieOf(await login())
    expect((await asPage('POST', '/api/v1/vms/nothing/backups', cookie, origin)).status).toBe(status)
  })

  test('a foreign page cannot log a browser in', async () => {
    expect((await login(adminToken, { origin: 'https://evil.example', host: 'holdfast.test' })).status).toBe(403)
  })

  test('scripts with a token are not asked where they come from', async () => {
    expect((await here.call('POST', '/api/v1/vms/nothing/backups', {}, { origin: 'https://ci.example' })).status).toBe(
      404,
    )
  })
})

describe('the administrator’s token', () => {
  test('is made once, readable by its owner only, and replaced by replacing the file', () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-token-'))
    try {
      using fresh = testCatalog()
      const path = join(home, 'secrets', 'admin-token')
      const token = ensureAdminToken(fresh.catalog, path)
      expect(token).toMatch(/^holdfast_[\w-]{43}$/)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(statSync(join(home, 'secrets')).mode & 0o777).toBe(0o700)
      expect(ensureAdminToken(fresh.catalog, path)).toBe(token)
      expect(readFileSync(path, 'utf8').trim()).toBe(token)
      writeFileSync(path, 'holdfast_one-of-my-own-choice\n')
      expect(ensureAdminToken(fresh.catalog, path)).toBe('holdfast_one-of-my-own-choice')
      expect(fresh.catalog.access.tokens().map((row) => row.hash)).toEqual([hashOf('holdfast_one-of-my-own-choice')])
      writeFileSync(path, 'short')
      expect(() => ensureAdminToken(fresh.catalog, path)).toThrow(expect.objectContaining({ code: 'SecretMissing' }))
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})

describe('evidence', () => {
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('picture')])
  const put = (name: string, body: Uint8Array): Promise<Response> =>
    Promise.resolve(
      here.app.request(`${own}/api/v1/evidence/${name}`, {
        method: 'PUT',
        headers: { authorization: 'Bearer holdfast_worker-token-of-the-tests' },
        body: new Uint8Array(body),
      }),
    )

  test('is kept under the hash of its bytes and given back as what it is', async () => {
    const name = hashOf(png.toString('latin1'))
    expect((await put(name, png)).status).toBe(400)
    const right = (await import('node:crypto')).createHash('sha256').update(png).digest('hex')
    expect((await put(right, png)).status).toBe(201)
    expect((await put(right, png)).status).toBe(200)
    const got = await here.call('GET', `/api/v1/evidence/${right}`)
    expect(got.headers.get('content-type')).toBe('image/png')
    expect(got.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await got.arrayBuffer()).equals(png)).toBe(true)
    writeFileSync(join(here.home, 'evidence', right.slice(0, 2), right), 'tampered')
    expect((await here.call('GET', `/api/v1/evidence/${right}`)).status).toBe(502)
  })

  test('a page is never served as a page', async () => {
    const html = Buffer.from('<script>steal()</script>')
    expect((await put(hashOf(html.toString()), html)).status).toBe(201)
    const got = await here.call('GET', `/api/v1/evidence/${hashOf(html.toString())}`)
    expect(got.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(got.headers.get('content-security-policy')).toContain('sandbox')
  })

  test('what is neither picture nor text, and what is too large, is refused and leaves no file', async () => {
    const binary = Buffer.from([0xff, 0xfe, 0x00, 0x80])
    const name = (await import('node:crypto')).createHash('sha256').update(binary).digest('hex')
    expect((await put(name, binary)).status).toBe(400)
    expect((await put('a'.repeat(64), Buffer.alloc(17 * 2 ** 20))).status).toBe(413)
    expect(existsSync(join(here.home, 'evidence'))).toBe(false)
  })
})
