import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { homeOf } from './config.ts'
import { engineRole } from './engine.ts'
import { whoIs } from './place.ts'
import { Supervisor } from './supervisor.ts'
import { findTemporalCli } from './temporal-cli.ts'
import { freePort } from './temporal-server.ts'
import { eventually } from './testing/workflows.ts'
import { cacheFolder } from '../appliance/index.ts'

/** Processes as they are started by hand, and no Temporal. */

let folder: string
let temporalPort: number
let port: number
let url: string
let started: ChildProcess[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-away-'))
  temporalPort = await freePort()
  port = await freePort()
  url = `http://127.0.0.1:${port}/api/v1`
  started = []
})
afterEach(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = endOf(child)
    child.kill('SIGKILL')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
})

function start(...args: string[]): ChildProcess {
  const env = {
    ...process.env,
    HOLDFAST_HOME: folder,
    HOLDFAST_HOST: '127.0.0.1',
    HOLDFAST_PORT: String(port),
    TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
  }
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, ...args], { env, stdio: 'ignore' })
  started.push(child)
  return child
}
async function startTemporal(supervisor: Supervisor): Promise<void> {
  const { path } = await findTemporalCli({ env: process.env, cacheDir: cacheFolder() })
  const flags = ['--ip', '127.0.0.1', '--headless', '--log-level', 'error', '--port', String(temporalPort)]
  await supervisor.start({
    name: 'temporal',
    program: path,
    args: ['server', 'start-dev', ...flags],
    logFile: join(folder, 'temporal.log'),
    ready: () => Promise.resolve(),
    stopWithinMs: 10_000,
  })
}
const endOf = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', resolve))

const token = (): string => readFileSync(join(folder, 'secrets', 'admin-token'), 'utf8').trim()
const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json' },
  })
const get = async <T>(path: string): Promise<T> => (await (await call(path)).json()) as T
const drop = (): void => undefined
const quiet = { info: drop, warn: drop, error: drop }
const answers = (): Promise<boolean> =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  )

it('a server without Temporal answers, looks and alerts, says what is away, and goes to work when Temporal comes', async () => {
  start('server')
  await eventually('the API', answers)
  const at = homeOf({ HOLDFAST_HOME: folder })
  expect(await whoIs(at, engineRole('server'))).toBeNull()

  const began = Date.now()
  expect(await get('/health')).toMatchObject({ status: 'degraded', engine: 'down' })
  expect(Date.now() - began).toBeLessThan(5_000)
  const refused = await call('/workers')
  expect([refused.status, refused.headers.get('content-type')]).toEqual([503, 'application/problem+json'])
  expect(await refused.json()).toMatchObject({
    code: 'TemporalUnavailable',
    hint: expect.stringMatching(/\w/) as string,
  })
  // What needs no engine is as ever.
  expect((await call('/vms')).status).toBe(200)
  expect(await get('/overview')).toMatchObject({
    engine: { up: false },
    needsYou: [{ kind: 'engine', title: 'The engine does not answer' }],
  })
  // Observed by the keeper of alerts, with no page open.
  await eventually('the incident', async () => {
    const { items } = await get<{ items: { kind: string }[] }>('/incidents?state=open')
    return items.some(({ kind }) => kind === 'engine')
  })

  await using supervisor = new Supervisor(quiet)
  await startTemporal(supervisor)
  await eventually('work for the engine', async () => whoIs(at, engineRole('server')))
  await eventually('health', async () => (await get<{ status: string }>('/health')).status === 'ok')
  await eventually('a poller', async () => {
    const { queues } = await get<{ queues: { site: string | null; state: string }[] }>('/workers')
    return queues.some(({ site, state }) => site === null && state === 'ok')
  })
  const { checks } = await get<{ checks: { id: string; state: string }[] }>('/doctor')
  expect(checks.find(({ id }) => id === 'search-attributes')).toMatchObject({ state: 'ok' })
  await eventually('the end of the incident', async () => {
    const { items } = await get<{ items: { kind: string }[] }>('/incidents?state=open')
    return !items.some(({ kind }) => kind === 'engine')
  })
})

it('a server that waits for Temporal ends soon when it is told to, also with questions under way', async () => {
  const server = start('server')
  await eventually('the API', answers)
  const began = Date.now()
  const gone = endOf(server)
  server.kill('SIGTERM')
  expect(await gone).toBe(0)
  expect(Date.now() - began).toBeLessThan(15_000)
})

it('a worker waits for Temporal while it serves, and goes to work when it comes', async () => {
  const at = homeOf({ HOLDFAST_HOME: folder })
  const worker = start('worker', '--site', 'lyon')
  await eventually('the worker', async () => whoIs(at, 'worker-lyon'))
  const waiting = (): string => readFileSync(join(folder, 'logs', 'worker-lyon.log'), 'utf8')
  await eventually('what is away is said', () => Promise.resolve(waiting().includes('no work for the engine')))
  expect(await whoIs(at, engineRole('worker-lyon'))).toBeNull()
  await using supervisor = new Supervisor(quiet)
  await startTemporal(supervisor)
  await eventually('work for the engine', async () => whoIs(at, engineRole('worker-lyon')))
  expect((await whoIs(at, 'worker-lyon'))?.pid).toBe(worker.pid)
})

it('a worker that waits for Temporal ends soon when it is told to', async () => {
  const worker = start('worker', '--site', 'lyon')
  await eventually('the worker', async () => whoIs(homeOf({ HOLDFAST_HOME: folder }), 'worker-lyon'))
  const gone = endOf(worker)
  worker.kill('SIGTERM')
  expect(await gone).toBe(0)
})
