import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bench, workerToken, type Bench } from '../api/testing/bench.ts'
import { HoldfastError } from '../base/index.ts'
import { homeOf, type Home } from './config.ts'
import { serverDoor, serverReach } from './door.ts'
import { installationPath, knownInstallation } from './installation.ts'
import { introduce } from './introduce.ts'
import { secretSource } from './secret-source.ts'
import { siteTokenPath, workerTokenPath } from './secrets.ts'

let here: Bench
let home: Home
let url: string
let server: ReturnType<typeof serve>
const { signal } = new AbortController()
const quiet = (): void => undefined
const log = { info: quiet, warn: quiet, error: quiet } as never

beforeEach(async () => {
  here = bench()
  here.catalog.sites.put('lyon', { handsSecrets: true })
  home = homeOf({ HOLDFAST_HOME: mkdtempSync(join(tmpdir(), 'holdfast-door-')) })
  mkdirSync(home.secrets, { recursive: true, mode: 0o700 })
  server = serve({ fetch: here.app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  here[Symbol.dispose]()
  await new Promise((resolve) => server.close(resolve))
  rmSync(home.root, { recursive: true, force: true })
})
const siteToken = async (): Promise<string> =>
  ((await (await here.call('POST', '/api/v1/sites/lyon/tokens', {})).json()) as { token: string }).token
const door = (env: Record<string, string> = {}) => serverDoor(home, { HOLDFAST_URL: `${url}/`, ...env })

it('a worker comes with the token of its site, from the environment or the file, else with that of its home', async () => {
  writeFileSync(workerTokenPath(home), workerToken, { mode: 0o600 })
  const whose = async (env = {}) =>
    ((await (await door(env).ask('/api/v1/session')).json()) as { site: string | null }).site
  expect([await whose(), door().isOfSite]).toEqual([null, false])
  const token = await siteToken()
  expect(await whose({ HOLDFAST_SITE_TOKEN: token })).toBe('lyon')
  writeFileSync(siteTokenPath(home), `${token}\n`, { mode: 0o600 })
  expect([await whose(), door().isOfSite]).toEqual(['lyon', true])
  expect(await serverReach(door())(signal)).toMatchObject({ url })
  await expect(serverReach(door({ HOLDFAST_SITE_TOKEN: 'old' }))(signal)).rejects.toMatchObject({
    code: 'Unauthorized',
  })
  await expect(serverReach(door({ HOLDFAST_URL: 'http://127.0.0.1:1' }))(signal)).rejects.toMatchObject({
    code: 'ServerUnreachable',
  })
})

it('a worker of a site is of the installation of its server, and of its own site only', async () => {
  const { uuid } = here.catalog.installation.get()
  const token = await siteToken()
  const as = (env: Record<string, string>, site = 'lyon', known = knownInstallation(home)) =>
    introduce(door({ HOLDFAST_SITE_TOKEN: token, ...env }), { home, site, known, log, signal, everyMs: 5 })
  await expect(as({}, 'paris')).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: expect.stringContaining('lyon') as string,
  })
  expect(existsSync(installationPath(home))).toBe(false)
  expect(await as({})).toMatchObject({ uuid })
  expect(knownInstallation(home)).toMatchObject({ uuid })
  // A server that is away keeps nobody from work who knows the answer, and a token that is not taken does.
  expect(await as({ HOLDFAST_URL: 'http://127.0.0.1:1' })).toMatchObject({ uuid })
  await expect(as({ HOLDFAST_SITE_TOKEN: 'old' })).rejects.toMatchObject({ code: 'Unauthorized' })
  writeFileSync(installationPath(home), JSON.stringify({ v: 1, uuid: 'f'.repeat(32), name: 'other' }))
  await expect(as({})).rejects.toMatchObject({ code: 'ConfigInvalid' })
})

it('the process of a worker whose token is not of its site says so and ends', async () => {
  const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
  const args = ['--disable-warning=ExperimentalWarning', main, 'worker', '--site', 'paris']
  const { PATH = '' } = process.env
  const at = { HOLDFAST_HOME: home.root, HOLDFAST_URL: `${url}/`, TEMPORAL_ADDRESS: '127.0.0.1:1' }
  const env = { PATH, ...at, HOLDFAST_SITE_TOKEN: await siteToken() }
  const ended = await new Promise<{ readonly error: Error | null; readonly said: string }>((resolve) => {
    execFile(process.execPath, args, { env, timeout: 25_000, killSignal: 'SIGKILL' }, (error, _out, said) =>
      resolve({ error, said }),
    )
  })
  expect(ended.said).toContain('the token is of site lyon, this worker of paris')
  expect(ended.error).toMatchObject({ killed: false, signal: null, code: 1 })
})

it('who does not know the installation yet waits for the server', async () => {
  const token = await siteToken()
  let tries = 0
  const late = door({ HOLDFAST_SITE_TOKEN: token })
  const flaky = {
    ...late,
    ask: async (path: string, request?: RequestInit) => {
      if (++tries < 3) throw new HoldfastError('ServerUnreachable', 'not yet')
      return late.ask(path, request)
    },
  }
  await introduce(flaky, { home, site: 'lyon', known: null, log, signal, everyMs: 1 })
  expect(tries).toBe(3)
})

it('a secret is read here, and only what is not here is asked of the server', async () => {
  here.catalog.repositories.add({
    ...{ name: 'far', site: 'lyon', location: { kind: 'posix', path: '/far' }, credentialRef: 'file:/far-secret' },
  })
  const token = await siteToken()
  const source = secretSource(door({ HOLDFAST_SITE_TOKEN: token }))
  writeFileSync(join(home.secrets, 'own'), 'mine', { mode: 0o600 })
  expect(await source(`file:${join(home.secrets, 'own')}`)).toBe('mine')
  expect(await source('file:/far-secret')).toBe('what file:/far-secret stands for')
  await expect(source('file:/srv/secrets/main')).rejects.toMatchObject({ code: 'SecretMissing' })
  const open = secretSource(door({ HOLDFAST_SITE_TOKEN: token, HOLDFAST_URL: 'http://backup.example.org' }))
  await expect(open('file:/far-secret')).rejects.toMatchObject({
    message: expect.stringContaining('without TLS') as string,
  })
  // Without the token of a site nothing is asked.
  await expect(secretSource(door())('file:/far-secret')).rejects.toMatchObject({ code: 'SecretMissing' })
})
