import { createCipheriv, randomBytes, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GiB, HoldfastError, MiB, instant } from '../base/index.ts'
import { runPaths, type CommandLineOptions, type RunPaths } from '../drivers/qemu/command-line.ts'
import { createDescription, readDescription, type VmDescription } from '../drivers/qemu/description.ts'
import { findRunning, launch, stop } from '../drivers/qemu/launch.ts'
import { AgentClient, QmpClient, type ExecResult } from '../drivers/qmp/index.ts'
import type { Lifetime, ProcessIdentity } from '../drivers/transport/index.ts'
import { freeStart, makeDataDisk } from './disks.ts'
import { BOOT_DISK_SIZE, KERNEL_ARGUMENTS, type Guest } from './guest/index.ts'

export interface LabVmSpec {
  readonly name: string
  /** `kernel`: QEMU loads kernel and initramfs · `disk`: the BIOS boots the first disk, which carries them. */
  readonly boots?: 'kernel' | 'disk'
  /** Bytes of the qcow2 disk, default 2 GiB; a VM that boots from its disk has the boot disk instead. */
  readonly qcow2?: number
  /** Bytes of the qcow2 disk without a file system, which `LabVm.fill` writes. Default none. */
  readonly free?: number
  /** Bytes of the raw disk, default 512 MiB; null: none. */
  readonly raw?: number | null
  /** Bytes, default 256 MiB. */
  readonly memory?: number
}

/** Writes a new VM's folder: disks, kernel and initramfs, `vm.json` last, so that a folder with one is complete. */
export async function makeVm(dir: string, guest: Guest, spec: LabVmSpec): Promise<void> {
  await mkdir(dir, { recursive: true })
  const uuid = randomUUID()
  const short = uuid.slice(0, 8)
  const boots = spec.boots ?? 'kernel'
  const qcow2 = boots === 'disk' ? BOOT_DISK_SIZE : (spec.qcow2 ?? 2 * GiB)
  const raw = spec.raw === undefined ? 512 * MiB : spec.raw
  if (boots === 'disk') await copyFile(guest.bootDisk, join(dir, 'disk0.qcow2'), constants.COPYFILE_FICLONE)
  else {
    await makeDataDisk(join(dir, 'disk0.qcow2'), 'qcow2', {
      size: qcow2,
      label: 'data0',
      ...(spec.free !== undefined && { free: spec.free }),
    })
    await share(guest.kernel, join(dir, 'vmlinuz'))
    await share(guest.initrd, join(dir, 'initrd.zst'))
  }
  if (raw !== null) await makeDataDisk(join(dir, 'disk1.raw'), 'raw', { size: raw, label: 'data1' })
  const first = { key: 'virtio0', file: 'disk0.qcow2', format: 'qcow2', size: qcow2, serial: `hf-${short}-0` } as const
  const second = { key: 'virtio1', file: 'disk1.raw', format: 'raw', serial: `hf-${short}-1`, bootOrder: null } as const
  await createDescription(dir, {
    v: 1,
    uuid,
    name: spec.name,
    memory: spec.memory ?? 256 * MiB,
    vcpus: 1,
    machine: 'q35',
    accel: 'auto',
    ...(boots === 'disk'
      ? { firmware: 'bios' }
      : {
          firmware: 'direct-kernel',
          kernel: 'vmlinuz',
          initrd: 'initrd.zst',
          append: `${KERNEL_ARGUMENTS} hostname=${spec.name}`,
        }),
    disks: [{ ...first, bootOrder: boots === 'disk' ? 0 : null }, ...(raw === null ? [] : [{ ...second, size: raw }])],
    nics: [{ mac: `52:54:00:${short.slice(0, 6).match(/../g)?.join(':') ?? ''}`, network: 'restricted' }],
    tags: ['lab'],
    notes: 'A VM of the lab.',
    owner: null,
    opKey: null,
    created: instant(Date.now()),
  })
}

/** Bytes that neither compress nor repeat: a key stream, faster than the kernel's random numbers. */
function incompressible(length: number): Uint8Array {
  return createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16)).update(new Uint8Array(length))
}

/** Cached files never change, so the VM has them by another name; a copy where that is another file system. */
async function share(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error
    await copyFile(from, to)
  }
}

export interface GuestChecks {
  readonly files: number
  readonly rows: number
}

/** One VM folder, made by the lab or by a restore into it. Holds no connection: each call makes its own and ends it. */
export class LabVm {
  readonly dir: string
  readonly description: VmDescription
  readonly paths: RunPaths

  private constructor(dir: string, description: VmDescription) {
    this.dir = dir
    this.description = description
    this.paths = runPaths(dir, description)
  }

  static async open(dir: string): Promise<LabVm> {
    return new LabVm(dir, await readDescription(dir))
  }

  get name(): string {
    return this.description.name
  }

  running(): Promise<ProcessIdentity | null> {
    return findRunning(this.dir, this.description)
  }

  /** Starts it if it does not run. `parent`: it dies with this process, however that dies. */
  async start(lifetime: Lifetime, options: CommandLineOptions = {}): Promise<void> {
    if ((await this.running()) === null) await launch(this.dir, { ...options, lifetime })
  }

  /** `quit`: a power cut for the guest, an orderly end for QEMU · `kill`: SIGKILL for both. */
  async stop(how: 'quit' | 'kill'): Promise<void> {
    await stop(this.dir, { how })
  }

  /** Waits until the guest's agent answers; its disks are mounted then. Default limit 90 s: a loaded host is slow. */
  async ready(limit = 90_000): Promise<void> {
    const deadline = Date.now() + limit
    for (;;) {
      try {
        await using _agent = await this.agent(1_000)
        return
      } catch (error) {
        if (Date.now() >= deadline || (await this.running()) === null)
          throw new HoldfastError('GuestStuck', `the guest of VM “${this.name}” does not answer`, {
            hint: `Read ${this.paths.serial} and ${this.paths.log}.`,
            cause: error,
          })
      }
      await sleep(50)
    }
  }

  /** The agent serves one client at a time: close it soon. */
  agent(limit?: number): Promise<AgentClient> {
    return AgentClient.connect(this.paths.agent, {
      peer: `the agent of VM “${this.name}”`,
      ...(limit !== undefined && { limit }),
    })
  }

  /** The second monitor; the first one belongs to the driver. */
  monitor(): Promise<QmpClient> {
    return QmpClient.connect(this.paths.qmp2, { peer: `the second monitor of VM “${this.name}”` })
  }

  /**
   * Writes the free part of the qcow2 disk (`free`: as in its spec) with bytes that neither compress nor repeat: through the device, as the
   * guest would, at the speed of the host. A guest whose processor is emulated takes ten times as long.
   */
  async fill(free: number): Promise<void> {
    const [disk] = this.description.disks
    if (disk === undefined) throw new RangeError(`VM “${this.name}” has no disk to fill`)
    const folder = await mkdtemp(join(tmpdir(), 'hf-fill-'))
    const pattern = join(folder, 'pattern')
    try {
      await using monitor = await this.monitor()
      const device = `/machine/peripheral/${disk.key}/virtio-backend`
      for (let at = 0; at < free; at += 64 * MiB) {
        const length = Math.min(64 * MiB, free - at)
        await writeFile(pattern, incompressible(length))
        const write = `write -s ${pattern} ${freeStart(disk.size, free) + at} ${length}`
        const line = `qemu-io -d ${device} "${write}"`
        const said = await monitor.execute<string>('human-monitor-command', { 'command-line': line }, { limit: 60_000 })
        if (said.trim() !== '') throw new Error(`${line}: ${said}`)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  /** Runs a program in the guest; throws `GuestRefused` with its words unless it ends with 0. Returns its output. */
  async exec(path: string, args: readonly string[] = [], limit = 60_000): Promise<string> {
    const result = await this.tryExec(path, args, limit)
    if (result.exit === 0) return result.out
    const text = (result.err.trim() || result.out.trim()).slice(-1000)
    throw new HoldfastError('GuestRefused', `${path} in VM “${this.name}” ended with ${result.exit}: ${text}`, {
      native: { code: String(result.exit), text },
    })
  }

  async tryExec(path: string, args: readonly string[] = [], limit = 60_000): Promise<ExecResult> {
    await using agent = await this.agent()
    return await agent.exec(path, args, limit)
  }

  async shell(script: string, limit?: number): Promise<string> {
    return this.exec('/bin/sh', ['-c', script], limit)
  }

  /** What the guest itself says of the content of its mounted disks; throws where something is damaged or missing. */
  async check(limit = 120_000): Promise<GuestChecks> {
    const files = Number.parseInt(await this.exec('/usr/bin/check-integrity', [], limit))
    const rows = Number.parseInt(await this.exec('/usr/bin/audit-verify', [], limit))
    return { files, rows }
  }
}
