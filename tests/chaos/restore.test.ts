/**
 * A whole VM comes back while what brings it back is killed in the middle of its disk. Each scenario ends with the
 * content, compared with QEMU's own copy of that instant, and with how much had to be written twice.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB, isHoldfastError } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { guestChecks, waitForCompletion, waitForEnd, type Role, type Runbook } from '../../cli/demo/index.ts'
import { findLabVm, runWorkload, type LabVm, type Oracle } from '../../lab/index.ts'
import { backUp } from '../support/half-way.ts'
import { guestsOf } from '../support/processes.ts'
import { makeWorld, type World } from '../support/world.ts'

let world: World
let oracle: Oracle
let pointId: string
/** What the guest's audit trail has; nothing adds to it. */
let rows: number
/** Bytes of the first disk that are written: more than six times what lies between two durable moments. */
const used = 0.875 * GiB
const durableEvery = 128 * MiB
/** What a restore has under way at most: eight writes of a group of 4 MiB. */
const inFlight = 32 * MiB

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: 4 * GiB, free: used, raw: 256 * MiB } })
  rows = (await runWorkload(world.guest, 4)).rows
  await world.guest.fill(used)
  oracle = await world.startOracle()
  pointId = (await backUp(world, 'full')).point.id
  await Promise.all(world.vm.disks.map(({ key }) => oracle.image(pointId, key)))
})
afterAll(async () => {
  await oracle?.[Symbol.asyncDispose]()
  await world?.end()
})

async function start(name: string): Promise<string> {
  const target = { kind: 'new', hypervisorId: world.hypervisor.id, name } as const
  const body = { pointId, target, identity: 'new', powerOn: false, reason: 'test' } as const
  const { runId } = await ask(
    world.at.api.POST('/restores', { body: { ...body, tuning: { moverHeartbeatMs: 10_000 } } }),
  )
  return runId
}

/** null: it is not there yet, or not any more. */
async function found(name: string): Promise<LabVm | null> {
  try {
    return await findLabVm(world.lab, name)
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'NotFound') return null
    throw error
  }
}

/** Waits until so much of the disks is on the hypervisor. */
async function reaches(name: string, bytes: number): Promise<void> {
  const written = async (): Promise<number> => {
    const vm = await found(name)
    if (vm === null) return 0
    return readdirSync(vm.dir)
      .filter((file) => /\.(qcow2|raw)/.test(file))
      .reduce((sum, file) => sum + 512 * statSync(join(vm.dir, file)).blocks, 0)
  }
  await expect.poll(written, { timeout: 120_000, interval: 20 }).toBeGreaterThan(bytes)
}

interface Written {
  readonly disk: string
  readonly bytesResumed: number
  readonly bytesWrittenAgain: number | null
}
const writesOf = ({ phases }: Runbook) =>
  phases.flatMap(({ steps }) => steps).filter(({ id }) => id.startsWith('write:'))

/** The result of the step that writes the large disk, and what its attempts say. */
function largeWrite(book: Runbook): { readonly result: Written; readonly notes: readonly (string | null)[] } {
  const key = world.vm.disks.toSorted((a, b) => b.size - a.size)[0]?.key
  const step = writesOf(book).find(({ id }) => id === `write:${key}`)
  if (step === undefined) throw new Error(`no step writes ${key}: ${JSON.stringify(writesOf(book))}`)
  return { result: step.result as Written, notes: step.attempts.map(({ note }) => note) }
}

async function isIdentical(name: string): Promise<void> {
  const vm = await findLabVm(world.lab, name)
  for (const { key, file, format } of vm.description.disks) {
    const comparison = await oracle.compare(pointId, key, { file: join(vm.dir, file), format })
    expect(comparison, key).toMatchObject({ identical: true })
  }
  rmSync(vm.dir, { recursive: true })
}

/** Files by which a worker knows how far it was; gone when the restore is. */
const marks = (): readonly string[] => {
  const folder = join(world.home, 'cache', 'mover', 'marks')
  return existsSync(folder) ? readdirSync(folder) : []
}

test('a mover killed twice in the middle of a disk goes on where the hypervisor had everything durably', async () => {
  const run = await start('killed-mover')
  await reaches('killed-mover', 0.4 * used)
  world.at.kill('worker')
  await reaches('killed-mover', 0.75 * used)
  world.at.kill('worker')
  const book = await waitForCompletion(world.at.api, run)
  const { result, notes } = largeWrite(book)
  console.info(
    `resumed at ${result.bytesResumed / MiB} MiB, ${(result.bytesWrittenAgain ?? NaN) / MiB} MiB written again`,
  )
  expect(notes.length).toBeGreaterThanOrEqual(2)
  expect(notes.at(-1)).toMatch(/^resumed at .* were written again$|; nothing was written twice$/)
  expect(result.bytesResumed).toBeGreaterThanOrEqual(0.3 * used)
  // Measured, and at most what lies between two durable moments, for each kill.
  expect(result.bytesWrittenAgain).not.toBeNull()
  expect(result.bytesWrittenAgain).toBeLessThanOrEqual(2 * (durableEvery + inFlight))
  expect(book.residue).toEqual([])
  await isIdentical('killed-mover')
  expect(marks()).toEqual([])
})

test.each<[Role]>([['server'], ['temporal']])(
  'a killed %s loses nothing of a restore, and nothing is written twice',
  async (role) => {
    const name = `killed-${role}`
    const run = await start(name)
    await reaches(name, 0.3 * used)
    const pid = world.at.kill(role)
    const book = await waitForCompletion(world.at.api, run)
    expect(world.at.pid(role)).not.toBe(pid)
    const { bytesWrittenAgain } = largeWrite(book).result
    expect(bytesWrittenAgain).toBeLessThanOrEqual(durableEvery + inFlight)
    expect(book.residue).toEqual([])
    await isIdentical(name)
  },
)

test('a restore that is cancelled while its mover is dead leaves nothing on the hypervisor', async () => {
  const before = readdirSync(world.lab.endpoint.address).toSorted()
  const run = await start('never')
  await reaches('never', 0.3 * used)
  world.at.kill('worker')
  const params = { path: { run } }
  await ask(world.at.api.POST('/runs/{run}/cancel', { params, body: { reason: 'test' } }))
  const book = await waitForEnd(world.at.api, run)
  expect(book).toMatchObject({ state: 'cancelled', residue: [] })
  expect(readdirSync(world.lab.endpoint.address).toSorted()).toEqual(before)
  expect(marks()).toEqual([])
})

test('a drill that restores its disks outlives worker, server and Temporal, looks inside, and leaves nothing', async () => {
  const left = () => ({
    guests: guestsOf(world.home).length,
    folders: readdirSync(world.lab.endpoint.address).toSorted(),
  })
  const before = left()
  const { api } = world.at
  const checks = guestChecks({ atLeast: rows, atMost: rows })
  const tuning = { moverHeartbeatMs: 10_000 }
  const body = { pointId, checks, bootTimeoutMs: 120_000, reason: 'test', tuning }
  const { runId } = await ask(api.POST('/drills', { body }))
  let name = ''
  // A folder is made under another name, and gets its own when there is a VM in it.
  const isThere = async (): Promise<boolean> => {
    name = left().folders.find((folder) => !before.folders.includes(folder)) ?? ''
    return name !== '' && (await found(name)) !== null
  }
  await expect.poll(isThere, { timeout: 120_000 }).toBe(true)
  await reaches(name, 0.4 * used)
  for (const role of ['worker', 'temporal', 'server'] as const) world.at.kill(role)
  const book = await waitForCompletion(api, runId)
  expect(book.residue).toEqual([])
  const { items } = await ask(api.GET('/drills', { params: { query: { pointId, limit: 10 } } }))
  expect(items.find(({ run }) => run.runId === runId)).toMatchObject({ verdict: 'passed', bootedFrom: 'disks' })
  expect(left()).toEqual(before)
  expect(marks()).toEqual([])
})
