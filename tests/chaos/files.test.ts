/**
 * Files of a point while what has it open is killed. Each scenario ends with the content, and with nothing left: no
 * machine, no socket.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask, done } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitForCompletion, waitForEnd } from '../../cli/demo/index.ts'
import { makeWorld, type World } from '../support/world.ts'

const tuning = { moverHeartbeatMs: 10_000 }
const fileBytes = 4_000_000
let world: World
let pointId: string
let sums: ReadonlyMap<string, string>

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: GiB, raw: 128 * MiB } })
  await world.guest.shell(
    `for i in 1 2 3; do head -c ${fileBytes} /dev/urandom > /data/0/file-$i; done; mkdir -p /data/1/deep; echo letter > /data/1/deep/letter; sync`,
    600_000,
  )
  const out = await world.guest.shell('cd /data/0 && sha256sum file-*')
  sums = new Map(
    out
      .trim()
      .split('\n')
      .map((line) => [line.slice(66).trim(), line.slice(0, 64)]),
  )
  const runId = await startBackup(world.at, world.vm.id, { mode: 'full', tuning })
  pointId = (await finishBackup(world.at, world.vm.id, runId)).point.id
})
afterAll(async () => await world?.end())

interface Opened {
  readonly runId: string
  readonly session: string
  readonly tookMs: number
}

async function open(): Promise<Opened> {
  const begun = performance.now()
  const body = { pointId, disks: null, idleMinutes: 15, reason: 'test', tuning }
  const { runId, workflowId } = await ask(world.at.api.POST('/files', { body }))
  const session = workflowId.slice('files/'.length)
  await untilOpen(session)
  return { runId, session, tookMs: Math.round(performance.now() - begun) }
}

async function untilOpen(session: string): Promise<void> {
  const params = { path: { session } }
  const look = async (): Promise<number> =>
    world.at.api.GET('/files/{session}/volumes', { params }).then(
      ({ response }) => response.status,
      () => 0,
    )
  await expect.poll(look, { timeout: 180_000, interval: 200 }).toBe(200)
}

async function holdsTheFiles(session: string): Promise<void> {
  const { items } = await ask(world.at.api.GET('/files/{session}/volumes', { params: { path: { session } } }))
  const [first, second] = items.filter(({ state }) => state === 'files')
  if (first === undefined || second === undefined) throw new Error(JSON.stringify(items))
  for (const [name, sum] of sums) {
    const query = { volume: first.id, path: `/${name}` }
    const body = await ask(
      world.at.api.GET('/files/{session}/content', { params: { path: { session }, query }, parseAs: 'arrayBuffer' }),
    )
    const bytes = Buffer.from(body)
    expect(createHash('sha256').update(bytes).digest('hex'), name).toBe(sum)
  }
  const query = { volume: second.id, path: '/', q: 'LETTER' }
  const found = await ask(world.at.api.GET('/files/{session}/search', { params: { path: { session }, query } }))
  expect(found.items.map(({ path }) => path)).toEqual(['/deep/letter'])
}

async function end(session: string): Promise<void> {
  await done(world.at.api.POST('/files/{session}/end', { params: { path: { session } }, body: { reason: 'test' } }))
}

/** Machines of this session, by what they were started with. */
function machines(session: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return words[0]?.endsWith('qemu-system-x86_64') && words.some((word) => word.endsWith(session))
      } catch (error) {
        if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
        throw error
      }
    })
}

async function nothingIsLeft(session: string): Promise<void> {
  await expect.poll(() => machines(session), { timeout: 10_000 }).toEqual([])
  expect(existsSync(join(world.home, 'files', `${session}.sock`))).toBe(false)
}

test('files are read out of a point, and nothing is left when the session is ended', async () => {
  const { runId, session, tookMs } = await open()
  console.log(`open after ${tookMs} ms, from the request on`)
  await holdsTheFiles(session)
  expect(machines(session)).toHaveLength(1)
  await end(session)
  expect(await waitForCompletion(world.at.api, runId)).toBeTruthy()
  await nothingIsLeft(session)
  const { response } = await world.at.api.GET('/files/{session}/volumes', { params: { path: { session } } })
  expect(response.status).toBe(409)
})

test('a worker that is killed takes its machine along, and the next one opens the same session', async () => {
  const { runId, session } = await open()
  await holdsTheFiles(session)
  const [pid] = machines(session)
  world.at.kill('worker')
  await expect.poll(() => machines(session).includes(pid ?? 0), { timeout: 5_000 }).toBe(false)
  await untilOpen(session)
  await holdsTheFiles(session)
  await end(session)
  await waitForCompletion(world.at.api, runId)
  await nothingIsLeft(session)
})

test('server and Temporal that are killed take nothing along: the same machine answers when they are back, and is closed', async () => {
  const { runId, session } = await open()
  const before = machines(session)
  const engine = world.at.kill('temporal')
  world.at.kill('server')
  await untilOpen(session)
  await holdsTheFiles(session)
  expect(machines(session)).toEqual(before)
  expect(world.at.pid('temporal')).not.toBe(engine)
  await end(session)
  await waitForCompletion(world.at.api, runId)
  await nothingIsLeft(session)
})

test('files that go back into the guest arrive whole although the mover is killed on the way', async () => {
  const { guest, at } = world
  const { runId, session } = await open()
  const params = { path: { session } }
  const { items } = await ask(at.api.GET('/files/{session}/volumes', { params }))
  const volume = items.find(({ state }) => state === 'files')?.id ?? ''
  const disk = join(guest.dir, guest.description.disks[0]?.file ?? '')
  const allocated = (): number => 512 * statSync(disk).blocks
  const before = allocated()
  const body = {
    ...{ volume, paths: [...sums.keys()].map((name) => `/${name}`), reason: 'test', tuning },
    to: { kind: 'folder' as const, folder: '/data/0/back' },
  }
  const restore = await ask(at.api.POST('/files/{session}/restore', { params, body }))
  // The first of three is on the disk: the guest syncs each.
  await expect.poll(() => allocated() - before, { timeout: 120_000, interval: 20 }).toBeGreaterThan(fileBytes)
  at.kill('worker')
  const book = await waitForCompletion(at.api, restore.runId)
  const write = book.phases.flatMap(({ steps }) => steps).find(({ id }) => id === 'write')
  expect(write?.attempts.length).toBeGreaterThan(1)
  expect(write?.result).toMatchObject({ files: 3, verified: 3, skippedCount: 0 })
  const there = await guest.shell('cd /data/0/back && sha256sum file-*; find /data -name ".holdfast-*"')
  expect(there.trim().split('\n')).toEqual([...sums].map(([name, sum]) => `${sum}  ${name}`))
  await end(session)
  await waitForCompletion(at.api, runId)
  await nothingIsLeft(session)
})

test('a machine that is killed is started again; a run that is cancelled closes it', async () => {
  const { runId, session } = await open()
  const [pid] = machines(session)
  process.kill(pid ?? 0, 'SIGKILL')
  await expect.poll(() => machines(session).some((other) => other !== pid), { timeout: 60_000 }).toBe(true)
  await untilOpen(session)
  await holdsTheFiles(session)
  await done(world.at.api.POST('/runs/{run}/cancel', { params: { path: { run: runId } }, body: { reason: 'test' } }))
  await waitForEnd(world.at.api, runId)
  await nothingIsLeft(session)
})
