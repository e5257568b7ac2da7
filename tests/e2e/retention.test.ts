/**
 * Retention as an operator meets it, in a whole Holdfast with its own engine, mover and repository: the refusal while the
 * manual quota is full, a sweep that is too large, an approval, a hold that comes in between, and a removal by hand.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { Installation, waitFor, waitForCompletion, waitForEnd } from '../../cli/demo/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { eventually } from '../../server/testing/workflows.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
let folder: string
let at: Installation
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hf-ret-'))
  const images = join(folder, 'vms')
  const disk = join(images, 'web', 'disk0.qcow2')
  mkdirSync(join(images, 'web'), { recursive: true })
  await runProgram('qemu-img', ['create', '-f', 'qcow2', disk, String(8 * MiB)])
  await runProgram('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 0 2M', disk])
  at = await Installation.start({ home: join(folder, 'h') })
  await at.addHypervisor({ name: 'files', platform: 'image', address: images, options: { scope } })
  await at.addRepository('main', join(folder, 'repository'))
})
afterAll(async () => {
  await at?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

async function holdfast(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, '--server', at.url, ...args], {
    env: { ...process.env, HOLDFAST_HOME: at.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, out, err }
}
const keep = (manual: number): Promise<unknown> =>
  ask(at.api.PATCH('/vms/{id}', { params: { path: { id: 'web' } }, body: { override: { keep: { last: 9, manual } } } }))
/** Newest first. */
const pointsOfVm = async (): Promise<string[]> =>
  (await ask(at.api.GET('/vms/{id}/points', { params: { path: { id: 'web' }, query: { limit: 20 } } }))).items.map(
    ({ id }) => id,
  )
const sweepOf = (run: string): Promise<Schemas['Sweep']> =>
  ask(at.api.GET('/sweeps/{run}', { params: { path: { run } } }))
const start = async (body: Partial<Schemas['SweepRequest']>): Promise<string> =>
  (await ask(at.api.POST('/repositories/{id}/sweeps', { params: { path: { id: 'main' } }, body }))).runId

let points: string[] = []

test('a manual backup is refused in plain words while the manual quota is full; one for a release has a count of its own', async () => {
  await keep(3)
  for (let n = 0; n < 3; n += 1) {
    const { runId } = await ask(at.api.POST('/vms/{id}/backups', { params: { path: { id: 'web' } }, body: {} }))
    await waitForCompletion(at.api, runId)
  }
  const full = await holdfast('backup', 'web')
  expect(full.code).toBe(5)
  expect(full.err).toContain('web has 3 points made by hand, and its policy keeps 3 in main')
  expect(await pointsOfVm()).toHaveLength(3)
  const { runId } = await ask(
    at.api.POST('/vms/{id}/backups', { params: { path: { id: 'web' } }, body: { origin: 'publish' } }),
  )
  await waitForCompletion(at.api, runId)
  points = await pointsOfVm()
  expect(points).toHaveLength(4)
})

test('a sweep that would take too much stops, says of what, and takes nothing of it when nobody agrees', async () => {
  await keep(1)
  const runId = await start({ graceMs: 0, approveWithinMs: 10_000, maxShare: 0.4 })
  const waiting = await waitFor(at.api, runId, ({ state }) => state === 'waiting')
  expect(waiting.sentence).toContain('2 points to be removed, 2 of the 4 of web among them')
  expect(await sweepOf(runId)).toMatchObject({ waitsFor: 'approval', points: 4, going: 2, asking: 1 })
  const { sentence } = await waitForEnd(at.api, runId)
  expect(sentence).toContain('0 of 4 points removed, 2 kept by a later look')
  expect(await sweepOf(runId)).toMatchObject({ state: 'completed', removed: 0 })
  expect(await pointsOfVm()).toEqual(points)
  const shown = await holdfast('retention', 'show', 'main')
  expect(shown.out).toContain('asks: web would lose 2 of 4 points')
})

test('what is held while the plan waits stays; the rest goes with its rule and its reason in the audit', async () => {
  const runId = await start({ graceMs: 600_000, maxShare: 1, collect: 'always', waits: 'none' })
  const sweep = await eventually('the grace time', async () => {
    const query = { repositoryId: 'main', limit: 1 }
    const [found] = (await ask(at.api.GET('/sweeps', { params: { query } }))).items
    return found?.runId === runId && found.state === 'waiting' ? found : undefined
  })
  expect(sweep).toMatchObject({ waitsFor: 'grace', going: 2, asking: 0 })
  const [, , held = '', ...gone] = points
  const pinned = await holdfast('point', 'pin', 'web', held, '--reason', 'case 4711')
  expect([pinned.code, pinned.err]).toEqual([0, ''])
  const body = { digest: sweep.digest, reason: 'looked at it' }
  await ask(at.api.POST('/sweeps/{run}/approve', { params: { path: { run: runId } }, body }))
  const book = await waitForEnd(at.api, runId)
  expect([book.state, book.sentence]).toEqual([
    'completed',
    expect.stringContaining('1 of 4 points removed, 1 kept by a later look'),
  ])
  expect(await sweepOf(runId)).toMatchObject({ removed: 1, refused: 0, spared: 1 })
  expect(await pointsOfVm()).toEqual(points.slice(0, 3))
  const { out } = await holdfast('retention', 'audit', 'main')
  const rows = out.trim().split(/\r?\n/).slice(1)
  expect(rows).toHaveLength(4)
  for (const id of gone) {
    const row = rows.find((line) => line.includes(id))
    expect(row).toContain('no rule of set for web keeps it')
    expect(row).toContain('"9 last, 1 manual, 2 publish (UTC)",removed')
    const response = await at.api.GET('/points/{id}', { params: { path: { id } } })
    expect(response.response.status).toBe(404)
    expect(JSON.stringify(response.error)).toContain('no rule of set for web keeps it')
  }
  expect(rows.find((line) => line.includes(held))).toContain('kept since the plan: held')
})

test('a point that a person removes is refused with the rule or the hold that keeps it', async () => {
  const [newest = '', ruled = '', held = ''] = points
  const remove = (id: string) => holdfast('point', 'rm', 'web', id, '--confirm', 'web', '--reason', 'test')
  expect((await remove(newest)).err).toContain('kept by newest')
  expect((await remove(held)).err).toContain('kept by held')
  expect((await holdfast('point', 'release', 'web', held)).code).toBe(0)
  expect(await remove(held)).toMatchObject({ code: 0 })
  // The one that is left is counted as made by hand only: a person may.
  expect(await remove(ruled)).toMatchObject({ code: 0 })
  expect(await pointsOfVm()).toEqual([newest])
})
