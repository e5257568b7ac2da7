/**
 * A guest that runs from a repository while what serves it is killed, stalls or goes away. Each scenario ends with the
 * content: what the guest reads, and what lies on the hypervisor once it was migrated.
 */
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitForCompletion, waitForEnd } from '../../cli/demo/index.ts'
import { runProgram } from '../../drivers/transport/index.ts'
import { findLabVm, LabVm } from '../../lab/index.ts'
import { S3Lab } from '../../lab/stores/index.ts'
import { createRepository, parseLocation } from '../../repository/index.ts'
import { guestsOf } from '../support/processes.ts'
import { StallProxy } from '../support/stall-proxy.ts'
import { makeWorld, type World } from '../support/world.ts'

const tuning = { moverHeartbeatMs: 10_000 }
const files = 12
let world: World
let s3: S3Lab
let proxy: StallProxy
let pointId: string
let s3PointId: string
let sums: string
/** Lies beside the raw disk as it was at the first point. */
let image: (disk: string) => Promise<string>
let endOracle: () => Promise<void>

const md5 = 'md5sum /data/0/file-* | sort'
const dropCaches = 'echo 3 > /proc/sys/vm/drop_caches'

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: GiB, raw: 128 * MiB } })
  const oracle = await world.startOracle()
  endOracle = () => oracle[Symbol.asyncDispose]()
  await world.guest.shell(
    `for i in $(seq 1 ${files}); do head -c ${8 * MiB} /dev/urandom > /data/0/file-$i; done; sync`,
    600_000,
  )
  sums = await world.guest.shell(md5)
  const backUp = async (repositoryId: string): Promise<string> => {
    const runId = await startBackup(world.at, world.vm.id, { mode: 'full', tuning, repositoryId })
    return (await finishBackup(world.at, world.vm.id, runId)).point.id
  }
  pointId = await backUp(world.repository.row.id)
  image = (disk) => oracle.image(pointId, disk)

  s3 = await S3Lab.start('seaweedfs')
  proxy = await StallProxy.start(Number(new URL(s3.endpoint).port))
  const { url } = await s3.bucket({ prefix: 'r/' })
  const location = parseLocation(url.replace(s3.endpoint, `http://127.0.0.1:${proxy.port}`))
  const passphrase = 'of the tests'
  await createRepository({ location, passphrase })
  const secret = join(world.home, 'secrets', 'repository-s3')
  writeFileSync(secret, `${passphrase}\n`, { mode: 0o600 })
  const body = { name: 's3', site: 'local', location, credentialRef: `file:${secret}` }
  const row = await ask(world.at.api.POST('/repositories', { body }))
  s3PointId = await backUp(row.id)
})
afterAll(async () => {
  proxy?.go()
  await endOracle?.()
  await world?.end()
  await proxy?.[Symbol.asyncDispose]()
  await s3?.[Symbol.asyncDispose]()
})

interface Started {
  readonly runId: string
  readonly vm: LabVm
}

async function look(runId: string): Promise<Schemas['Instant'] | undefined> {
  const { data } = await world.at.api.GET('/instants/{run}', { params: { path: { run: runId } } }).catch(() => ({
    data: undefined,
  }))
  return data
}
async function until(runId: string, isIt: (one: Schemas['Instant']) => boolean): Promise<Schemas['Instant']> {
  return expect
    .poll(
      async () => {
        const one = await look(runId)
        return one !== undefined && isIt(one) ? one : null
      },
      { timeout: 120_000, interval: 100 },
    )
    .not.toBeNull()
    .then(async () => (await look(runId)) as Schemas['Instant'])
}

async function boot(name: string, from = pointId): Promise<Started> {
  const { runId } = await ask(
    world.at.api.POST('/instants', {
      body: {
        pointId: from,
        hypervisorId: world.hypervisor.id,
        name,
        network: 'isolated',
        identity: 'new',
        reason: 'test',
        tuning,
      },
    }),
  )
  await until(runId, ({ state }) => state === 'running')
  const vm = await findLabVm(world.lab, name)
  await vm.ready()
  return { runId, vm }
}
async function migrate(runId: string): Promise<void> {
  await ask(
    world.at.api.POST('/instants/{run}/migrate', { params: { path: { run: runId } }, body: { reason: 'test' } }),
  )
}
async function discard({ runId, vm }: Started): Promise<void> {
  const body = { confirmName: vm.name, reason: 'test' }
  await ask(world.at.api.POST('/instants/{run}/discard', { params: { path: { run: runId } }, body }))
  await waitForCompletion(world.at.api, runId)
  expect(existsSync(vm.dir)).toBe(false)
  expect(await vm.running()).toBeNull()
}
const served = (): string[] => (existsSync(join(world.home, 'served')) ? readdirSync(join(world.home, 'served')) : [])
const ioErrors = (vm: LabVm): Promise<string> => vm.shell("dmesg | grep -ciE 'i/o error|remounting' || true")

test('a worker killed under load: the guest goes on after a pause, is migrated while it runs, and needs nobody', async () => {
  const { runId, vm } = await boot('killed-now')
  const pid = (await vm.running())?.pid
  await vm.shell(
    `(while :; do ${dropCaches}; cat /data/0/file-* | md5sum; echo more >> /data/0/log; sync; done) >/dev/null 2>&1 </dev/null &`,
  )
  for (let kills = 0; kills < 2; kills += 1) {
    world.at.kill('worker')
    await vm.shell(dropCaches, 120_000)
    expect(await vm.shell(md5, 120_000)).toBe(sums)
  }
  await migrate(runId)
  await until(runId, ({ state }) => state === 'migrating' || state === 'migrated')
  world.at.kill('worker')
  await waitForCompletion(world.at.api, runId)
  expect((await vm.running())?.pid).toBe(pid)
  expect(served()).toEqual([])
  expect(await vm.shell(`${dropCaches}; ${md5}`, 120_000)).toBe(sums)
  expect((await ioErrors(vm)).trim()).toBe('0')
  const { description } = await LabVm.open(vm.dir)
  expect(description.opKey).toBeNull()
  expect(description.disks.map(({ backing }) => backing)).toEqual([undefined, undefined])
  await vm.stop('quit')
})

test('what was migrated is what was served and what the guest wrote, byte by byte', async () => {
  const { runId, vm } = await boot('compared-now')
  await vm.shell('head -c 3000000 /dev/urandom > /data/0/new; sync')
  await vm.stop('quit')
  const wanted: [string, string][] = []
  for (const { key, file } of vm.description.disks) {
    const copy = join(world.home, `wanted-${key}.qcow2`)
    copyFileSync(join(vm.dir, file), copy)
    await runProgram('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', await image(key), '-F', 'raw', copy])
    wanted.push([copy, join(vm.dir, file)])
  }
  await migrate(runId)
  await waitForCompletion(world.at.api, runId)
  expect(await vm.running()).toBeNull()
  for (const [copy, file] of wanted) await runProgram('qemu-img', ['compare', '-f', 'qcow2', '-F', 'qcow2', copy, file])
})

test('server and Temporal killed while it runs: nobody loses it, and discarding leaves nothing', async () => {
  const before = readdirSync(world.hypervisor.address).toSorted()
  const started = await boot('discarded-now')
  world.at.kill('temporal')
  world.at.kill('server')
  expect(await started.vm.shell(`${dropCaches}; ${md5}`, 120_000)).toBe(sums)
  const { io, requestedUser, isForgotten } = await until(
    started.runId,
    (one) => one.state === 'running' && one.io !== null && one.io.readBytes > files * 8 * MiB,
  )
  expect(io).toMatchObject({ power: 'running' })
  expect([requestedUser !== '', isForgotten]).toEqual([true, false])
  await discard(started)
  expect(served()).toEqual([])
  expect(readdirSync(world.hypervisor.address).toSorted()).toEqual(before)
})

test('its point cannot be removed while it is served', async () => {
  // The newest point of a repository stays in any case: there has to be a newer one.
  const newer = await startBackup(world.at, world.vm.id, {
    mode: 'auto',
    tuning,
    repositoryId: world.repository.row.id,
  })
  await finishBackup(world.at, world.vm.id, newer)
  const started = await boot('guarded-now')
  const removal = world.at.api.POST('/points/{id}/remove', {
    params: { path: { id: pointId } },
    body: { confirmName: world.vm.name, reason: 'test' },
  })
  const answer = await ask(removal).catch((error: unknown) => String(error))
  await discard(started)
  expect(answer).toContain('kept by being restored')
})

/** A drill out of the repository whose guest looks at every file, and what it must leave as it was. */
async function drillFromRepository(): Promise<{ readonly runId: string; readonly isOver: () => Promise<void> }> {
  const left = () => ({
    guests: guestsOf(world.home),
    folders: readdirSync(world.hypervisor.address).toSorted(),
    served: served(),
  })
  const before = left()
  const script = `${dropCaches}; test "$(${md5})" = '${sums.trim()}'`
  const reads = { title: 'Every file is as it was', path: '/bin/sh', args: ['-c', script], timeoutMs: 120_000 }
  const body = {
    ...{ pointId, from: 'repository' as const, bootTimeoutMs: 120_000, reason: 'test', tuning },
    checks: [{ ...reads, expectExit: 0, count: null }],
  }
  const { runId } = await ask(world.at.api.POST('/drills', { body }))
  await expect.poll(() => guestsOf(world.home).length, { timeout: 120_000 }).toBeGreaterThan(before.guests.length)
  const isOver = async (): Promise<void> => {
    await waitForCompletion(world.at.api, runId)
    const { items } = await ask(world.at.api.GET('/drills', { params: { query: { pointId, limit: 10 } } }))
    expect(items.find(({ run }) => run.runId === runId)).toMatchObject({ verdict: 'passed' })
    expect(left()).toEqual(before)
  }
  return { runId, isOver }
}

test('a drill out of the repository whose worker is killed as its guest boots looks inside all the same, and leaves nothing', async () => {
  const { isOver } = await drillFromRepository()
  world.at.kill('worker')
  await isOver()
})

test('a drill out of the repository outlives server and Temporal: its proof is signed, and nothing is left', async () => {
  const { runId, isOver } = await drillFromRepository()
  const engine = world.at.kill('temporal')
  const server = world.at.kill('server')
  await isOver()
  expect(world.at.pid('temporal')).not.toBe(engine)
  expect(world.at.pid('server')).not.toBe(server)
  const { items } = await ask(world.at.api.GET('/drills', { params: { query: { pointId, limit: 10 } } }))
  const id = items.find(({ run }) => run.runId === runId)?.id ?? ''
  const detail = await ask(world.at.api.GET('/drills/{id}', { params: { path: { id } } }))
  expect(detail.checks.map(({ passed }) => passed)).toEqual([true])
  expect(detail).toMatchObject({ bootedFrom: 'repository', signed: { key: expect.any(String) as string } })
  const book = await ask(world.at.api.GET('/runs/{run}', { params: { path: { run: runId } } }))
  expect(book.residue).toEqual([])
})

test('a drill out of the repository that is cancelled while Temporal, server and worker are dead leaves nothing', async () => {
  const before = { guests: guestsOf(world.home), folders: readdirSync(world.hypervisor.address).toSorted() }
  const { runId } = await drillFromRepository()
  const cancel = { params: { path: { run: runId } }, body: { reason: 'test' } }
  await ask(world.at.api.POST('/runs/{run}/cancel', cancel))
  for (const role of ['worker', 'temporal', 'server'] as const) world.at.kill(role)
  const book = await waitForEnd(world.at.api, runId)
  expect(book).toMatchObject({ state: 'cancelled', residue: [] })
  expect(served()).toEqual([])
  expect({ guests: guestsOf(world.home), folders: readdirSync(world.hypervisor.address).toSorted() }).toEqual(before)
})

test('a store that stalls for 30 seconds: the guest waits, and reads what is there', async () => {
  const started = await boot('stalled-now', s3PointId)
  proxy.stall()
  const read = started.vm.shell(`${dropCaches}; ${md5}`, 300_000)
  await sleep(30_000)
  proxy.go()
  expect(await read).toBe(sums)
  expect((await ioErrors(started.vm)).trim()).toBe('0')
  await migrate(started.runId)
  await waitForCompletion(world.at.api, started.runId)
  await s3.process[Symbol.asyncDispose]()
  expect(await started.vm.shell(`${dropCaches}; ${md5}`, 120_000)).toBe(sums)
  await started.vm.stop('quit')
})

test('a cancelled run is a discarded VM', async () => {
  const { runId, vm } = await boot('cancelled-now')
  await ask(world.at.api.POST('/runs/{run}/cancel', { params: { path: { run: runId } }, body: { reason: 'test' } }))
  const book = await waitForEnd(world.at.api, runId)
  expect(book).toMatchObject({ state: 'cancelled', residue: [] })
  expect(existsSync(vm.dir)).toBe(false)
  expect(served()).toEqual([])
})
