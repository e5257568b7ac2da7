/**
 * A standby on another hypervisor, seeded, brought on under write load, tested, failed over to and back, while the worker is
 * killed in the middle. What it holds is compared with the oracle's own copy of the same instant, byte by byte.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitFor, waitForCompletion, waitForEnd } from '../../cli/demo/index.ts'
import { LabVm, Oracle, startWorkload, stopWorkload } from '../../lab/index.ts'
import { expectIdentical } from '../support/identical.ts'
import { compareStandby } from '../support/standby.ts'
import { makeWorld, type World } from '../support/world.ts'

const tuning = { moverHeartbeatMs: 10_000 }
let world: World
let oracle: Oracle
let paris: string
let id: string

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: 512 * MiB, raw: 64 * MiB } })
  paris = join(world.home, 'p')
  mkdirSync(paris)
  oracle = await Oracle.start({ folder: join(world.home, 'o'), vms: async () => [world.guest.dir, ...standbyDirs()] })
  const { id: hypervisorId } = await world.at.addHypervisor({
    ...{ name: 'paris', platform: 'qemu', address: paris, options: { scope: randomUUID() } },
  })
  const body = { vmId: world.vm.id, hypervisorId, rpoMs: 90_000 }
  id = (await ask(world.at.api.POST('/replications', { body }))).id
})
afterAll(async () => {
  for (const dir of standbyDirs()) await (await LabVm.open(dir)).stop('kill')
  await oracle?.[Symbol.asyncDispose]()
  await world?.end()
})

const standbyDirs = (): string[] =>
  (existsSync(paris) ? readdirSync(paris) : [])
    .map((name) => join(paris, name))
    .filter((dir) => existsSync(join(dir, 'vm.json')))
const look = (): Promise<Schemas['Replication']> =>
  ask(world.at.api.GET('/replications/{id}', { params: { path: { id } } }))
const standby = (): Promise<LabVm> => LabVm.open(join(paris, `${world.vm.name}-standby`))
const pause = (isPaused: boolean): Promise<unknown> =>
  ask(world.at.api.PATCH('/replications/{id}', { params: { path: { id } }, body: { isPaused } }))

async function until(isIt: (one: Schemas['Replication']) => boolean): Promise<Schemas['Replication']> {
  await expect
    .poll(async () => isIt(await look().catch(() => ({}) as never)), { timeout: 240_000, interval: 250 })
    .toBe(true)
  return look()
}
const startCycle = async (full = false): Promise<string> =>
  (
    await ask(
      world.at.api.POST('/replications/{id}/cycle', {
        params: { path: { id } },
        body: { full, reason: 'test', tuning },
      }),
    )
  ).runId
const cycle = async (): Promise<void> => {
  await waitForCompletion(world.at.api, await startCycle())
}
type Move = Schemas['ReplicationMove']['move']
const startMove = async (move: Move): Promise<string> =>
  (
    await ask(
      world.at.api.POST('/replications/{id}/move', {
        params: { path: { id } },
        body: { move, confirmName: world.vm.name, reason: 'test', tuning },
      }),
    )
  ).runId

/** Nothing of it differs from the oracle's copy of its instant. */
async function expectWhole(): Promise<void> {
  const compared = await compareStandby(oracle, (await standby()).dir)
  expect(compared.length).toBeGreaterThan(0)
  for (const one of compared) expect(one).toMatchObject({ identical: true })
}
async function stepIs(runId: string, base: string, state: string): Promise<void> {
  await waitFor(world.at.api, runId, ({ phases }) =>
    phases.flatMap(({ steps }) => steps).some((one) => one.id.startsWith(base) && one.state === state),
  )
}

test('is seeded and follows by itself within its promise under write load, beside backups that stay incremental', async () => {
  await until(({ state }) => state === 'following')
  await pause(true)
  await until(({ doing }) => doing === null)
  await expectWhole()
  const first = await startBackup(world.at, world.vm.id, {
    mode: 'auto',
    tuning,
    repositoryId: world.repository.row.id,
  })
  await finishBackup(world.at, world.vm.id, first)
  await pause(false)
  await startWorkload(world.guest, { rate: 4096 })
  const seen = new Set<number>()
  let worst = 0
  for (const end = Date.now() + 150_000; Date.now() < end;) {
    const { headMs, lagMs } = await look()
    seen.add(headMs ?? 0)
    worst = Math.max(worst, lagMs ?? 0)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  const second = await startBackup(world.at, world.vm.id, {
    mode: 'auto',
    tuning,
    repositoryId: world.repository.row.id,
  })
  const backup = await finishBackup(world.at, world.vm.id, second)
  await stopWorkload(world.guest)
  await pause(true)
  await until(({ doing }) => doing === null)
  console.log(`cycles ${seen.size}, worst lag ${worst} ms`)
  expect(seen.size).toBeGreaterThan(2)
  expect(worst).toBeLessThan(90_000)
  expect(backup.point.disks.map(({ mode }) => mode)).toEqual(['incremental', 'incremental'])
  await expectIdentical(world, backup, oracle)
  await expectWhole()
})

test('a worker killed in the middle of a cycle: the standby holds the last whole state, and then the next', async () => {
  const before = await look()
  await world.guest.shell(`head -c ${160 * MiB} /dev/urandom > /data/0/large; sync`, 300_000)
  const runId = await startCycle()
  await stepIs(runId, 'copy:', 'running')
  world.at.kill('worker')
  expect((await look()).headMs).toBe(before.headMs)
  await waitForCompletion(world.at.api, runId)
  expect((await look()).headMs).toBeGreaterThan(before.headMs ?? 0)
  await expectWhole()
})

test('the tenth link is a new seed', async () => {
  for (let { links } = await look(); links < 9; links += 1) await cycle()
  expect((await look()).links).toBe(9)
  await expectWhole()
  await cycle()
  const { links, cycleBytes } = await look()
  expect(links).toBe(1)
  expect(cycleBytes).toBeGreaterThan(160 * MiB)
  await expectWhole()
  const { dir } = await standby()
  expect(readdirSync(dir).filter((name) => name.endsWith('.qcow2'))).toHaveLength(2)
})

test('a test boots a copy that reaches nothing, while the standby goes on to follow, and leaves nothing', async () => {
  const before = readdirSync(paris)
  const { runId } = await ask(
    world.at.api.POST('/replications/{id}/test', { params: { path: { id } }, body: { holdMs: 0, limitMs: 240_000 } }),
  )
  await cycle()
  await waitForCompletion(world.at.api, runId)
  expect(await look()).toMatchObject({ testOutcome: 'answered', state: 'following' })
  expect(readdirSync(paris)).toEqual(before)
  await expectWhole()
})

test('a planned failover loses nothing, also when the worker is killed in its middle; nothing else is allowed then', async () => {
  await world.guest.shell('head -c 3000000 /dev/urandom > /data/0/last; sync; md5sum /data/0/last > /data/0/sum; sync')
  const sum = await world.guest.shell('cat /data/0/sum')
  const runId = await startMove('planned')
  await stepIs(runId, 'power-off', 'done')
  world.at.kill('worker')
  await waitForCompletion(world.at.api, runId)
  expect(await look()).toMatchObject({ state: 'failed-over', fence: 'off', lostMs: 0, lagMs: null })
  expect(await world.guest.running()).toBeNull()
  await expectWhole()
  const vm = await standby()
  await vm.ready()
  expect(await vm.shell('cat /data/0/sum && md5sum -c /data/0/sum')).toBe(`${sum}/data/0/last: OK\n`)
  for (const move of ['planned', 'remove'] as const) await expect(startMove(move)).rejects.toThrow(/has taken over/)
  await expect(startCycle()).rejects.toThrow(/has taken over/)
})

test('a failback brings back what was written meanwhile, and the standby follows again', async () => {
  const there = await standby()
  await there.shell('head -c 5000000 /dev/urandom > /data/0/there; md5sum /data/0/there > /data/0/sum; sync')
  const runId = await startMove('failback')
  await stepIs(runId, 'open-source', 'done')
  world.at.kill('worker')
  await waitForCompletion(world.at.api, runId)
  expect(await look()).toMatchObject({ state: 'following' })
  expect(await there.running()).toBeNull()
  const back = await LabVm.open(world.guest.dir)
  await back.ready()
  expect(await back.shell('md5sum -c /data/0/sum')).toBe('/data/0/there: OK\n')
  await cycle()
  expect((await look()).links).toBe(1)
  await expectWhole()
})

test('an unplanned failover starts the last whole state at once, and says what is missing from it', async () => {
  const source = await LabVm.open(world.guest.dir)
  await source.shell('echo lost > /data/0/lost; sync')
  await waitForCompletion(world.at.api, await startMove('unplanned'))
  const { state, fence, lostMs } = await look()
  expect([state, fence]).toEqual(['failed-over', 'off'])
  expect(lostMs).toBeGreaterThan(0)
  expect(await source.running()).toBeNull()
  const vm = await standby()
  await vm.ready()
  expect(await vm.shell('md5sum -c /data/0/sum; ls /data/0/lost 2>&1 || true')).toMatch(/there: OK[^]*No such file/)
  const book = await waitForEnd(world.at.api, await startMove('accept'))
  expect(book.state).toBe('completed')
  expect(await vm.running()).not.toBeNull()
  await expect(look()).rejects.toThrow(/no replication/)
})
