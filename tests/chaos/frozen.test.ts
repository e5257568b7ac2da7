/**
 * The worst moment to die: the guest is frozen and stopped inside the switch of bitmaps. All of Holdfast is killed
 * there but the sentinel, a process of its own that outlives the worker: it resumes and thaws the guest. Without it a
 * stopped guest stands still until somebody continues it; a frozen one thaws by its own deadline, with nobody's help.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Installation, finishBackup, startBackup } from '../../cli/demo/index.ts'
import { SWITCH_HOOK } from '../../lab/index.ts'
import { hypervisorState, type HypervisorState } from '../support/hypervisor-state.ts'
import { holdfastProcesses, type LivingProcess } from '../support/processes.ts'
import { makeWorld, type World } from '../support/world.ts'

const freezeLimitMs = 5_000
let world: World

/** The one that lives: after each crash another. */
let at: Installation

beforeAll(async () => {
  world = await makeWorld()
  at = world.at
  const { guest, vm, repository } = world
  const first = await startBackup(at, vm.id, { mode: 'auto', tuning: {}, repositoryId: repository.row.id })
  await finishBackup(at, vm.id, first)
  // Ticks on the serial port, each after a write that a frozen file system holds back.
  const loop = 'while :; do echo t > /data/0/tick && sync /data/0/tick && echo tick > /dev/ttyS0; sleep 0.1; done'
  await guest.shell(`(${loop}) > /dev/null 2>&1 & echo started`)
  await until(() => ticks() > 3, 10_000, 'the first ticks')
})
afterAll(async () => {
  await at?.stop()
  await world?.end()
})

test('all of Holdfast died inside the switch but its sentinel, which lets the guest go: it writes again in time', async () => {
  const { standing, ticked } = await dieInside()
  expect(holdfastProcesses(world.home).filter((it) => !isSentinel(it))).toEqual([])
  const took = await ticked()
  console.info(`with the sentinel alive the guest wrote again after ${took} ms`)
  expect(took).toBeLessThanOrEqual(freezeLimitMs + 1_000)
  await finishAfterRestart(standing)
})

test('with the sentinel killed first, whoever continues the stopped VM gets a guest that thaws by its own deadline', async () => {
  const { standing, ticked } = await dieInside({ sentinelToo: true })
  expect(holdfastProcesses(world.home)).toEqual([])
  {
    // Stopped it would stay until the next start of Holdfast. This is an operator, who knows nothing of the freeze.
    await using monitor = await world.guest.monitor()
    expect((await monitor.execute<{ status: string }>('query-status')).status).toBe('paused')
    await monitor.execute('cont')
  }
  const took = await ticked()
  console.info(`with no process of Holdfast alive the guest thawed by itself after ${took} ms`)
  expect(holdfastProcesses(world.home)).toEqual([])
  // Frozen all that time: it was not the operator who thawed it.
  expect(took).toBeGreaterThan(freezeLimitMs / 2)
  expect(took).toBeLessThanOrEqual(freezeLimitMs + 1_000)
  await finishAfterRestart(standing)
})

interface Standing {
  readonly runId: string
  readonly socket: string
  readonly before: HypervisorState
}

/** Kills Holdfast inside the switch. `ticked`: ms from the call of the hook until the guest writes again. */
async function dieInside({ sentinelToo = false } = {}): Promise<{
  readonly standing: Standing
  readonly ticked: () => Promise<number>
}> {
  const { guest, vm, repository, home } = world
  const before = await hypervisorState(guest)
  // An oracle that never answers keeps the driver inside the switch.
  const socket = join(home, 'o', 'oracle.sock')
  mkdirSync(dirname(socket), { recursive: true })
  const called = Promise.withResolvers<void>()
  const holder = createServer(() => called.resolve())
  await new Promise<void>((resolve) => holder.listen(socket, resolve))
  const tuning = { freezeLimitMs }
  const runId = await startBackup(at, vm.id, { mode: 'auto', tuning, repositoryId: repository.row.id })
  await called.promise
  const frozenAt = Date.now()
  const sentinels = holdfastProcesses(home).filter(isSentinel)
  expect(sentinels).toHaveLength(1)
  // Before its worker, at whose death it would act.
  if (sentinelToo) for (const { pid } of sentinels) process.kill(pid, 'SIGKILL')
  await at.crash()
  holder.close()
  rmSync(socket, { force: true })
  const standing = ticks()
  const ticked = async (): Promise<number> => {
    await until(() => ticks() > standing + 2, freezeLimitMs + 10_000, 'a tick after the freeze')
    return Date.now() - frozenAt
  }
  return { standing: { runId, socket, before }, ticked }
}

/** The run outlives everything: after the next start it finds what was left, undoes it and finishes by itself. */
async function finishAfterRestart({ runId, socket, before }: Standing): Promise<void> {
  at = await Installation.start({ home: world.home, env: { [SWITCH_HOOK]: socket } })
  const { point } = await finishBackup(at, world.vm.id, runId)
  expect(point.consistency).toBe('filesystem')
  const after = await hypervisorState(world.guest)
  expect({ ...after, bitmaps: after.bitmaps.length }).toEqual({ ...before, bitmaps: before.bitmaps.length })
  expect(existsSync(socket)).toBe(false)
}

function ticks(): number {
  return readFileSync(world.guest.paths.serial, 'utf8').split('tick').length
}

function isSentinel({ command }: LivingProcess): boolean {
  return command.includes('/sentinel/main.')
}

async function until(isTrue: () => boolean, withinMs: number, what: string): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`)
    await sleep(20)
  }
}
