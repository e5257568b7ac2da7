/**
 * Two sites that see nothing of each other but a store: each has a worker of its own, with its own token, home and proxy. One
 * backs up and copies into S3 through its proxy; a copy comes by post; then that site is lost, and the other one restores.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, done } from '../../cli/client/index.ts'
import { Installation, readRunbook, waitForCompletion, waitForEnd } from '../../cli/demo/index.ts'
import { runProgram, spawnSupervised } from '../../drivers/transport/index.ts'
import { behindTls, S3Lab, type BehindTls } from '../../lab/stores/index.ts'
import { createRepository, mirrorRepository, openRepository, parseLocation } from '../../repository/index.ts'
import { seededBytes } from '../../repository/testing/index.ts'
import { ConnectProxy } from '../../server/testing/connect-proxy.ts'
import { eventually } from '../../server/testing/workflows.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const names = ['lyon', 'paris'] as const
type Name = (typeof names)[number]
const { signal } = new AbortController()
const passphrase = 'correct horse battery staple'
const size = 24 * MiB
/** What it holds does not compress: all of it goes over the line. */
const written = 6 * MiB
let folder: string
let at: Installation
let s3: S3Lab
let front: BehindTls
let offsite: ReturnType<typeof parseLocation>
let proxies: { readonly [site in Name]: ConnectProxy }
const workers = new Map<Name, ReturnType<typeof spawnSupervised>>()
/** With the token of the one site, for the other. */
let intruder: ReturnType<typeof spawnSupervised> | undefined

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-two-'))
  s3 = await S3Lab.start('seaweedfs')
  front = await behindTls(s3.endpoint, folder)
  const { url } = await s3.bucket({ prefix: 'copies/' })
  offsite = parseLocation(`${url.replace(s3.endpoint, front.endpoint)}&ca=${front.ca}`)
  proxies = { lyon: await ConnectProxy.start(), paris: await ConnectProxy.start() }
  at = await Installation.start({ home: join(folder, 'server') })
  for (const location of [offsite, { kind: 'posix', path: join(placeOf('lyon'), 'repository') } as const]) {
    if (location.kind === 'posix') mkdirSync(placeOf('lyon'), { recursive: true })
    await createRepository({ location, passphrase, argon2: { m: 19_456, t: 2, p: 1 } })
  }
})
afterAll(async () => {
  intruder?.kill('SIGKILL')
  for (const site of names) await stop(site)
  for (const site of names) await proxies?.[site][Symbol.asyncDispose]()
  await at?.stop()
  await front?.[Symbol.asyncDispose]()
  await s3?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** All that is at a site; workers of the other one find an empty folder there. */
const placeOf = (site: string): string => join(folder, site)
const imagesOf = (site: string): string => join(placeOf(site), 'vms')
const homeOf = (site: string): string => join(placeOf(site), 'home')

async function stop(site: Name): Promise<void> {
  const worker = workers.get(site)
  workers.delete(site)
  if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return
  const gone = new Promise((resolve) => worker.once('exit', resolve))
  worker.kill('SIGTERM')
  await gone
}

function startWorker(site: string, of: Name): ReturnType<typeof spawnSupervised> {
  const log = openSync(join(folder, `worker-${site}-${of}.log`), 'a', 0o600)
  const temporal = readFileSync(join(at.home, 'temporal', 'port'), 'utf8').trim()
  const env = {
    ...process.env,
    ...{ HOLDFAST_HOME: homeOf(of), HOLDFAST_URL: at.url, TEMPORAL_ADDRESS: `127.0.0.1:${temporal}` },
    HOLDFAST_WORKER_NAME: `mover-${site}`,
  }
  const hidden = [at.home, ...names.filter((one) => one !== of).map(placeOf)]
  const hide = 'while [ "$1" != -- ]; do mount -t tmpfs none "$1" && shift || exit 1; done; shift; exec "$@"'
  const holdfast = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'worker', '--site', site]
  const args = ['--map-root-user', '--mount', 'sh', '-c', hide, 'sh', ...hidden, '--', ...holdfast]
  const child = spawnSupervised('unshare', args, 'parent', log, env)
  closeSync(log)
  return child
}

async function addDisk(vm: string, seed: number): Promise<void> {
  const raw = Buffer.alloc(size)
  raw.set(seededBytes(seed, written), 2 * MiB)
  const file = join(folder, 'disk.raw')
  writeFileSync(file, raw)
  mkdirSync(join(imagesOf('lyon'), vm), { recursive: true })
  await runProgram('qemu-img', ['convert', '-O', 'qcow2', file, join(imagesOf('lyon'), vm, 'disk0.qcow2')])
}
/** SHA-256 of the disk as a guest would read it, and the format that it is kept in. */
async function diskOf(site: string, vm: string): Promise<{ readonly sha256: string; readonly name: string }> {
  const name = readdirSync(join(imagesOf(site), vm)).find((file) => /\.(qcow2|raw)$/.test(file)) ?? 'none'
  const raw = join(folder, 'content.raw')
  await runProgram('qemu-img', ['convert', '-O', 'raw', join(imagesOf(site), vm, name), raw])
  return { sha256: createHash('sha256').update(readFileSync(raw)).digest('hex'), name }
}
async function backUp(vm: string): Promise<string> {
  const { runId } = await ask(
    at.api.POST('/vms/{id}/backups', { params: { path: { id: vm } }, body: { repositoryId: 'main' } as never }),
  )
  await waitForCompletion(at.api, runId)
  return (await ask(at.api.GET('/runs/{run}', { params: { path: { run: runId } } }))).pointId ?? ''
}
const mirror = (): Promise<{ readonly runId: string }> =>
  ask(
    at.api.POST('/mirrors', {
      body: { sourceId: 'main', targetId: 'offsite', all: true, reason: 'test', tuning: { reprobeMs: 1_000 } },
    }),
  )
const copiesOf = async (pointId: string) =>
  (await ask(at.api.GET('/points/{id}', { params: { path: { id: pointId } } }))).copies

test('each site has a worker with a token of its own, and no other token makes one', async () => {
  await addDisk('web', 1)
  await addDisk('db', 2)
  const { api } = at
  const secret = join(at.home, 'secrets', 'copies')
  writeFileSync(secret, `${passphrase}\n`, { mode: 0o600 })
  for (const site of names) {
    mkdirSync(imagesOf(site), { recursive: true })
    mkdirSync(join(homeOf(site), 'secrets'), { recursive: true, mode: 0o700 })
    const path = { params: { path: { name: site } } }
    const proxy = { url: proxies[site].url, except: [] }
    await ask(api.PUT('/sites/{name}', { ...path, body: { handsSecrets: true, proxy } }))
    const { token } = await ask(api.POST('/sites/{name}/tokens', { ...path, body: { days: 1 } }))
    writeFileSync(join(homeOf(site), 'secrets', 'site-token'), `${token}\n`, { mode: 0o600 })
    const hypervisor = { platform: 'image', address: imagesOf(site), options: {}, site, credentialRef: '' } as const
    await ask(api.POST('/hypervisors', { body: { ...hypervisor, name: `${site}-files` } }))
  }
  const main = { name: 'main', location: { kind: 'posix', path: join(placeOf('lyon'), 'repository') } as const }
  for (const one of [main, { name: 'offsite', location: offsite, standsAt: 'paris' }])
    await ask(api.POST('/repositories', { body: { ...one, site: 'lyon', credentialRef: `file:${secret}` } }))
  for (const site of names) workers.set(site, startWorker(site, site))
  for (const site of names) {
    await eventually(
      `the worker of ${site}`,
      async () => {
        const { workers: seen } = await ask(api.GET('/sites/{name}', { params: { path: { name: site } } }))
        return seen.some(({ identity }) => identity === `mover-${site}`)
      },
      120_000,
    )
  }
  intruder = startWorker('lyon', 'paris')
  const { exitCode } = await eventually('the end of the intruder', () =>
    intruder?.exitCode === null ? null : intruder,
  )
  expect(exitCode).toBe(1)
  const found = await ask(api.POST('/sites/{name}/test', { params: { path: { name: 'lyon' } } }))
  expect(found).toMatchObject({ state: 'ok', worker: 'mover-lyon' })
  expect(proxies.lyon.seen).toContain(new URL(front.endpoint).host)
  expect(proxies.paris.seen).toEqual([])
  await ask(api.POST('/hypervisors/{id}/discover', { params: { path: { id: 'lyon-files' } } }))
})

let first: string
test('a copy into S3 waits while the proxy of the site refuses, and goes through it when it no longer does', async () => {
  first = await backUp('web')
  const { lyon } = proxies
  lyon.refuse(true)
  const { runId } = await mirror()
  await eventually('the refusals of the proxy', () => lyon.refused > 2, 180_000)
  expect((await readRunbook(at.api, runId))?.endedMs).toBeNull()
  expect(await copiesOf(first)).not.toContainEqual(expect.objectContaining({ repositoryId: 'offsite', state: 'done' }))
  const before = lyon.bytes.there
  lyon.refuse(false)
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  // Sealed, all that the disk holds: nothing of it went another way.
  expect(lyon.bytes.there - before).toBeGreaterThan(written)
  expect(await copiesOf(first)).toContainEqual(expect.objectContaining({ repositoryId: 'offsite', state: 'done' }))
})

let second: string
test('a copy that came by post is found, read back and not sent over the line', async () => {
  second = await backUp('db')
  const pair = { params: { path: { source: 'main', target: 'offsite' } } }
  const body = { untilMs: Date.now() + 86_400_000, note: 'disk 7, courier' }
  await ask(at.api.PUT('/mirrors/{source}/{target}/shipment', { ...pair, body }))
  // At lyon: a repository of its own on the medium, filled from the first one.
  const secret = { kind: 'passphrase', passphrase } as const
  const medium = (site: string) => ({ kind: 'posix', path: join(placeOf(site), 'seed') }) as const
  const seedSecret = { kind: 'passphrase', passphrase: 'of the medium' } as const
  await createRepository({ location: medium('lyon'), passphrase: 'of the medium', argon2: { m: 19_456, t: 2, p: 1 } })
  const open = (location: ReturnType<typeof parseLocation>, by: typeof secret, name: string) =>
    openRepository({ location, secret: by, cacheDir: join(folder, 'cache', name), threads: 1 })
  const copy = async (
    from: Awaited<ReturnType<typeof open>>,
    to: Awaited<ReturnType<typeof open>>,
  ): Promise<readonly string[]> => {
    const { points } = await mirrorRepository(from, to, { all: true, signal, onProgress: () => undefined })
    return points.map(({ outcome }) => outcome)
  }
  {
    await using from = await open({ kind: 'posix', path: join(placeOf('lyon'), 'repository') }, secret, 'main')
    await using to = await open(medium('lyon'), seedSecret as never, 'seed')
    expect((await copy(from, to)).filter((outcome) => outcome === 'mirrored').length).toBeGreaterThanOrEqual(2)
  }
  renameSync(medium('lyon').path, medium('paris').path)
  // At paris: from the medium into the store, which has the first point already. Nothing of lyon is asked.
  const sent = proxies.lyon.bytes.there
  {
    await using from = await open(medium('paris'), seedSecret as never, 'seed-there')
    await using to = await open(offsite, secret, 'offsite')
    const outcomes = await copy(from, to)
    expect([outcomes.includes('mirrored'), outcomes.includes('failed')]).toEqual([true, false])
  }
  rmSync(medium('paris').path, { recursive: true })
  await done(at.api.DELETE('/mirrors/{source}/{target}/shipment', pair))
  const { runId } = await mirror()
  expect((await waitForEnd(at.api, runId)).state).toBe('completed')
  const { summary } = await ask(at.api.GET('/runs/{run}', { params: { path: { run: runId } } }))
  expect(summary).toMatch(/^0 points copied.*1 there already/)
  expect(await copiesOf(second)).toContainEqual(expect.objectContaining({ repositoryId: 'offsite', state: 'done' }))
  expect(proxies.lyon.bytes.there - sent).toBeLessThan(written / 2)
})

test('when the first site is lost the other one reaches the store by its own way, and restores with its own names', async () => {
  const { api } = at
  const wanted = { web: await diskOf('lyon', 'web'), db: await diskOf('lyon', 'db') }
  await stop('lyon')
  renameSync(placeOf('lyon'), `${placeOf('lyon')}.burnt`)
  const target = { kind: 'new', hypervisorId: 'paris-files', name: 'web' } as const
  const wish = { pointId: first, repositoryId: 'offsite', target } as never
  const refused = await api.POST('/restores', { body: wish })
  expect(JSON.stringify(refused.error)).toContain('is reached from lyon')
  await ask(
    api.PUT('/sites/{name}/maps/{to}', {
      params: { path: { name: 'lyon', to: 'paris' } },
      body: { networks: [], storages: [{ from: '*', to: 'raw' }] },
    }),
  )
  const offsiteOf = { params: { path: { id: 'offsite' } } }
  const moved = await ask(api.PATCH('/repositories/{id}', { ...offsiteOf, body: { site: 'paris' } }))
  expect(moved).toMatchObject({ site: 'paris', standsAt: null, test: null })
  expect(await ask(api.POST('/repositories/{id}/test', offsiteOf))).toMatchObject({ state: 'ok' })
  for (const [pointId, vm] of [
    [first, 'web'],
    [second, 'db'],
  ] as const) {
    const back = proxies.paris.bytes.back
    const body = { pointId, repositoryId: 'offsite', target: { ...target, name: vm } } as never
    await waitForCompletion(api, (await ask(api.POST('/restores', { body }))).runId)
    const restored = await diskOf('paris', vm)
    expect(restored.sha256).toBe(wanted[vm].sha256)
    expect(restored.name).toMatch(/\.raw$/)
    expect(proxies.paris.bytes.back - back).toBeGreaterThan(written)
  }
})
