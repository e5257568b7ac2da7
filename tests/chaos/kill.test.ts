/**
 * One whole Holdfast, one guest, and every process of it killed while a backup copies. Each kill ends with the
 * oracle: the point is validated and byte-identical to QEMU's own image of that instant, and nothing is left on the
 * hypervisor beyond what was there before.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { finishBackup, waitForEnd, type Backup, type Role } from '../../cli/demo/index.ts'
import { runWorkload } from '../../lab/index.ts'
import { isExhaustive } from '../support/sampling.ts'
import { backUp, leftovers, startAndReachHalf, tuning } from '../support/half-way.ts'
import { hypervisorState } from '../support/hypervisor-state.ts'
import { expectIdentical } from '../support/identical.ts'
import { flipByte, largestPack } from '../support/packs.ts'
import { verifyFull } from '../support/verify.ts'
import { makeWorld, type World } from '../support/world.ts'

let world: World
/** The process whose memory is judged once it has copied and restored several times. */
let moverSinceFirstKill: number
/** Bytes of the first disk that are written: half of it is more than a moment, and sixteen journals. */
const used = (isExhaustive ? 1.5 : 1) * GiB

beforeAll(async () => {
  world = await makeWorld({ vm: { qcow2: 8 * GiB, free: used, raw: 256 * MiB } })
  await runWorkload(world.guest, 4)
  // From the first point on the disks are tracked: what each scenario leaves can be compared with what it found.
  await backUp(world, 'auto')
  await world.guest.fill(used)
})
afterAll(() => world?.end())

async function killDuringCopy(role: Role): Promise<{ backup: Backup; runId: string }> {
  const before = await leftovers(world)
  await using oracle = await world.startOracle()
  const runId = await startAndReachHalf(world, used)
  const pid = world.at.kill(role)
  const backup = await finishBackup(world.at, world.vm.id, runId)
  expect(world.at.pid(role)).not.toBe(pid)
  await expectIdentical(world, backup, oracle)
  expect(await leftovers(world)).toEqual(before)
  return { backup, runId }
}

test('a killed mover resumes in the same point in time and reads at most 64 MiB again', async () => {
  const { backup } = await killDuringCopy('worker')
  expect(backup.point.logicalBytes).toBeGreaterThanOrEqual(2 * GiB)
  expect(backup.copied.bytesResumed).toBeGreaterThan(0.4 * used)
  // Measured, and not only not known.
  expect(backup.copied.bytesReadAgain).not.toBeNull()
  expect(backup.copied.bytesReadAgain).toBeLessThanOrEqual(64 * MiB)
  expect(backup.book.resumedTimes).toBeGreaterThanOrEqual(1)
  const opened = backup.book.phases.flatMap(({ steps }) => steps).filter(({ id }) => id.startsWith('open-point'))
  expect(opened).toHaveLength(1)
  expect(backup.book.eventCount).toBeLessThanOrEqual(150)
  moverSinceFirstKill = world.at.pid('worker')
})

test('a killed Temporal comes back and the run completes', async () => {
  await killDuringCopy('temporal')
})

test('a killed server comes back and the run completes', async () => {
  await killDuringCopy('server')
})

/** Largest resident set so far, from the kernel; bytes. */
function peakRss(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (!line) throw new Error(`/proc/${pid}/status has no VmHWM`)
  return Number(line[1]) * 1024
}

test('the mover has stayed below 512 MiB through backups and restores of a sparse disk of 8 GiB, of which a part is used', () => {
  expect(world.at.pid('worker')).toBe(moverSinceFirstKill)
  const peak = peakRss(moverSinceFirstKill)
  console.info(`the mover held ${Math.round(peak / MiB)} MiB at most`)
  expect(peak).toBeLessThanOrEqual(512 * MiB)
})

test('an undisturbed backup freezes two disks for at most 300 ms and takes at most 150 events', async () => {
  const frozenMs: number[] = []
  for (let i = 0; i < 5; i++) {
    const { point, book } = await backUp(world, 'auto')
    expect(point.consistency).toBe('filesystem')
    expect(point.freezeDurationMs).toBeGreaterThan(0)
    expect(point.mode).toBe('incremental')
    expect(book.eventCount).toBeLessThanOrEqual(150)
    frozenMs.push(point.freezeDurationMs ?? Infinity)
  }
  console.info(`frozen for ${frozenMs.join(', ')} ms`)
  // The median: the promise is about an ordinary run, which one lucky or one disturbed freeze says nothing about.
  expect(frozenMs.sort((a, b) => a - b)[2]).toBeLessThanOrEqual(300)
})

test('a cancel during the copy leaves nothing on the hypervisor within ten seconds', async () => {
  const before = await hypervisorState(world.guest)
  const runId = await startAndReachHalf(world, used)
  const asked = Date.now()
  await ask(world.at.api.POST('/runs/{run}/cancel', { params: { path: { run: runId } }, body: { reason: 'test' } }))
  const book = await waitForEnd(world.at.api, runId, { withinMs: 30_000 })
  expect(Date.now() - asked).toBeLessThanOrEqual(10_000)
  expect(book.state).toBe('cancelled')
  expect(await hypervisorState(world.guest)).toEqual(before)
})

test('one flipped byte is named by verify, and a restore of that disk fails instead of giving wrong bytes', async () => {
  const { point } = await backUp(world, 'full')
  const pack = largestPack(join(world.repository.path, 'pack'))
  const flip = flipByte(pack, Math.floor(statSync(pack).size / 2))
  try {
    const report = await verifyFull(world)
    expect(report.damages.map((damage) => damage.pack)).toContain(pack.slice(-64))
    const named = report.damages.flatMap(({ affects }) => affects)
    expect(named.some(({ stem, disk }) => stem === point.stem && disk !== null)).toBe(true)

    const { runId: restore } = await ask(
      world.at.api.POST('/restores', {
        body: {
          pointId: point.id,
          target: { kind: 'new', hypervisorId: world.hypervisor.id, name: 'never' },
          identity: 'new',
          powerOn: false,
          reason: 'test',
          tuning,
        },
      }),
    )
    const book = await waitForEnd(world.at.api, restore)
    expect(book.state).toBe('failed')
    expect(book.error?.code).toBe('ChunkLost')
  } finally {
    flip.undo()
  }
})
