import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant, MiB } from '../../../base/index.ts'
import { QmpClient } from '../../qmp/index.ts'
import { runProgram } from '../../transport/index.ts'
import type { Endpoint, EndpointId } from '../../values.ts'
import { runPaths } from '../command-line.ts'
import { createDescription, readDescription, type VmDescription } from '../description.ts'
import { launch, stop } from '../launch.ts'

/**
 * A VM without a guest: QEMU with disks and nobody in it. Writes come from the monitor, through the very device a guest
 * would use, so that every byte ever written is known to the test; it starts in a tenth of a second.
 */
export interface BareDisk {
  readonly key: string
  readonly format: 'qcow2' | 'raw'
  readonly size: number
}
export const twoDisks: readonly BareDisk[] = [
  { key: 'virtio0', format: 'qcow2', size: 24 * MiB },
  // Neither a multiple of 1 MiB nor of the bitmap's 64 KiB.
  { key: 'virtio1', format: 'raw', size: 9 * MiB + 33 * 1024 + 512 },
]

export class BareVm implements AsyncDisposable {
  readonly root: string
  readonly dir: string
  readonly uuid: string
  readonly endpoint: Endpoint

  private constructor(root: string, uuid: string, options: Endpoint['options']) {
    this.root = root
    this.dir = join(root, 'vm')
    this.uuid = uuid
    this.endpoint = {
      id: 'bare' as EndpointId,
      platform: 'qemu',
      address: root,
      credentialRef: '',
      identity: null,
      options: { scope: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', ...options },
    }
  }

  static async make(disks: readonly BareDisk[] = twoDisks, options: Endpoint['options'] = {}): Promise<BareVm> {
    const vm = new BareVm(await mkdtemp(join(tmpdir(), 'hf-bare-')), randomUUID(), options)
    await createDescription(vm.dir, describe(vm.uuid, disks))
    for (const d of disks) await makeImage(join(vm.dir, `${d.key}.${d.format}`), d)
    return vm
  }

  async start(): Promise<void> {
    await launch(this.dir, { lifetime: 'parent' })
  }
  async stop(how: 'quit' | 'kill' = 'quit'): Promise<void> {
    await stop(this.dir, { how })
  }

  /** On the second monitor: the driver has the first. */
  async qmp<T>(command: string, args?: { readonly [name: string]: unknown }): Promise<T> {
    await using client = await this.monitor()
    return await client.execute<T>(command, args)
  }
  async monitor(): Promise<QmpClient> {
    return await QmpClient.connect(runPaths(this.dir, await readDescription(this.dir)).qmp2)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('kill')
    await rm(this.root, { recursive: true, force: true })
  }
}

/** One write of a guest: bytes of one value, zeros by WRITE_ZEROES, or a discard. */
export interface GuestWrite {
  readonly disk: string
  readonly kind: 'data' | 'zeroes' | 'discard'
  readonly at: number
  readonly length: number
  readonly value: number
}

/** Through the device's own backend: filters see it, as they would see the guest's. */
export async function guestWrite(client: QmpClient, w: GuestWrite): Promise<void> {
  const what = {
    data: `write -P ${w.value} ${w.at} ${w.length}`,
    // -u: may unmap, as a guest's BLKZEROOUT does.
    zeroes: `write -z -u ${w.at} ${w.length}`,
    discard: `discard ${w.at} ${w.length}`,
  }[w.kind]
  const line = `qemu-io -d /machine/peripheral/${w.disk}/virtio-backend "${what}"`
  const said = await client.execute<string>('human-monitor-command', { 'command-line': line })
  if (said.trim() !== '') throw new Error(`${line}: ${said}`)
}

async function makeImage(file: string, disk: BareDisk): Promise<void> {
  await runProgram('qemu-img', ['create', '-q', '-f', disk.format, file, String(disk.size)])
}

function describe(uuid: string, disks: readonly BareDisk[]): VmDescription {
  return {
    v: 1,
    uuid,
    name: 'bare',
    memory: 32 * MiB,
    vcpus: 1,
    machine: 'pc',
    accel: 'tcg',
    firmware: 'bios',
    disks: disks.map((d) => ({
      key: d.key,
      file: `${d.key}.${d.format}`,
      format: d.format,
      size: d.size,
      serial: `serial-${d.key}`,
      bootOrder: null,
    })),
    nics: [],
    tags: [],
    notes: '',
    owner: null,
    opKey: null,
    created: instant(Date.UTC(2026, 0, 1)),
  }
}
