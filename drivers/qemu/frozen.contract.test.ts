import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { LabVm } from '../../lab/index.ts'
import { type Lab } from '../../lab/index.ts'
import { QmpClient } from '../qmp/index.ts'
import { contextFor, installation, newPoint } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import { opKeyFor } from '../names.ts'
import type { VmRef } from '../values.ts'
import { openQemu } from './driver.ts'

import { guestBench } from '../../tests/support/guest-bench.ts'

/** The contract of drivers.md §10 E, as far as it measures time: on a real guest that is frozen and killed. One boot for all. */
describe('the qemu driver while a real guest stands still', () => {
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  const { series, open, end, ctx, writes, isFrozen, nothingLeft } = guestBench((made) => {
    ;({ lab, vm, ref, driver } = made)
  })

  test('28 two disks are frozen for at most 300 ms, and the point says how long', async () => {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const opened = await open()
      const { point } = opened
      expect(point).toMatchObject({ consistency: 'filesystem', atomic: true, quiesce: { degraded: null } })
      times.push(point.quiesce.freezeDurationMs ?? Infinity)
      await end(opened)
    }
    console.log(`freezeDurationMs: ${times.join(', ')}`)
    // The median: the promise is about an ordinary run, which one lucky or one disturbed freeze says nothing about.
    expect(times.sort((a, b) => a - b)[2]).toBeLessThanOrEqual(300)
    expect(await isFrozen()).toBe(false)
    await nothingLeft()
  })

  test('27 a worker killed -9 while the guest is frozen, its sentinel with it: the guest thaws by itself in time', async () => {
    const limit = 3_000
    const { child, pointId } = await doomed('agent: guest-fsfreeze-freeze', limit)
    const frozenAt = performance.now()
    // No process of ours is left that could help.
    for (const pid of await sentinels(pointId)) process.kill(pid, 'SIGKILL')
    await kill(child)
    const before = await settledWrites()
    while ((await writes()) <= before) {
      expect(performance.now() - frozenAt).toBeLessThan(limit + 1_000)
      await sleep(20)
    }
    const took = Math.round(performance.now() - frozenAt)
    console.log(`thawed by its own deadline after ${took} ms (limit ${limit} ms)`)
    // The agent does not know: the compensation brings it back, and the round is undone from vm and opKey alone.
    expect(await driver.ensureRunning(contextFor(ref, pointId), ref)).toEqual({ wasFrozen: true, wasPaused: false })
    expect((await driver.abortPoint(contextFor(ref, pointId), ref, null)).residue).toEqual([])
    expect(await isFrozen()).toBe(false)
    await nothingLeft()
  })

  test('27b a worker killed -9 while the guest is stopped for the switch, its sentinel alive: it runs again at once, thawed', async () => {
    for (const after of ['qmp: stop', 'qmp: transaction', 'qmp: qom-set']) {
      const { child, pointId } = await doomed(after, 5_000)
      await kill(child)
      const since = performance.now()
      const before = await settledWrites()
      while ((await writes()) <= before) {
        expect(performance.now() - since).toBeLessThan(5_000)
        await sleep(20)
      }
      console.log(`killed after ${after}: the guest writes again after ${Math.round(performance.now() - since)} ms`)
      await driver.ensureRunning(contextFor(ref, pointId), ref)
      expect((await driver.abortPoint(contextFor(ref, pointId), ref, null)).residue).toEqual([])
      await nothingLeft()
    }
  })

  test('27d worker and sentinel killed -9 while the guest is stopped: it stands still until ensureRunning of the next start', async () => {
    const { child, pointId } = await doomed('qmp: transaction', 5_000)
    for (const pid of await sentinels(pointId)) process.kill(pid, 'SIGKILL')
    await kill(child)
    const status = async (): Promise<string> => {
      await using monitor = await vm.monitor()
      return (await monitor.execute<{ status: string }>('query-status')).status
    }
    expect(await status()).toBe('paused')
    expect(await driver.ensureRunning(contextFor(ref, pointId), ref)).toMatchObject({ wasPaused: true })
    expect(await status()).toBe('running')
    const before = await settledWrites()
    await expect.poll(writes, { timeout: 5_000 }).toBeGreaterThan(before)
    expect((await driver.abortPoint(contextFor(ref, pointId), ref, null)).residue).toEqual([])
    await nothingLeft()
  })

  test('27e another client holds the monitor: ensureRunning says so, and thaws the guest all the same', async () => {
    await using _held = await QmpClient.connect(vm.paths.qmp)
    {
      await using agent = await vm.agent()
      await agent.freeze()
    }
    await expect(driver.ensureRunning(ctx(), ref)).rejects.toMatchObject({ code: 'Busy' })
    expect(await isFrozen()).toBe(false)
  })

  test('30 a guest that is frozen at the start is thawed first, and the point says so', async () => {
    {
      await using agent = await vm.agent()
      await agent.freeze()
    }
    const opened = await open()
    expect(opened.point.consistency).toBe('filesystem')
    expect(opened.point.quiesce.degraded).toContain('frozen already')
    expect(await isFrozen()).toBe(false)
    await end(opened)
  })

  test('27c the switch fails, or is cancelled before the freeze: the guest is thawed and nothing is left', async () => {
    const broken = openQemu(lab.endpoint, {
      atDeath: () => () => undefined,
      run: (what, effect) => (what === 'qmp: transaction' ? Promise.reject(new Error('the switch failed')) : effect()),
    })
    const id = newPoint()
    const request = series().request(id, { want: 'filesystem' })
    await expect(broken.openPoint(contextFor(ref, id), ref, request)).rejects.toThrow('the switch failed')
    expect(await isFrozen()).toBe(false)
    const before = await writes()
    await expect.poll(writes, { timeout: 5_000 }).toBeGreaterThan(before)
    const cancelled = AbortSignal.abort(new Error('no longer wanted'))
    await expect(driver.openPoint(contextFor(ref, id, cancelled), ref, request)).rejects.toThrow()
    await nothingLeft()
  })
  /** Starts a worker that stands still after the effect, and waits until it has got there. */
  async function doomed(
    after: string,
    freezeLimit: number,
  ): Promise<{ child: ChildProcess; pointId: ReturnType<typeof newPoint> }> {
    const pointId = newPoint()
    const disks = vm.description.disks.map(({ key, size }) => ({ key, size }))
    const task = JSON.stringify({ endpoint: lab.endpoint, vm: ref, disks, pointId, after, freezeLimit })
    const program = join(import.meta.dirname, 'testing', 'doomed.ts')
    const child = spawn(process.execPath, [program, task], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    expect(said.toString()).toBe('reached\n')
    return { child, pointId }
  }
  async function kill(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  /** Writes that were under way at the freeze have ended. */
  async function settledWrites(): Promise<number> {
    await sleep(200)
    return await writes()
  }
  async function sentinels(pointId: ReturnType<typeof newPoint>): Promise<number[]> {
    const opKey = opKeyFor(installation, ref, pointId)
    const found: number[] = []
    for (const pid of (await readdir('/proc')).filter((p) => /^\d+$/.test(p)).map(Number)) {
      const [command] = await Promise.allSettled([readFile(`/proc/${pid}/cmdline`, 'utf8')])
      if (command.status === 'fulfilled' && command.value.includes('sentinel') && command.value.includes(opKey))
        found.push(pid)
    }
    expect(found).toHaveLength(1)
    return found
  }
})
