/**
 * A worker on another machine: a process with a home of its own, which does not see the server's home at all. It comes with
 * the token of its site, through a proxy, learns whose it is, is tested, and backs up and restores what is of its site.
 */
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, done } from '../../cli/client/index.ts'
import { Installation, waitForCompletion } from '../../cli/demo/index.ts'
import { runProgram, spawnSupervised } from '../../drivers/transport/index.ts'
import { createRepository } from '../../repository/index.ts'
import { ConnectProxy } from '../../server/testing/connect-proxy.ts'
import { eventually } from '../../server/testing/workflows.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
let folder: string
let at: Installation
let worker: ReturnType<typeof spawnSupervised> | undefined
let proxy: ConnectProxy
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-site-'))
  at = await Installation.start({ home: join(folder, 'server') })
  proxy = await ConnectProxy.start()
})
afterAll(async () => {
  if (worker?.exitCode === null) {
    const gone = new Promise((resolve) => worker?.once('exit', resolve))
    worker.kill('SIGTERM')
    await gone
  }
  await proxy?.[Symbol.asyncDispose]()
  await at?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const images = (): string => join(folder, 'vms')
const far = (): string => join(folder, 'far')

/** SHA-256 of the disk as a guest would read it. */
async function contentOf(vm: string): Promise<string> {
  const raw = join(folder, 'content.raw')
  const name = readdirSync(join(images(), vm)).find((file) => /\.(qcow2|raw)$/.test(file)) ?? 'none'
  await runProgram('qemu-img', ['convert', '-U', '-O', 'raw', join(images(), vm, name), raw])
  return createHash('sha256').update(readFileSync(raw)).digest('hex')
}

/** The server's home is an empty folder to it: what it knows of it, it was told. */
function startWorker(): ReturnType<typeof spawnSupervised> {
  const log = openSync(join(folder, 'worker.log'), 'a', 0o600)
  const temporal = readFileSync(join(at.home, 'temporal', 'port'), 'utf8').trim()
  const env = {
    ...process.env,
    ...{ HOLDFAST_HOME: far(), HOLDFAST_URL: at.url, TEMPORAL_ADDRESS: `127.0.0.1:${temporal}` },
    ...{ HOLDFAST_WORKER_NAME: 'mover-far', HOLDFAST_PROXY: proxy.url },
  }
  const hide = 'mount -t tmpfs none "$1" && shift && exec "$@"'
  const holdfast = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'worker', '--site', 'lyon']
  const args = ['--map-root-user', '--mount', 'sh', '-c', hide, 'sh', at.home, ...holdfast]
  const child = spawnSupervised('unshare', args, 'parent', log, env)
  closeSync(log)
  return child
}

test('a machine with nothing but a token works for its site, and no longer when that is revoked', async () => {
  mkdirSync(join(images(), 'web'), { recursive: true })
  const disk = join(images(), 'web', 'disk0.qcow2')
  await runProgram('qemu-img', ['create', '-f', 'qcow2', disk, String(24 * MiB)])
  await runProgram('qemu-io', ['-f', 'qcow2', '-c', `write -P 7 ${MiB} ${6 * MiB}`, disk])
  const { api } = at
  const lyon = { params: { path: { name: 'lyon' } } }
  await ask(api.PUT('/sites/{name}', { ...lyon, body: { handsSecrets: true } }))
  const token = await ask(api.POST('/sites/{name}/tokens', { ...lyon, body: { days: 1 } }))
  const hypervisor = { platform: 'image', address: images(), options: {}, site: 'lyon', credentialRef: '' } as const
  await ask(api.POST('/hypervisors', { body: { ...hypervisor, name: 'files' } }))
  const secret = join(at.home, 'secrets', 'far')
  const location = { kind: 'posix', path: join(folder, 'repository') } as const
  writeFileSync(secret, 'correct horse battery staple\n', { mode: 0o600 })
  await createRepository({ location, passphrase: 'correct horse battery staple' })
  const repository = { name: 'far', site: 'lyon', location, credentialRef: `file:${secret}` }
  await ask(api.POST('/repositories', { body: repository }))
  expect(await ask(api.GET('/sites/{name}', lyon))).toMatchObject({ state: 'silent', hypervisors: 1, repositories: 1 })

  mkdirSync(join(far(), 'secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(far(), 'secrets', 'site-token'), `${token.token}\n`, { mode: 0o600 })
  worker = startWorker()
  await eventually(
    'the worker of lyon',
    async () => (await ask(api.GET('/sites/{name}', lyon))).workers.some(({ identity }) => identity === 'mover-far'),
    120_000,
  )
  // Nothing goes home past the proxy: neither what it asks the server, nor what it asks Temporal.
  const temporal = readFileSync(join(at.home, 'temporal', 'port'), 'utf8').trim()
  expect(proxy.seen).toEqual(expect.arrayContaining([new URL(at.url).host, `127.0.0.1:${temporal}`]))
  const { installation } = await ask(api.GET('/session', {}))
  expect(JSON.parse(readFileSync(join(far(), 'installation.json'), 'utf8'))).toMatchObject({ uuid: installation.id })

  const found = await ask(api.POST('/sites/{name}/test', lyon))
  expect(found).toMatchObject({ state: 'ok', worker: 'mover-far' })
  expect(found.checks.map(({ kind, id, latencyMs }) => [kind, id, latencyMs !== null])).toEqual([
    ['server', null, true],
    ['hypervisor', 'files', true],
    ['repository', 'far', true],
  ])
  expect((await ask(api.GET('/sites/{name}', lyon))).test).toMatchObject({ state: 'ok', worker: 'mover-far' })

  await ask(api.POST('/hypervisors/{id}/discover', { params: { path: { id: 'files' } } }))
  const path = { params: { path: { id: 'web' } } }
  const backup = await ask(api.POST('/vms/{id}/backups', { ...path, body: { repositoryId: 'far' } as never }))
  await waitForCompletion(api, backup.runId)
  const run = await ask(api.GET('/runs/{run}', { params: { path: { run: backup.runId } } }))
  const target = { kind: 'new', hypervisorId: 'files', name: 'web-back' }
  const restore = await ask(api.POST('/restores', { body: { pointId: run.pointId ?? '', target } as never }))
  await waitForCompletion(api, restore.runId)
  expect(await contentOf('web-back')).toBe(await contentOf('web'))
  // What was asked of the server is on no disk of that machine.
  expect(readdirSync(join(far(), 'secrets'))).toEqual(['site-token'])

  await done(api.DELETE('/sites/{name}/tokens/{token}', { params: { path: { name: 'lyon', token: token.id } } }))
  const after = await ask(api.POST('/sites/{name}/test', lyon))
  expect(after.checks.find(({ kind }) => kind === 'server')?.error).toMatchObject({ code: 'Unauthorized' })
})
