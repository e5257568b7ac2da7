/**
 * The day on which the machine is gone: an installation with images, runs and points loses its whole HOLDFAST_HOME. One
 * repository and its recovery key bring it back, a point restores byte by byte, and the next backup is incremental.
 */
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type ApiClient } from '../../cli/client/index.ts'
import { Installation, waitForCompletion } from '../../cli/demo/index.ts'
import { eventually } from '../../server/testing/workflows.ts'
import { runProgram } from '../../drivers/transport/index.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
let folder: string
let at: Installation | undefined
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'hf-own-'))))
afterAll(async () => {
  await at?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const images = (): string => join(folder, 'vms')
const disk = (vm: string): string => join(images(), vm, 'disk0.qcow2')
const home = (): string => join(folder, 'h')

async function write(value: number, from: number, length: number): Promise<void> {
  const { out, err } = await runProgram('qemu-io', [
    '-f',
    'qcow2',
    '-c',
    `write -P ${value} ${from} ${length}`,
    disk('web'),
  ])
  if (/failed|error/i.test(out + err)) throw new Error(out + err)
}

/** SHA-256 of the disk as a guest would read it. */
async function contentOf(vm: string): Promise<string> {
  const raw = join(folder, 'content.raw')
  const name = readdirSync(join(images(), vm)).find((file) => /\.(qcow2|raw)$/.test(file)) ?? 'disk0.qcow2'
  await runProgram('qemu-img', ['convert', '-U', '-O', 'raw', join(images(), vm, name), raw])
  return createHash('sha256').update(readFileSync(raw)).digest('hex')
}

async function backUp(api: ApiClient): Promise<{ runId: string; point: string }> {
  const { runId } = await ask(
    api.POST('/vms/{id}/backups', { params: { path: { id: 'web' } }, body: { repositoryId: 'main' } as never }),
  )
  await waitForCompletion(api, runId)
  const run = await ask(api.GET('/runs/{run}', { params: { path: { run: runId } } }))
  return { runId, point: run.pointId ?? '' }
}

const often = {
  where: [{ field: 'name', is: ['web'] }],
  timeZone: 'Europe/Paris',
  schedule: { kind: 'every', everyMs: 60_000 },
  targets: [{ repository: 'main', copy: 'backup', keep: { daily: 7 } }],
}

async function putPlan(api: ApiClient, over: { paused: boolean; revision: number }): Promise<void> {
  await ask(api.PUT('/plans/{id}', { params: { path: { id: 'often' } }, body: { ...often, ...over } as never }))
}

/** The history follows the end of its run within seconds. */
async function archived(runId: string): Promise<void> {
  await eventually(
    'the history in the catalog',
    () => {
      const catalog = new Database(join(home(), 'catalog.db'), { readonly: true })
      try {
        return catalog.prepare('SELECT 1 FROM histories WHERE run_id = ?').get(runId) !== undefined
      } finally {
        catalog.close()
      }
    },
    120_000,
  )
}

async function holdfast(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    env: { ...process.env, HOLDFAST_HOME: home() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, out, err }
}

test('a lost installation comes back from its repository and one key, and goes on', async () => {
  mkdirSync(join(images(), 'web'), { recursive: true })
  await runProgram('qemu-img', ['create', '-f', 'qcow2', disk('web'), String(24 * MiB)])
  await write(1, 0, 8 * MiB)
  at = await Installation.start({ home: home() })
  const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
  await at.addHypervisor({ name: 'files', platform: 'image', address: images(), options: { scope } })
  const repository = await at.addRepository('main', join(folder, 'repository'))
  const first = await backUp(at.api)
  const lost = await contentOf('web')
  const book = await ask(at.api.GET('/runs/{run}/runbook', { params: { path: { run: first.runId } } }))

  // Paused, so that it makes no point before it has to.
  await putPlan(at.api, { paused: true, revision: 0 })
  await archived(first.runId)
  // The worker dies while the catalog is on its way: what was begun is finished by the next one.
  const id = { params: { path: { id: 'main' } } }
  const making = ask(at.api.POST('/repositories/{id}/own-backup', id))
  at.kill('worker')
  expect(await making).toMatchObject({ state: 'ok', versions: 1 })

  // A point that is newer than the copy of the catalog.
  await write(2, 12 * MiB, MiB)
  const second = await backUp(at.api)
  const uuid = (await ask(at.api.GET('/session', {}))).installation.id
  await at.crash()
  at = undefined
  rmSync(home(), { recursive: true })

  const key = join(folder, 'recovery.key')
  writeFileSync(key, `${repository.recoveryKey}\n`, { mode: 0o600 })
  const open = ['rebuild', '--repository', repository.path, '--recovery-key-file', key]
  const dry = await holdfast(...open, '--dry-run', '--json')
  expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, reconciled: [{ added: 1, gone: 0 }] })
  const { code, out } = await holdfast(...open, '--json')
  expect(code).toBe(3)
  const report = JSON.parse(out) as { missing: { id: string; ref: string }[] }
  expect(report).toMatchObject({
    installation: { uuid },
    reconciled: [{ repositoryId: 'main', added: 1, gone: 0, newVms: 0 }],
  })
  // What it lists is all that a person has to put back.
  expect(report.missing.map(({ id: of }) => of)).toEqual(['main'])
  const path = (report.missing[0]?.ref ?? '').slice('file:'.length)
  writeFileSync(path, `${repository.passphrase}\n`, { mode: 0o600 })

  at = await Installation.start({ home: home() })
  const { items } = await ask(at.api.GET('/vms/{id}/points', { params: { path: { id: 'web' }, query: { limit: 9 } } }))
  expect(items.map(({ id: of }) => of)).toEqual([second.point, first.point])
  const plan = await ask(at.api.GET('/plans/{id}', { params: { path: { id: 'often' } } }))
  expect(plan).toMatchObject({ ...often, paused: true, vms: 1 })
  const after = await ask(at.api.GET('/runs/{run}/runbook', { params: { path: { run: first.runId } } }))
  expect({ ...after, facts: null }).toEqual({ ...book, facts: null })

  const { runId } = await ask(
    at.api.POST('/restores', {
      body: { pointId: first.point, target: { kind: 'new', hypervisorId: 'files', name: 'web-back' } } as never,
    }),
  )
  await waitForCompletion(at.api, runId)
  expect(await contentOf('web-back')).toBe(lost)

  await write(3, 20 * MiB, MiB)
  // The schedule is put into the new Temporal by the server, and starts the next backup.
  await putPlan(at.api, { paused: false, revision: plan.revision })
  const web = { params: { path: { id: 'web' }, query: { limit: 9 } } }
  let made: string | undefined
  await eventually(
    'a point by the plan',
    async () => {
      const { items: now } = at === undefined ? { items: [] } : await ask(at.api.GET('/vms/{id}/points', web))
      made = now.find(({ origin }) => origin === 'scheduled')?.id
      return made !== undefined
    },
    150_000,
  )
  const point = await ask(at.api.GET('/points/{id}', { params: { path: { id: made ?? '' } } }))
  expect(point.disks.map(({ mode, why }) => [mode, why])).toEqual([['incremental', '']])
})
