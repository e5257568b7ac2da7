import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { identify, isAlive, runProgram, signalProcess } from '../transport/index.ts'
import { runPaths } from './command-line.ts'
import { createDescription, readDescription, type VmDescription } from './description.ts'
import { findRunning, launch, stop } from './launch.ts'

describe('QEMU started for a VM', () => {
  let root: string
  const running: string[] = []
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'hf-launch-'))
  })
  afterEach(async () => {
    for (const dir of running.splice(0)) if (existsSync(join(dir, 'vm.json'))) await stop(dir, { how: 'kill' })
    await rm(root, { recursive: true, force: true })
  })

  test('runs until it is ended in order, and leaves no socket behind', async () => {
    const dir = await make('web')
    const vm = await launch(dir, { lifetime: 'parent' })
    expect(await findRunning(dir, vm.description)).toEqual(vm.process)
    expect(await stop(dir, { how: 'quit' })).toBe('quit')
    expect(await isAlive(vm.process)).toBe(false)
    for (const file of [vm.paths.qmp, vm.paths.qmp2, vm.paths.agent, vm.paths.pid]) expect(existsSync(file)).toBe(false)
    expect(await stop(dir, { how: 'quit' })).toBe('not-running')
  })

  test('is one: a second start is refused, also at the same moment, and harms nothing', async () => {
    const dir = await make('web')
    const starts = await Promise.allSettled([launch(dir, { lifetime: 'parent' }), launch(dir, { lifetime: 'parent' })])
    // The loser may find the winner's process and take it for its own, or end at its lock: never two processes.
    const winners = starts.flatMap((s) => (s.status === 'fulfilled' ? [s.value.process] : []))
    expect(new Set(winners.map((w) => w.pid)).size).toBe(1)
    await expect(launch(dir, { lifetime: 'parent' })).rejects.toMatchObject({ code: 'AlreadyRunning' })
    expect(await findRunning(dir, await readDescription(dir))).toEqual(winners[0])
  })

  test('is not taken for another process that has got its pid, and that one is never ended', async () => {
    const dir = await make('web')
    const vm = await launch(dir, { lifetime: 'parent' })
    await signalProcess(vm.process, 'SIGKILL')
    const stranger = spawn('sleep', ['60'])
    try {
      await writeFile(vm.paths.pid, `${stranger.pid}\n`)
      expect(await findRunning(dir, vm.description)).toBeNull()
      expect(await stop(dir, { how: 'kill' })).toBe('not-running')
      expect(await identify(stranger.pid ?? 0)).not.toBeNull()
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  test('is found by any path to its folder and after the folder was moved, but not by a copy of the folder', async () => {
    const dir = await make('web')
    const vm = await launch(dir, { lifetime: 'parent' })
    await symlink(dir, join(root, 'link'))
    expect(await findRunning(join(root, 'link'), vm.description)).toEqual(vm.process)
    await mkdir(join(root, 'copy'))
    await cp(vm.paths.pid, join(root, 'copy', 'pid'))
    expect(await findRunning(join(root, 'copy'), vm.description)).toBeNull()
    await rename(dir, join(root, 'moved'))
    running.push(join(root, 'moved'))
    expect(await findRunning(join(root, 'moved'), vm.description)).toEqual(vm.process)
  })

  test('has its sockets in a short folder where its own path is too long, and that goes with it', async () => {
    const dir = await make('a-name-that-is-much-too-long-for-the-path-of-a-unix-socket-whatever-is-in-front')
    const vm = await launch(dir, { lifetime: 'parent' })
    expect(vm.paths.dir).not.toBe(dir)
    expect((await readDescription(dir)).runDir).toBe(vm.paths.dir)
    expect(runPaths(dir, await readDescription(dir)).qmp).toBe(vm.paths.qmp)
    await stop(dir, { how: 'quit' })
    expect(existsSync(vm.paths.dir)).toBe(false)
    await launch(dir, { lifetime: 'parent' })
  })

  test('that cannot start says so in QEMU’s own words', async () => {
    const dir = await make('web')
    await rm(join(dir, 'a.qcow2'))
    await expect(launch(dir, { lifetime: 'parent' })).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringMatching(/a\.qcow2.*No such file/) as string,
    })
    expect(await findRunning(dir, await readDescription(dir))).toBeNull()
  })

  async function make(name: string): Promise<string> {
    const dir = join(root, name)
    const description: VmDescription = {
      v: 1,
      uuid: crypto.randomUUID(),
      name: name.slice(0, 20),
      memory: 32 * MiB,
      vcpus: 1,
      machine: 'pc',
      accel: 'tcg',
      firmware: 'bios',
      disks: [{ key: 'virtio0', file: 'a.qcow2', format: 'qcow2', size: MiB, serial: 'a', bootOrder: null }],
      nics: [{ mac: '52:54:00:00:00:01', network: 'restricted' }],
      tags: [],
      notes: '',
      owner: null,
      opKey: null,
      created: '2026-01-01T00:00:00.000Z',
    }
    await createDescription(dir, description)
    await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', join(dir, 'a.qcow2'), String(MiB)])
    running.push(dir)
    return dir
  }
})
