import { createHash } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { millis, MiB } from '../../base/index.ts'
import { LabVm, Oracle, startWorkload, stopWorkload, SWITCH_HOOK, type Lab } from '../../lab/index.ts'
import { Series, contextFor, newPoint } from '../contract/series.ts'
import type { HypervisorDriver } from '../driver.ts'
import type { GuestCommand } from '../facets.ts'
import { readDescription, writeDescription } from './description.ts'
import type { GuestHook, VmRef } from '../values.ts'
import { runProgram } from '../transport/index.ts'
import { openQemu } from './driver.ts'

import { guestBench } from '../../tests/support/guest-bench.ts'

/** The contract of drivers.md §10 E and J, on a real guest that is frozen and asked. One boot for all. */
describe('the qemu driver on a real guest', () => {
  let lab: Lab
  let vm: LabVm
  let ref: VmRef
  let driver: HypervisorDriver
  const { target, series, open, end, ctx, isFrozen, nothingLeft } = guestBench((made) => {
    ;({ lab, vm, ref, driver } = made)
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

  test('28b what the guest had not written yet is on its disk before the freeze, not while everybody waits', async () => {
    const held = 12 * MiB
    const [allocated, settings] = await dirtyPages(held)
    const grown = async (): Promise<number> => (await vmBytes()) - allocated
    expect(await grown()).toBeLessThan(held / 4)
    let beforeFreeze = -1
    const watching = openQemu(lab.endpoint, {
      atDeath: () => () => undefined,
      run: async (what, effect) => {
        if (what === 'agent: guest-fsfreeze-freeze') beforeFreeze = await grown()
        return await effect()
      },
    })
    const id = newPoint()
    const request = series().request(id, { want: 'filesystem' })
    const point = await watching.openPoint(contextFor(ref, id), ref, request)
    await vm.shell(settings)
    expect(point).toMatchObject({ consistency: 'filesystem', quiesce: { degraded: null } })
    expect(beforeFreeze).toBeGreaterThanOrEqual(held)
    expect((await driver.abortPoint(contextFor(ref, id), ref, null)).residue).toEqual([])
    await nothingLeft()
  })

  /** Bytes that the files of the VM's disks take on the host. */
  async function vmBytes(): Promise<number> {
    const files = (await readdir(vm.dir)).filter((f) => !f.startsWith('hf-'))
    const sizes = await Promise.all(files.map(async (f) => (await stat(join(vm.dir, f))).blocks * 512))
    return sizes.reduce((a, b) => a + b, 0)
  }

  /** The guest has `bytes` of new pages that it does not write by itself. Answers the bytes before, and the way back. */
  async function dirtyPages(bytes: number): Promise<[before: number, back: string]> {
    const knobs = ['dirty_writeback_centisecs', 'dirty_expire_centisecs', 'dirty_background_ratio'] as const
    const old = (await vm.shell(`cd /proc/sys/vm && cat ${knobs.join(' ')}`)).trim().split(/\s+/)
    await vm.shell('cd /proc/sys/vm && echo 0 > dirty_writeback_centisecs && echo 90 > dirty_background_ratio && sync')
    const before = await vmBytes()
    await vm.shell(`head -c ${bytes} /dev/urandom > /data/0/not-written-yet`)
    return [before, knobs.map((knob, i) => `echo ${old[i]} > /proc/sys/vm/${knob}`).join(' && ')]
  }

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
    // Application consistent only where every hook went well: what asks for more gets less, and is told, or nothing at all.
    const dump: GuestHook = { ...hook, args: ['-c', 'exit 0'], onFailure: 'warn' }
    const asked = async (hooks: readonly GuestHook[]): Promise<readonly [string, string | null]> => {
      const opened = await open({ want: 'application', hooks })
      await end(opened)
      return [opened.point.consistency, opened.point.quiesce.degraded]
    }
    expect(await asked([dump])).toEqual(['application', null])
    expect(await asked([dump, { ...hook, onFailure: 'warn' }])).toEqual([
      'filesystem',
      expect.stringContaining('broken') as string,
    ])
    expect(await asked([])).toEqual(['filesystem', 'no application hook is set for this VM'])
    for (const hooks of [[dump, { ...hook, onFailure: 'warn' as const }], []])
      await expect(open({ want: 'application', hooks, onQuiesceFailure: 'fail' })).rejects.toMatchObject({
        code: 'QuiesceFailed',
      })
    expect(await isFrozen()).toBe(false)
    await nothingLeft()
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
    await vm.shell('(sleep 1; pkill -STOP qemu-ga; sleep 30; pkill -CONT qemu-ga) >/dev/null 2>&1 </dev/null &')
    // From when on it does is the guest's affair: stopped within the freeze it would be another case.
    const silent = (): Promise<boolean> =>
      vm.shell('true', 3_000).then(
        () => false,
        () => true,
      )
    await expect.poll(silent, { timeout: 15_000, interval: 100 }).toBe(true)
    const opened = await open()
    expect(opened.point).toMatchObject({ consistency: 'crash', quiesce: { freezeDurationMs: null } })
    await end(opened)
    await vm.ready()
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
})
