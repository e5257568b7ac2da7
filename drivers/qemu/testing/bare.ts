import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { instant, MiB } from '../../../base/index.ts'
import { QmpClient } from '../../qmp/index.ts'
import { runProgram } from '../../transport/index.ts'
import type { ContractVm, GuestWrite } from '../../contract/rig.ts'
import { bitmapNames } from '../../names.ts'
import type { DiskKey, Endpoint, EndpointId, PointId, TrackerId, VmRef } from '../../values.ts'
import { runPaths } from '../command-line.ts'
import { createDescription, readDescription, writeDescription, type VmDescription } from '../description.ts'
import { findRunning, launch, stop } from '../launch.ts'

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
  { key: 'virtio0', format: 'qcow2', size: 12 * MiB },
  // Neither a multiple of 1 MiB nor of the bitmap's 64 KiB.
  { key: 'virtio1', format: 'raw', size: 6 * MiB + 33 * 1024 + 512 },
]

export class BareVm implements ContractVm {
  readonly root: string
  readonly dir: string
  readonly endpoint: Endpoint
  readonly ref: VmRef
  disks: ContractVm['disks']
  readonly #model: Map<string, Uint8Array>
  #scratch: string | null = null
  #foreign: (name: string) => boolean = () => false

  private constructor(root: string, disks: readonly BareDisk[], options: Endpoint['options']) {
    this.root = root
    this.dir = join(root, 'vm')
    const scope = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
    this.endpoint = {
      id: 'bare' as EndpointId,
      platform: 'qemu',
      address: root,
      credentialRef: '',
      identity: null,
      options: { scope, ...options },
    }
    this.ref = { platform: 'qemu', endpoint: this.endpoint.id, scope, id: randomUUID(), name: 'bare' }
    this.disks = disks.map(contractDisk)
    this.#model = new Map()
  }

  /** Off, with blank disks. With `smallScratch` the scratch lies on a file system of so many bytes; needs root. */
  static async make(
    disks: readonly BareDisk[] = twoDisks,
    options: Endpoint['options'] = {},
    smallScratch = 0,
  ): Promise<BareVm> {
    const root = await mkdtemp(join(tmpdir(), 'hf-bare-'))
    const scratch = smallScratch === 0 ? null : join(root, 'vm', 'scratch')
    const vm = new BareVm(root, disks, { ...options, ...(scratch !== null && { scratch }) })
    if (scratch !== null) {
      await mkdir(scratch, { recursive: true })
      await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${smallScratch}`, 'tmpfs', scratch])
      vm.#scratch = scratch
    }
    await createDescription(vm.dir, describe(vm.ref.id, disks))
    for (const d of disks) await makeImage(join(vm.dir, `${d.key}.${d.format}`), d)
    return vm
  }

  async start(): Promise<void> {
    await launch(this.dir, { lifetime: 'parent' })
  }
  async stop(how: 'quit' | 'kill' = 'quit'): Promise<void> {
    await stop(this.dir, { how })
  }
  async restart(how: 'clean' | 'crash'): Promise<void> {
    await this.stop(how === 'clean' ? 'quit' : 'kill')
    await this.start()
  }

  async write(writes: readonly GuestWrite[]): Promise<void> {
    await using client = await this.monitor()
    const drops = await this.#dropsDiscards(client)
    for (const asked of writes) {
      const w: GuestWrite = drops && asked.kind === 'discard' ? { ...asked, kind: 'zeroes' } : asked
      const model = this.model(w.disk)
      // QEMU's monitor says nothing of it.
      if (w.at + w.length > model.length) throw new RangeError(`a write beyond the end of ${w.disk}`)
      await guestWrite(client, w)
      model.fill(w.kind === 'data' ? w.value : 0, w.at, w.at + w.length)
    }
  }
  /** The filter that a backup job puts over the disk ends discards (QEMU 7.2 opens it without `unmap`). */
  async #dropsDiscards(client: QmpClient): Promise<boolean> {
    return (await client.execute<readonly { type: string }[]>('query-jobs')).some((job) => job.type === 'backup')
  }
  content(disk: string): Uint8Array {
    return Uint8Array.from(this.model(disk))
  }
  /** Made when it is first asked for: a disk may be larger than memory as long as nobody writes to it. */
  model(disk: string): Uint8Array {
    const size = this.disks.find((d) => d.key === disk)?.size
    if (size === undefined) throw new Error(`no disk ${disk}`)
    const found = this.#model.get(disk) ?? new Uint8Array(size)
    this.#model.set(disk, found)
    return found
  }

  async isRunning(): Promise<boolean> {
    return (await this.qmp<{ status: string }>('query-status')).status === 'running'
  }
  async leftovers(): Promise<readonly string[]> {
    const files = (await readdir(this.dir)).filter((f) => f.startsWith('hf-') && !this.#foreign(f))
    const d = await readDescription(this.dir)
    if ((await findRunning(this.dir, d)) === null) return files
    const named = await this.qmp<readonly { 'node-name': string }[]>('query-named-block-nodes', { flat: true })
    const exports = await this.qmp<readonly { id: string }[]>('query-block-exports')
    const jobs = await this.qmp<readonly { id: string }[]>('query-jobs')
    const frozen = (await this.references()).filter((n) => n.endsWith('.frozen'))
    const nodes = named.map((n) => n['node-name']).filter((n) => n.startsWith('hf-'))
    return [...files, ...nodes, ...exports.map((e) => e.id), ...jobs.map((j) => j.id), ...frozen]
  }
  async references(): Promise<readonly string[]> {
    const nodes = await this.qmp<readonly { 'dirty-bitmaps'?: readonly { name?: string }[] }[]>(
      'query-named-block-nodes',
      { flat: true },
    )
    return nodes
      .flatMap((n) => (n['dirty-bitmaps'] ?? []).map((b) => b.name ?? ''))
      .filter((n) => n.startsWith('hf-') && !this.#foreign(n))
  }

  async resize(disk: string, size: number): Promise<void> {
    await this.qmp('block_resize', { 'node-name': `${disk}-fmt`, size })
    const before = this.model(disk)
    const after = new Uint8Array(size)
    after.set(before.subarray(0, size))
    this.#model.set(disk, after)
  }
  async overlay(disk: string): Promise<void> {
    const file = join(this.dir, `${disk}.overlay.qcow2`)
    await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', file, String(this.model(disk).length)])
    await this.qmp('blockdev-add', {
      driver: 'qcow2',
      'node-name': `${disk}-over`,
      file: { driver: 'file', filename: file, discard: 'unmap' },
      discard: 'unmap',
      backing: null,
    })
    await this.qmp('blockdev-snapshot', { node: `${disk}-fmt`, overlay: `${disk}-over` })
  }
  async replaceVolume(disk: string): Promise<void> {
    const d = await readDescription(this.dir)
    const file = join(this.dir, d.disks.find((x) => x.key === disk)?.file ?? '')
    await copyFile(file, `${file}.copy`)
    await rename(`${file}.copy`, file)
  }
  async addUnreadable(): Promise<void> {
    await mkdir(join(this.root, 'spoilt'))
    await writeFile(join(this.root, 'spoilt', 'vm.json'), '{"v":1,')
  }
  async addDisk(): Promise<void> {
    const disk: BareDisk = { key: `virtio${this.disks.length}`, format: 'qcow2', size: 4 * MiB }
    await makeImage(join(this.dir, `${disk.key}.${disk.format}`), disk)
    const d = await readDescription(this.dir)
    await writeDescription(this.dir, { ...d, disks: [...d.disks, describeDisk(disk)] })
    this.#model.set(disk.key, new Uint8Array(disk.size))
    this.disks = [...this.disks, contractDisk(disk)]
  }
  /** The one NBD server of QEMU, as another backup or a storage migration would use it. */
  async occupy(): Promise<() => Promise<void>> {
    const path = join(this.root, 'other.sock')
    await this.qmp('nbd-server-start', { addr: { type: 'unix', data: { path } } })
    await this.qmp('block-export-add', { type: 'nbd', id: 'other', 'node-name': `${this.disks[0]?.key}-fmt` })
    return async () => {
      await this.qmp('block-export-del', { id: 'other', mode: 'hard' })
      while ((await this.qmp<readonly unknown[]>('query-block-exports')).length > 0) await sleep(10)
      await this.qmp('nbd-server-stop')
    }
  }
  async plantForeign(): Promise<() => Promise<void>> {
    const theirs = 'zzzzzz'
    const point = '0123456789abcdef0123456789abcdef' as PointId
    const bitmaps = ['pbs-incremental-dirty-bitmap', bitmapNames(theirs, 'x' as TrackerId, point).record]
    const node = `${this.disks[0]?.key}-fmt`
    for (const name of bitmaps) await this.qmp('block-dirty-bitmap-add', { node, name })
    const files = [`hf-${theirs}-aaaaaaaaaaaaa.0.qcow2`, `hf-${theirs}-aaaaaaaaaaaaa.round.json`, 'hf-notes.txt'].map(
      (f) => join(this.dir, f),
    )
    for (const file of files) await writeFile(file, '{}')
    const shown = new Set(files.map((f) => basename(f)))
    this.#foreign = (name) => shown.has(name) || bitmaps.includes(name)
    return async () => {
      const nodes = await this.qmp<readonly { 'dirty-bitmaps'?: readonly { name?: string }[] }[]>(
        'query-named-block-nodes',
        { flat: true },
      )
      const left = nodes.flatMap((n) => (n['dirty-bitmaps'] ?? []).map((b) => b.name))
      for (const name of bitmaps) if (!left.includes(name)) throw new Error(`the foreign bitmap ${name} is gone`)
      for (const file of files) if (!existsSync(file)) throw new Error(`${file} is gone`)
    }
  }
  async networksOf(vm: VmRef): Promise<readonly string[]> {
    for (const folder of await readdir(this.root)) {
      const d = await readDescription(join(this.root, folder))
      if (d.uuid === vm.id) return d.nics.map((nic) => nic.network)
    }
    throw new Error(`no VM ${vm.id}`)
  }
  async fillScratch(): Promise<void> {
    if (this.#scratch === null) throw new Error('this VM has no small scratch')
    const chunk = new Uint8Array(64 * 1024).fill(1)
    await using file = await open(join(this.#scratch, 'filler'), 'w')
    try {
      for (;;) await file.write(chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  async emptyScratch(): Promise<void> {
    await rm(join(this.#scratch ?? '', 'filler'))
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
    for (const folder of await readdir(this.root))
      if (existsSync(join(this.root, folder, 'pid'))) await stop(join(this.root, folder), { how: 'kill' })
    if (this.#scratch !== null) await runProgram('umount', [this.#scratch])
    await rm(this.root, { recursive: true, force: true })
  }
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
    disks: disks.map(describeDisk),
    nics: [],
    tags: [],
    notes: '',
    owner: null,
    opKey: null,
    created: instant(Date.UTC(2026, 0, 1)),
  }
}

function describeDisk(d: BareDisk): VmDescription['disks'][number] {
  const { key, format, size } = d
  return { key, file: `${key}.${format}`, format, size, serial: `serial-${key}`, bootOrder: null }
}

function contractDisk({ key, format, size }: BareDisk): ContractVm['disks'][number] {
  return { key: key as DiskKey, size, tracked: format === 'qcow2' ? 'persistent' : 'memory' }
}
