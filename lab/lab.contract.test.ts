import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MiB } from '../base/index.ts'
import { argumentsOf, identify } from '../drivers/transport/index.ts'
import {
  endTemporaryLab,
  labDown,
  labStatus,
  labUp,
  runWorkload,
  temporaryLab,
  withLab,
  type Lab,
  type LabVm,
} from './index.ts'

const small = { qcow2: 256 * MiB, raw: 128 * MiB } as const

describe('a lab VM', () => {
  let lab: Lab
  let vm: LabVm
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'one', ...small }] })
    vm = lab.vms[0] as LabVm
  })
  afterAll(() => endTemporaryLab(lab))

  test('has its disks mounted as soon as the agent answers', async () => {
    const mounts = await vm.shell('cat /proc/mounts')
    expect(mounts).toMatch(/^\/dev\/vda \/data\/0 ext4 rw/m)
    expect(mounts).toMatch(/^\/dev\/vdb \/data\/1 ext4 rw/m)
    expect(await vm.shell('hostname')).toBe('one\n')
  })

  test('shows on its screen what it mounted', async () => {
    await using monitor = await vm.monitor()
    const file = join(lab.folder, 'screen.png')
    await monitor.execute('screendump', { filename: file, format: 'png' })
    const { size } = await import('node:fs/promises').then((fs) => fs.stat(file))
    // An empty screen of text is below 1 KiB.
    expect(size).toBeGreaterThan(1200)
  })

  test('says that there is nothing to check before anything was written', async () => {
    expect((await vm.tryExec('/usr/bin/check-integrity')).exit).toBe(2)
    expect((await vm.tryExec('/usr/bin/audit-verify')).exit).toBe(2)
  })

  test('runs a workload on both disks whose files and rows are found intact', async () => {
    const status = await runWorkload(vm, 9)
    expect(status).toMatchObject({ state: 'finished', steps: 9, files: 18, rows: 18 })
    expect(await vm.check()).toEqual({ files: 18, rows: 18 })
    expect(await vm.exec('/usr/bin/check-integrity')).toBe('18 files intact on 2 disks\n')
  })

  test('finds a changed byte in a file, a missing file and a tampered audit row', async () => {
    const file = (await vm.shell('ls -d /data/1/holdfast/files/* | head -n 1')).trim()
    await vm.shell(`cp ${file} /run/keep && printf x | dd of=${file} bs=1 seek=100 conv=notrunc 2>/dev/null`)
    const changed = await vm.tryExec('/usr/bin/check-integrity')
    expect(changed).toMatchObject({ exit: 1 })
    expect(changed.err).toContain(`${file}: FAILED`)
    await vm.shell(`rm ${file}`)
    expect((await vm.tryExec('/usr/bin/check-integrity')).err).toContain(`missing: ${file.replace('/data/', '')}`)
    await vm.shell(`cp /run/keep ${file}`)
    expect(await vm.check()).toEqual({ files: 18, rows: 18 })

    await vm.shell(`sqlite3 /data/0/holdfast/audit.db "UPDATE audit SET subject = subject || 'x' WHERE id = 7"`)
    expect(await vm.tryExec('/usr/bin/audit-verify')).toMatchObject({ exit: 1 })
    await vm.shell(
      `sqlite3 /data/0/holdfast/audit.db "UPDATE audit SET subject = substr(subject, 1, length(subject) - 1) WHERE id = 7"`,
    )
    expect(await vm.exec('/usr/bin/audit-verify')).toMatch(/^18 audit rows/)
    await vm.shell(`sqlite3 /data/0/holdfast/audit.db "DELETE FROM audit WHERE id = 9"`)
    expect(await vm.tryExec('/usr/bin/audit-verify')).toMatchObject({ exit: 1 })
  })

  test('is shut down by its power button', async () => {
    {
      await using monitor = await vm.monitor()
      await monitor.execute('system_powerdown')
    }
    await until(async () => (await vm.running()) === null, 'QEMU ended')
  })
})

test('a lab VM that boots from its own disk comes up by the BIOS alone', async () => {
  await withLab({ vms: [{ name: 'own-disk', boots: 'disk', raw: 128 * MiB }] }, async (lab) => {
    const vm = lab.vms[0] as LabVm
    expect(vm.description).toMatchObject({ firmware: 'bios' })
    expect(vm.description.kernel).toBeUndefined()
    expect(await argumentsOf((await vm.running())?.pid ?? 0)).not.toContain('-kernel')
    expect(await vm.shell('cat /proc/mounts')).toMatch(/^\/dev\/vda2 \/data\/0 ext4 rw/m)
    await runWorkload(vm, 2)
    // Pulled plug, same disk: it boots again, and what was synced is there.
    await vm.stop('kill')
    await vm.start('parent')
    await vm.ready()
    expect(await vm.check()).toEqual({ files: 4, rows: 4 })
  })
})

test('when the process that keeps a lab is killed, no QEMU process is left', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hf-lab-'))
  try {
    const { child, pids } = await keeper(home, 'parent')
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(await identify(pid)).not.toBeNull()
    child.kill('SIGKILL')
    await until(async () => (await Promise.all(pids.map(identify))).every((p) => p === null), 'QEMU is gone')
    const status = await labStatus({ home, name: 'kept' })
    expect(status.vms.map((vm) => vm.guest)).toEqual(['off', 'off'])
    expect(status.keeper).toBeNull()
    // The stale pid files and sockets are no hindrance.
    expect(await labDown({ home, name: 'kept' }, { remove: true })).toEqual({ stopped: [], removed: true })
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('a detached lab outlives the process that started it and is ended by name', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hf-lab-'))
  const place = { home, name: 'kept' }
  try {
    const { child, pids } = await keeper(home, 'detached')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect((await labStatus(place)).vms.map((vm) => vm.guest)).toEqual(['answers', 'answers'])
    expect((await labDown(place)).stopped).toEqual(['lab-1', 'lab-2'])
    for (const pid of pids) expect(await identify(pid)).toBeNull()
  } finally {
    await labDown(place, { remove: true })
    await rm(home, { recursive: true, force: true })
  }
})

test('labs run side by side; one that another process keeps is refused', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hf-lab-'))
  const vms = [{ name: 'lab-1', ...small }]
  try {
    const [red, blue] = await Promise.all(['red', 'blue'].map((name) => labUp({ home, name, vms })))
    await using _red = red as Lab
    await using _blue = blue as Lab
    expect(_red.endpoint.options['scope']).not.toBe(_blue.endpoint.options['scope'])
    await _red.vms[0]?.shell('echo red >/data/0/colour')
    await _blue.vms[0]?.shell('echo blue >/data/0/colour')
    expect(await _red.vms[0]?.shell('cat /data/0/colour')).toBe('red\n')

    const { child } = await keeper(home, 'parent', 'green')
    await expect(labUp({ home, name: 'green', vms })).rejects.toMatchObject({ code: 'AlreadyRunning' })
    child.kill('SIGKILL')
    await once(child, 'exit')
  } finally {
    for (const name of ['red', 'blue', 'green']) await labDown({ home, name }, { remove: true })
    await rm(home, { recursive: true, force: true })
  }
})

/** A process of its own with a lab of two VMs; resolves when the lab is up. */
async function keeper(
  home: string,
  lifetime: string,
  name = 'kept',
): Promise<{ child: ReturnType<typeof spawn>; pids: number[] }> {
  const script = join(home, 'keeper.ts')
  await writeFile(
    script,
    `import { labStatus, labUp } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
    const place = { home: ${JSON.stringify(home)}, name: '${name}' }
    await labUp({ ...place, lifetime: '${lifetime}', vms: ['lab-1', 'lab-2'].map((name) => ({ name, qcow2: ${small.qcow2}, raw: ${small.raw} })) })
    console.log(JSON.stringify((await labStatus(place)).vms.map((vm) => vm.pid)))
    setInterval(() => undefined, 1000)`,
  )
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    text += chunk.toString()
    if (text.includes('\n')) break
  }
  return { child, pids: JSON.parse(text) as number[] }
}

async function until(condition: () => Promise<boolean>, what: string, limit = 20_000): Promise<void> {
  const deadline = Date.now() + limit
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`)
    await sleep(50)
  }
}
