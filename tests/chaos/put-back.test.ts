/**
 * What a killed mover made is as good as any point: it is drilled, and a running VM is put back in its original place by a
 * restore that is killed as well. A paused run stands still and goes on.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { finishBackup, guestChecks, waitFor, waitForCompletion, type Runbook } from '../../cli/demo/index.ts'
import { LabVm, runWorkload, type Oracle } from '../../lab/index.ts'
import { backUp, leftovers, startAndReachHalf, tuning } from '../support/half-way.ts'
import { packs, quietSince } from '../support/packs.ts'
import { guestsOf } from '../support/processes.ts'
import { putBack } from '../support/put-back.ts'
import { makeWorld, type World } from '../support/world.ts'

let world: World
/** Has copies of the disks at the point from which the VM is put back. */
let oracle: Oracle
let pointId: string
/** What the guest's audit trail has; nothing adds to it. */
let rows: number
/** Bytes of the first disk that are written. */
const used = 0.75 * GiB

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: 4 * GiB, free: used, raw: 256 * MiB } })
  rows = (await runWorkload(world.guest, 4)).rows
  await world.guest.fill(used)
})
afterAll(async () => {
  await oracle?.[Symbol.asyncDispose]()
  await world?.end()
})

/** The folders of all VMs on the hypervisor. */
function vmFolders(): readonly string[] {
  return readdirSync(world.lab.endpoint.address).sort()
}

test('a drill of what a killed mover made boots it, looks inside and leaves nothing', async () => {
  const backup = await startAndReachHalf(world, used)
  world.at.kill('worker')
  const { point } = await finishBackup(world.at, world.vm.id, backup)
  expect(point.validatedMs).not.toBeNull()
  const before = { left: await leftovers(world), vms: vmFolders(), guests: guestsOf(world.home) }
  const drill = { bootTimeoutMs: 120_000, reason: 'test', tuning }
  const checks = guestChecks({ atLeast: rows, atMost: rows })
  const { runId } = await ask(world.at.api.POST('/drills', { body: { pointId: point.id, checks, ...drill } }))
  await waitForCompletion(world.at.api, runId)
  const query = { pointId: point.id, limit: 10 }
  const row = (await ask(world.at.api.GET('/drills', { params: { query } }))).items.find((it) => it.run.runId === runId)
  expect(row).toMatchObject({ verdict: 'passed' })
  console.info(`recovery time of the drill: ${row?.rtoSeconds} s`)
  expect(row?.rtoSeconds).toBeGreaterThan(0)
  const params = { path: { id: row?.id ?? '' } }
  const detail = await ask(world.at.api.GET('/drills/{id}', { params }))
  expect(detail.checks.map(({ passed }) => passed)).toEqual([true, true])
  const picture = await ask(world.at.api.GET('/drills/{id}/screenshot', { params, parseAs: 'arrayBuffer' }))
  expect(Buffer.from(picture).subarray(1, 4).toString()).toBe('PNG')
  expect({ left: await leftovers(world), vms: vmFolders(), guests: guestsOf(world.home) }).toEqual(before)
})

test('a running VM is put back in place by a restore whose mover is killed, and its safety point brings back what that replaced', async () => {
  const { guest, vm } = world
  oracle = await world.startOracle()
  pointId = (await backUp(world, 'auto')).point.id
  await Promise.all(vm.disks.map(({ key }) => oracle.image(pointId, key)))
  // The safety points below are not asked about: their VM is shut down before a copy could be whole.
  rmSync(oracle.socket)
  const write = 'head -c 16000000 /dev/urandom > /data/0/late && cp /data/0/late /data/1/late && sync'
  const sums = 'md5sum /data/0/late /data/1/late'
  await guest.shell(write)
  const late = await guest.shell(sums)

  const first = await putBack(world, pointId, { powerOn: false, killWhileWriting: true })
  expectAnotherMover(first.book)
  expect(await guest.running()).toBeNull()
  const restored = await LabVm.open(guest.dir)
  for (const { key, file, format } of restored.description.disks) {
    const image = { file: join(guest.dir, file), format }
    expect(await oracle.compare(pointId, key, image), key).toMatchObject({ identical: true })
  }

  // As it was before means running: it is started, and has nothing of what came after the point.
  await restored.start('parent')
  await restored.ready()
  await expect(restored.shell(sums)).rejects.toThrow('late')
  await putBack(world, first.safetyPoint, {})
  expect(await restored.running()).not.toBeNull()
  await restored.ready()
  expect(await restored.shell(sums)).toBe(late)
  expect(await restored.check()).toMatchObject({ rows })
})

test('a single disk is put back in place by a restore whose mover is killed; the machine and its other disk stay as they are', async () => {
  const before = await LabVm.open(world.guest.dir)
  const fileOf = ({ file }: { readonly file: string }): string => join(before.dir, file)
  const [first, second] = before.description.disks
  if (first === undefined || second === undefined) throw new Error('the guest has two disks')
  const { ino } = statSync(fileOf(second))
  // On the one disk it is of after the point, and goes; on the other it stays.
  const late = await before.shell('md5sum /data/1/late')
  const { book } = await putBack(world, pointId, { disks: [first.key], powerOn: false, killWhileWriting: true })
  expectAnotherMover(book)
  const after = await LabVm.open(before.dir)
  const [put, kept] = after.description.disks
  expect(kept).toEqual(second)
  expect(statSync(fileOf(second)).ino).toBe(ino)
  expect(after.description).toMatchObject({ uuid: before.description.uuid, nics: before.description.nics })
  const image = { file: fileOf(put ?? first), format: first.format }
  expect(await oracle.compare(pointId, first.key, image)).toMatchObject({ identical: true })
  await after.start('parent')
  await after.ready()
  expect(await after.shell('ls /data/0/late 2>/dev/null; md5sum /data/1/late')).toBe(late)
  expect(await after.check()).toMatchObject({ rows })
})

/** Of the steps that write a disk one was begun by the mover that was killed. */
function expectAnotherMover({ phases }: Runbook): void {
  const writes = phases.flatMap(({ steps }) => steps).filter(({ id }) => id.startsWith('write:'))
  expect(Math.max(...writes.map(({ attempts }) => attempts.length))).toBeGreaterThan(1)
}

test('a paused run stands still and goes on at its journal', async () => {
  const runId = await startAndReachHalf(world, used)
  const run = { params: { path: { run: runId } }, body: { reason: 'test' } }
  await ask(world.at.api.POST('/runs/{run}/pause', run))
  await waitFor(world.at.api, runId, ({ state }) => state === 'paused')
  const stored = await quietSince(join(world.repository.path, 'pack'))
  await sleep(2_000)
  expect(packs(join(world.repository.path, 'pack'))).toEqual(stored)
  await ask(world.at.api.POST('/runs/{run}/resume', run))
  const { copied } = await finishBackup(world.at, world.vm.id, runId)
  expect(copied.bytesResumed).toBeGreaterThan(0)
})
