/**
 * A recovery plan of three tiers over real guests: rehearsed while worker, server and Temporal are killed in the middle, a tier
 * that does not come up and the operator's word, refused while an original runs, then run for real with the originals gone. What a guest has on its disks tells whether
 * it came back; what is in the hypervisor's folder, whether anything was left.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask, type Schemas } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitForEnd } from '../../cli/demo/index.ts'
import { findLabVm, LabVm } from '../../lab/index.ts'
import { makeWorld, type World } from '../support/world.ts'

type Report = Schemas['RecoveryRun']
const tuning = { moverHeartbeatMs: 10_000 }
const small = { qcow2: 128 * MiB, raw: null, memory: 160 * MiB }
const names = ['db', 'app', 'web-01']
let world: World
let originals: readonly string[]

beforeAll(async () => {
  const others = names.slice(0, 2).map((name) => ({ name, ...small }))
  world = await makeWorld({ vm: small, others })
  for (const name of names) {
    const guest = world.lab.vms.find((vm) => vm.name === name) as LabVm
    await guest.shell(`echo ${name} > /data/0/role; sync`)
    await ask(world.at.api.GET('/vms/{id}', { params: { path: { id: name } } }))
    const run = await startBackup(world.at, name, {
      ...{ mode: 'auto', tuning, repositoryId: world.repository.row.id },
    })
    await finishBackup(world.at, name, run)
    await setRole(name, name)
  }
  // The disaster: nobody but the repository has them.
  for (const vm of world.lab.vms) await vm.stop('quit')
  originals = vmsThere()
  const spec = {
    name: 'The shop',
    tiers: [
      { key: 'db', members: [{ vmId: 'db' }] },
      { key: 'app', before: [{ title: 'Switch the name servers' }], members: [{ vmId: 'app' }], rtoMs: 1 },
      { key: 'web', members: [{ vmId: 'web-01' }] },
    ],
  }
  await ask(world.at.api.POST('/recovery-plans', { body: spec }))
})
afterAll(async () => {
  for (const name of originals === undefined ? [] : vmsThere())
    if (!originals.includes(name)) await (await LabVm.open(join(world.lab.endpoint.address, name))).stop('kill')
  await world?.end()
})

/** What its disks have to say. */
async function setRole(id: string, role: string): Promise<void> {
  const check = {
    kind: 'command' as const,
    title: 'its role',
    path: '/bin/cat',
    args: ['/data/0/role'],
    pattern: `^${role}$`,
  }
  await ask(world.at.api.PATCH('/vms/{id}', { params: { path: { id } }, body: { drillChecks: [check] } }))
}
const vmsThere = (): string[] =>
  readdirSync(world.lab.endpoint.address).filter((name) =>
    existsSync(join(world.lab.endpoint.address, name, 'vm.json')),
  )
/** Points that somebody holds, as the repository itself has it. */
const held = (): number => {
  const folder = join(world.repository.path, 'hold')
  return existsSync(folder) ? readdirSync(folder).length : 0
}
const look = (run: string): Promise<Report> =>
  ask(world.at.api.GET('/recovery-runs/{run}', { params: { path: { run } } }))

async function until(run: string, isIt: (report: Report) => boolean): Promise<Report> {
  let seen: Report | null = null
  await expect
    .poll(
      async () => {
        seen = await look(run).catch(() => seen)
        return seen !== null && isIt(seen)
      },
      { timeout: 300_000, interval: 250 },
    )
    .toBe(true)
  return seen as unknown as Report
}
const tierOf = ({ tiers }: Report, key: string) => tiers.find((tier) => tier.key === key)
const waits = (key: string, kind: 'step' | 'choice') => (report: Report) => tierOf(report, key)?.waitsFor?.kind === kind

async function start(body: object): Promise<string> {
  const params = { path: { id: 'the-shop' } }
  const wish = { mode: 'rehearse' as const, ...body }
  return (await ask(world.at.api.POST('/recovery-plans/{id}/start', { params, body: wish }))).runId
}
async function answer(run: string, key: string, choice: Schemas['RecoveryChoice']['choice'] | null): Promise<void> {
  const said = { tier: key, wait: tierOf(await look(run), key)?.waitsFor?.id ?? '', reason: 'test' }
  const params = { path: { run } }
  if (choice === null) await ask(world.at.api.POST('/recovery-runs/{run}/approve', { params, body: said }))
  else await ask(world.at.api.POST('/recovery-runs/{run}/choose', { params, body: { ...said, choice } }))
}

test('a rehearsal with worker, server and Temporal killed, one tier failing and tried again: every tier has its time, nothing is left', async () => {
  await setRole('app', 'somebody-else')
  const run = await start({})
  const first = await until(run, waits('app', 'step'))
  expect(tierOf(first, 'db')?.members).toMatchObject([{ state: 'ready', verdict: 'passed' }])
  expect(vmsThere().length).toBe(originals.length + 1)
  await expect.poll(held, { timeout: 60_000 }).toBe(names.length)
  await answer(run, 'app', null)
  await until(run, (report) => tierOf(report, 'app')?.members[0]?.state === 'recovering')
  world.at.kill('worker')
  const failed = await until(run, waits('app', 'choice'))
  expect(tierOf(failed, 'app')?.members).toMatchObject([{ state: 'short', verdict: 'failed' }])
  // Nothing of the next tier was begun, and what came back before stands.
  expect(tierOf(failed, 'web')?.state).toBe('pending')
  world.at.kill('server')
  await setRoleSoon('app', 'app')
  // An answer that was lost may have been heard all the same.
  await expect
    .poll(
      async () => {
        const isAsked = waits('app', 'choice')(await look(run))
        if (isAsked) await answer(run, 'app', 'retry')
        return true
      },
      { timeout: 240_000, interval: 1000 },
    )
    .toBe(true)
  // In the middle of the second attempt: what the engine holds is on its disk, and nobody begins anything twice.
  await until(run, (report) => tierOf(report, 'app')?.members[0]?.attempts === 2)
  const engine = world.at.kill('temporal')
  await waitForEnd(world.at.api, run)
  expect(world.at.pid('temporal')).not.toBe(engine)
  const report = await look(run)
  expect(report).toMatchObject({ state: 'passed', back: 3, vms: 3 })
  expect(report.tiers.map(({ state, isInTime }) => [state, isInTime])).toEqual([
    ['done', null],
    ['done', false],
    ['done', null],
  ])
  const ends = report.tiers.map(({ sinceStartMs }) => sinceStartMs ?? 0)
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(report.waitedMs).toBeGreaterThan(0)
  for (const { name, tookMs, waitedMs, sinceStartMs, members } of report.tiers)
    console.log(name, { tookMs, waitedMs, sinceStartMs, rtoSeconds: members[0]?.rtoSeconds })
  expect(vmsThere()).toEqual(originals)
  expect(held()).toBe(0)
  const { items } = await ask(world.at.api.GET('/drills', { params: { query: { limit: 20 } } }))
  expect(items.map(({ vmId, verdict }) => `${vmId} ${verdict}`).toSorted()).toEqual([
    'app failed',
    'app passed',
    'db passed',
    'web-01 passed',
  ])
  expect((await ask(world.at.api.GET('/runs/{run}', { params: { path: { run } } }))).residue).toEqual([])
})

test('for real, while an original runs: it is refused before anything is made, and says which', async () => {
  const db = world.lab.vms.find(({ name }) => name === 'db') as LabVm
  await db.start('parent')
  const run = await start({ mode: 'run', confirmName: 'The shop' })
  await waitForEnd(world.at.api, run)
  await db.stop('quit')
  const report = await look(run)
  expect(report).toMatchObject({
    state: 'failed',
    back: 0,
    why: expect.stringContaining('db: it is running on lab') as unknown,
  })
  expect(report.tiers.map(({ members }) => members[0]?.original)).toEqual([
    'its original on lab was running',
    ...['its original on lab was off', 'its original on lab was off'],
  ])
  expect(vmsThere()).toEqual(originals)
})

test('for real, ended by a hand-over at the last tier: guests that stand run with what they had, and are nobody’s to remove', async () => {
  await setRole('web-01', 'somebody-else')
  const run = await start({ mode: 'run', confirmName: 'The shop' })
  await until(run, waits('app', 'step'))
  await answer(run, 'app', null)
  await until(run, waits('web', 'choice'))
  await answer(run, 'web', 'hand-over')
  await waitForEnd(world.at.api, run)
  const report = await look(run)
  expect(report).toMatchObject({ state: 'aborted', back: 2 })
  expect(report.tiers.flatMap(({ members }) => members.map(({ state }) => state))).toEqual([
    'kept',
    'kept',
    'kept-short',
  ])
  for (const name of names) {
    const vm = await findLabVm(world.lab, `${name}-recovered`)
    expect(await vm.shell('cat /data/0/role')).toContain(name)
  }
})

/** The server was killed just now. */
async function setRoleSoon(id: string, role: string): Promise<void> {
  await expect
    .poll(
      () =>
        setRole(id, role)
          .then(() => true)
          .catch(() => false),
      { timeout: 120_000 },
    )
    .toBe(true)
}
