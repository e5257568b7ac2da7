import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiB, millis } from '../../base/index.ts'
import {
  endTemporaryLab,
  LabVm,
  Oracle,
  startWorkload,
  stopWorkload,
  SWITCH_HOOK,
  temporaryLab,
  type Lab,
} from '../../lab/index.ts'
import { QmpClient } from '../qmp/index.ts'
import { Series, contextFor, installation, newPoint, type Opened } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import type { GuestCommand } from '../facets.ts'
import { opKeyFor } from '../names.ts'
import { readDescription, writeDescription } from './description.ts'
import type { DiskKey, GuestHook, PointRequest, VmRef } from '../values.ts'
import { runProgram } from '../transport/index.ts'
import { openQemu } from './driver.ts'

/** The contract of drivers.md §10 E and J, on a real guest that is frozen, killed and asked. One boot for all. */
describe('the qemu driver on a real guest', () => {
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'guest', qcow2: 192 * MiB, raw: 96 * MiB }] })
    vm = lab.vms[0] as LabVm
    driver = openQemu(lab.endpoint)
    const [facts] = await Array.fromAsync(
      driver.discover(contextFor({} as VmRef & { scope: string; id: string }, newPoint())),
    )
    if (!facts) throw new Error('the lab has no VM')
    ref = facts.vm
    // Writes to the first disk, through to the device, for ever: what stops when the guest is frozen.
    await vm.shell(
      '(while :; do cat /proc/uptime >/data/0/tick; sync /data/0/tick; sleep 0.05; done) >/dev/null 2>&1 </dev/null &',
    )
  })
  afterAll(async () => {
    await endTemporaryLab(lab)
  })

  const target = (): ConstructorParameters<typeof Series>[0] => {
    const disks = vm.description.disks.map((d) => ({
      key: d.key as DiskKey,
      size: d.size,
      tracked: 'persistent' as const,
    }))
    return { ref, disks, content: () => new Uint8Array() } as unknown as ConstructorParameters<typeof Series>[0]
  }
  const series = (): Series => new Series(target(), driver)
  const open = (request: Partial<PointRequest> = {}): Promise<Opened> =>
    series().open({ want: 'filesystem', ...request })
  const end = async (opened: Opened): Promise<void> => {
    expect((await driver.abortPoint(opened.ctx, ref, null)).residue).toEqual([])
  }
  const ctx = (): Opened['ctx'] => contextFor(ref, newPoint())
  const writes = async (): Promise<number> => {
    await using monitor = await vm.monitor()
    const stats =
      await monitor.execute<readonly { qdev?: string; stats: { wr_operations: number } }[]>('query-blockstats')
    return stats.find((s) => s.qdev?.includes('/virtio0/'))?.stats.wr_operations ?? -1
  }
  const isFrozen = async (): Promise<boolean> => {
    await using agent = await vm.agent()
    return (await agent.freezeStatus()) === 'frozen'
  }
  const nothingLeft = async (): Promise<void> => {
    expect((await readdir(vm.dir)).filter((f) => f.startsWith('hf-'))).toEqual([])
    expect((await Array.fromAsync(driver.listOwned(ctx()))).filter((o) => o.kind !== 'bitmap')).toEqual([])
  }

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

  test('14 under a writing guest the reconstruction is the oracle’s instant, both disks, over full and incrementals', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hf-or-'))
    await using oracle = await Oracle.start({ folder, vms: () => Promise.resolve([vm.dir]) })
    process.env[SWITCH_HOOK] = oracle.socket
    try {
      const chain = series()
      await startWorkload(vm, { rate: 4096, seed: 7 })
      for (let n = 0; n < 3; n++) {
        const opened = await chain.open({ want: 'filesystem' })
        if (n > 0) expect(opened.point.disks.map((d) => d.mode)).toEqual(['incremental', 'incremental'])
        const images = await chain.read(opened)
        for (const [key, image] of images) {
          const file = join(folder, `${n}-${key}.raw`)
          await writeFile(file, image)
          expect(await oracle.compare(opened.point.id, key, { file, format: 'raw' })).toMatchObject({ identical: true })
          await rm(file)
        }
        expect(await driver.checkPoint(opened.ctx, opened.point)).toEqual({ status: 'intact' })
        const keys = opened.point.disks.map((d) => d.disk.key)
        chain.store(opened, images, keys)
        expect((await driver.commitPoint(opened.ctx, opened.point, keys)).residue).toEqual([])
        await oracle.forget(opened.point.id)
      }
    } finally {
      delete process.env[SWITCH_HOOK]
      await stopWorkload(vm)
    }
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

  test.skipIf(process.getuid?.() !== 0)(
    '31 variant job, scratch full: the guest is stopped by QEMU, resumed within 10 s, loses nothing, and the round is broken',
    async () => {
      const scratch = await mkdtemp(join(tmpdir(), 'hf-scr-'))
      await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', scratch])
      try {
        const fleecing = openQemu({ ...lab.endpoint, options: { ...lab.endpoint.options, fleecing: 'job', scratch } })
        await vm.shell('head -c 20000000 /dev/urandom >/data/0/full; sync')
        const { findings } = await fleecing.preflight(ctx(), ref, series().request(newPoint()))
        expect(findings).toContainEqual(expect.objectContaining({ code: 'scratch-space', severity: 'blocking' }))
        const opened = await new Series(target(), fleecing).open()
        const states = new Set<string>()
        const monitor = await vm.monitor()
        // The guest's own write waits while it is stopped, and succeeds when it goes on.
        const written = vm.shell(
          'dd if=/dev/zero of=/data/0/full bs=100000 count=200 conv=notrunc,fsync 2>/dev/null && md5sum </data/0/full',
          60_000,
        )
        const deadline = performance.now() + 30_000
        for (let stopped: number | null = null; ;) {
          const { status } = await monitor.execute<{ status: string }>('query-status')
          states.add(status)
          if (status === 'io-error') stopped ??= performance.now()
          else if (stopped !== null) {
            console.log(`the guest stood still for ${Math.round(performance.now() - stopped)} ms`)
            expect(performance.now() - stopped).toBeLessThan(10_000)
            break
          }
          expect(performance.now()).toBeLessThan(deadline)
          // The sentinel needs a monitor too, and there are two.
          await sleep(10)
        }
        monitor.close()
        expect(states).toContain('io-error')
        expect((await written).trim().split(' ')[0]).toBe(
          createHash('md5').update(new Uint8Array(20_000_000)).digest('hex'),
        )
        expect(await fleecing.checkPoint(opened.ctx, opened.point)).toMatchObject({ status: 'broken' })
        expect((await fleecing.abortPoint(opened.ctx, ref, null)).residue).toEqual([])
        expect(await readdir(scratch)).toEqual([])
      } finally {
        await runProgram('umount', [scratch])
        await rm(scratch, { recursive: true })
      }
    },
  )

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

  test('29 degrades or fails as asked: no deadline can be armed, an agent that does not answer, a hook that fails', async () => {
    const fails = async (why: RegExp): Promise<void> => {
      const opened = await open()
      expect(opened.point).toMatchObject({ consistency: 'crash', quiesce: { freezeDurationMs: null } })
      expect(opened.point.quiesce.degraded).toMatch(why)
      await end(opened)
      await expect(open({ onQuiesceFailure: 'fail' })).rejects.toMatchObject({ code: 'QuiesceFailed' })
      expect(await isFrozen()).toBe(false)
      await nothingLeft()
    }
    await vm.shell(
      'for p in /bin /sbin /usr/bin /usr/sbin; do [ -e $p/fsfreeze ] && mv $p/fsfreeze $p/away; done; true',
    )
    try {
      await fails(/fsfreeze/)
    } finally {
      await vm.shell('for p in /bin /sbin /usr/bin /usr/sbin; do [ -e $p/away ] && mv $p/away $p/fsfreeze; done; true')
    }
    const hook = {
      when: 'before-freeze',
      path: '/bin/sh',
      args: ['-c', 'echo broken >&2; exit 3'],
      timeout: millis(5_000),
    } as const
    await expect(open({ hooks: [{ ...hook, onFailure: 'fail' }], onQuiesceFailure: 'fail' })).rejects.toMatchObject({
      code: 'QuiesceFailed',
    })
    const warned = await open({ hooks: [{ ...hook, onFailure: 'warn' }] })
    expect(warned.point.quiesce.degraded).toContain('broken')
    expect(warned.point.consistency).toBe('filesystem')
    await end(warned)
    // What a hook before the freeze has put on hold is let go, however the round ends.
    const sh = (script: string): Pick<GuestHook, 'path' | 'args' | 'timeout'> => ({
      path: '/bin/sh',
      args: ['-c', script],
      timeout: millis(5_000),
    })
    const pair: readonly GuestHook[] = [
      { ...sh('touch /run/held; exit 3'), when: 'before-freeze', onFailure: 'fail' },
      { ...sh('rm /run/held'), when: 'after-thaw', onFailure: 'warn' },
    ]
    await expect(open({ hooks: pair, onQuiesceFailure: 'fail' })).rejects.toMatchObject({ code: 'QuiesceFailed' })
    expect((await vm.shell('ls /run')).split('\n')).not.toContain('held')
    // The agent's process is stopped: it takes no command, and must not be waited for without end.
    await vm.shell('(sleep 1; pkill -STOP qemu-ga; sleep 25; pkill -CONT qemu-ga) >/dev/null 2>&1 </dev/null &')
    await sleep(1_500)
    const opened = await open()
    expect(opened.point).toMatchObject({ consistency: 'crash', quiesce: { freezeDurationMs: null } })
    await end(opened)
    await vm.ready()
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

  test('52 guest commands: exit code, outputs, truncation, a timeout that kills, no double run', async () => {
    const guest = driver.guest
    if (!guest) throw new Error('no guest access')
    const sh = (script: string, timeout = 20_000): GuestCommand => ({
      path: '/bin/sh',
      args: ['-c', script],
      timeout: millis(timeout),
      idempotent: false,
      credentialRef: null,
    })
    expect(await guest.ping(ctx(), ref)).toBe('up')
    expect(await guest.run(ctx(), ref, sh('echo out; echo err >&2; exit 7'))).toEqual({
      exit: 7,
      out: 'out\n',
      err: 'err\n',
      truncated: false,
    })
    const long = await guest.run(ctx(), ref, sh('head -c 100000 /dev/zero | tr "\\0" x'))
    expect(long).toMatchObject({ exit: 0, truncated: true })
    expect(long.out).toHaveLength(65_536)
    await expect(
      guest.run(ctx(), ref, sh('echo $$ >/run/slow; echo x >>/run/count; sleep 60', 500)),
    ).rejects.toMatchObject({ code: 'HypervisorTimeout' })
    const after = await guest.run(ctx(), ref, sh('kill -0 $(cat /run/slow) 2>/dev/null; echo $?; wc -l </run/count'))
    expect(after.out.split('\n').map((l) => l.trim())).toEqual(['1', '1', ''])
    const picture = await guest.screenshot(ctx(), ref)
    expect([...(picture?.bytes.subarray(0, 4) ?? [])]).toEqual([0x89, 0x50, 0x4e, 0x47])
    await expect(guest.run(ctx(), ref, { ...sh(''), path: '/no/such/program' })).rejects.toMatchObject({
      code: 'GuestRefused',
    })
  })

  test('50 an isolated boot reaches nothing, seen from inside; the same guest reaches the host where it may', async () => {
    const opened = await series().open()
    const { portable, native } = await driver.exportConfig(opened.ctx, opened.point)
    const parts = await Array.fromAsync(native)
    await end(opened)
    const target = driver.target
    if (!target) throw new Error('no restore side')
    const context = ctx()
    const made = await target.create(
      context,
      {
        place: { kind: 'new', name: 'drilled', host: null, folder: null },
        vm: { ...portable, name: 'drilled', nics: portable.nics.map((nic) => ({ ...nic, network: 'user' })) },
        nativeConfigRef: 'the point',
        disks: portable.disks.map(({ key }) => ({ key, storage: '', thin: true })),
        identity: 'new',
        networks: { user: 'user' },
      },
      parts,
    )
    const server = createServer((socket) => socket.once('data', () => socket.end('reached')))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    // 10.0.2.2 is the host in QEMU's own network. Not busybox's wget: linked statically, it crashes, and reaches nothing.
    const probe = `modprobe virtio_net; ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 || exit 9
      sleep 1; echo hello | nc -w 5 10.0.2.2 ${port} || echo unreached`
    try {
      const dir = join(lab.endpoint.address, 'drilled')
      // Its card is connected, as after `finalize`: what keeps it in is the boot.
      const d = await readDescription(dir)
      await writeDescription(dir, { ...d, nics: d.nics.map((nic) => ({ ...nic, network: 'user' })) })
      const drilled = await LabVm.open(dir)
      for (const [network, answer] of [
        ['described', 'reached'],
        ['restricted', 'unreached'],
      ] as const) {
        if (network === 'restricted') await target.bootIsolated(context, made.vm, { kind: 'restricted', name: 'drill' })
        else await drilled.start('parent')
        await drilled.ready()
        const said = (await drilled.shell(probe)).trim()
        await drilled.stop('kill')
        expect(said).toBe(answer)
      }
    } finally {
      server.close()
      expect((await target.destroy(context, made)).residue).toEqual([])
    }
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
