/**
 * The worst moment to die: the guest is frozen and stopped inside the switch of bitmaps. All of Holdfast is killed
 * there; the guest must be writing again within the freeze limit and a second, with nobody left to help it.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Installation, finishBackup, startBackup } from '../../cli/demo/index.ts'
import { SWITCH_HOOK } from '../../lab/index.ts'
import { hypervisorState } from '../support/hypervisor-state.ts'
import { makeWorld, type World } from '../support/world.ts'

const freezeLimitMs = 5_000
let world: World

beforeAll(async () => {
  world = await makeWorld()
})
afterAll(() => world?.end())

test('a guest whose backup died with everything else inside the freeze writes again within the limit and a second', async () => {
  const { guest, at, vm, repository, home } = world
  const first = await startBackup(at, vm.id, { mode: 'auto', tuning: {}, repositoryId: repository.row.id })
  await finishBackup(at, vm.id, first)
  const before = await hypervisorState(guest)

  // Ticks on the serial port, each after a write that a frozen file system holds back.
  const loop = 'while :; do echo t > /data/0/tick && sync /data/0/tick && echo tick > /dev/ttyS0; sleep 0.1; done'
  await guest.shell(`(${loop}) > /dev/null 2>&1 & echo started`)
  const ticks = (): number => readFileSync(guest.paths.serial, 'utf8').split('tick').length
  await until(() => ticks() > 3, 10_000, 'the first ticks')

  // An oracle that never answers keeps the driver inside the switch.
  const socket = join(home, 'o', 'oracle.sock')
  mkdirSync(dirname(socket), { recursive: true })
  const called = Promise.withResolvers<void>()
  const holder = createServer(() => called.resolve())
  await new Promise<void>((resolve) => holder.listen(socket, resolve))
  const runId = await startBackup(at, vm.id, {
    mode: 'auto',
    tuning: { freezeLimitMs },
    repositoryId: repository.row.id,
  })
  await called.promise
  const frozenAt = Date.now()
  await at.crash()
  expect(at.processes()).toEqual([])
  holder.close()
  rmSync(socket, { force: true })

  const standing = ticks()
  await until(() => ticks() > standing + 2, freezeLimitMs + 10_000, 'a tick after the freeze')
  const took = Date.now() - frozenAt
  expect(took).toBeLessThanOrEqual(freezeLimitMs + 1_000)

  // The run outlives everything: after the next start it finds what was left, undoes it and finishes by itself.
  await using again = await Installation.start({ home, env: { [SWITCH_HOOK]: socket } })
  const { point } = await finishBackup(again, vm.id, runId)
  expect(point.consistency).toBe('filesystem')
  const after = await hypervisorState(guest)
  expect({ ...after, bitmaps: after.bitmaps.length }).toEqual({ ...before, bitmaps: before.bitmaps.length })
  expect(existsSync(socket)).toBe(false)
})

async function until(isTrue: () => boolean, withinMs: number, what: string): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`)
    await sleep(20)
  }
}
