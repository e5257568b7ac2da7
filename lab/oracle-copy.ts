import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../base/index.ts'
import { runProgram } from '../drivers/transport/index.ts'
import type { QmpClient } from '../drivers/qmp/index.ts'
import type { LabVm } from './vm.ts'

export interface CopiedDisk {
  readonly key: string
  /** Node whose content the guest sees. */
  readonly node: string
}

interface JobInfo {
  readonly id: string
  readonly status: string
  readonly error?: string
}

/**
 * QEMU's own full copies of a VM's disks at one instant: `blockdev-backup sync=full` keeps what the guest is about to
 * overwrite (copy before write), so the copies show the moment they were started, however long they take.
 */
export class OracleCopy {
  readonly #vm: LabVm
  readonly #folder: string
  readonly #pointId: string
  readonly #disks: readonly {
    readonly key: string
    readonly node: string
    readonly name: string
    readonly file: string
  }[]
  #outcome: Promise<void> | undefined

  constructor(vm: LabVm, point: { readonly pointId: string; readonly disks: readonly CopiedDisk[] }, folder: string) {
    this.#vm = vm
    this.#folder = folder
    this.#pointId = point.pointId
    const short = createHash('sha256').update(point.pointId).digest('hex').slice(0, 12)
    // Node names have at most 31 characters.
    this.#disks = point.disks.map((d, i) => ({
      ...d,
      name: `oracle-${short}-${i}`,
      file: join(folder, `${d.key}.raw`),
    }))
  }

  /** All disks in one transaction: they stand at one instant even if the VM were not stopped. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    await using monitor = await this.#vm.monitor()
    const nodes = await monitor.execute<readonly { 'node-name': string; image: { 'virtual-size': number } }[]>(
      'query-named-block-nodes',
      { flat: true },
    )
    for (const { node, name, file } of this.#disks) {
      const size = nodes.find((n) => n['node-name'] === node)?.image['virtual-size']
      if (size === undefined) throw new HoldfastError('NotFound', `VM “${this.#vm.name}” has no block node ${node}`)
      await runProgram('qemu-img', ['create', '-q', '-f', 'raw', file, String(size)])
      const protocol = { driver: 'file', filename: file, discard: 'unmap' }
      await monitor.execute('blockdev-add', {
        driver: 'raw',
        'node-name': name,
        discard: 'unmap',
        'detect-zeroes': 'unmap',
        file: protocol,
      })
    }
    const actions = this.#disks.map(({ node, name }) => ({
      type: 'blockdev-backup',
      data: { 'job-id': name, device: node, target: name, sync: 'full', 'auto-dismiss': false },
    }))
    await monitor.execute('transaction', { actions })
    this.#outcome = this.#follow()
    // Whoever asks gets the error from `done`; until then it is not an unhandled one.
    this.#outcome.catch((error: unknown) => error)
  }

  /** Waits until the copies are complete. Throws `PointBroken` if QEMU ended or a copy failed. */
  async done(): Promise<void> {
    if (this.#outcome === undefined)
      throw new HoldfastError('PointBroken', `the oracle’s copy of ${this.#pointId} never started`)
    await this.#outcome
  }

  image(key: string): string {
    const disk = this.#disks.find((d) => d.key === key)
    if (disk === undefined)
      throw new HoldfastError('NotFound', `the oracle has no disk ${key} of point ${this.#pointId}`)
    return disk.file
  }

  /** Cancels what still runs, takes the copies out of QEMU and deletes them. */
  async end(): Promise<void> {
    if ((await this.#vm.running()) !== null) {
      await using monitor = await this.#vm.monitor()
      await this.#release(monitor, true)
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #follow(): Promise<void> {
    const mine = new Set(this.#disks.map((d) => d.name))
    for (;;) {
      // A connection per look: the monitor serves one client, and a test may want it too.
      try {
        await using monitor = await this.#vm.monitor()
        const jobs = (await monitor.execute<readonly JobInfo[]>('query-jobs')).filter((job) => mine.has(job.id))
        const failed = jobs.find((job) => job.error !== undefined)
        if (failed?.error !== undefined)
          throw new HoldfastError('PointBroken', `the oracle’s copy failed: ${failed.error}`)
        if (jobs.length < mine.size) throw new HoldfastError('PointBroken', 'the oracle’s copies are gone')
        if (jobs.every((job) => job.status === 'concluded')) return await this.#release(monitor, false)
      } catch (error) {
        if ((await this.#vm.running()) === null)
          throw new HoldfastError('PointBroken', `VM “${this.#vm.name}” ended before the oracle’s copy was complete`, {
            cause: error,
          })
        throw error
      }
      await sleep(50)
    }
  }

  async #release(monitor: QmpClient, cancel: boolean): Promise<void> {
    for (const { name } of this.#disks) {
      const jobs = await monitor.execute<readonly JobInfo[]>('query-jobs')
      const job = jobs.find((j) => j.id === name)
      if (job !== undefined) {
        if (cancel && job.status !== 'concluded') await monitor.execute('job-cancel', { id: name })
        await this.#concluded(monitor, name)
        await monitor.execute('job-dismiss', { id: name })
      }
      const nodes = await monitor.execute<readonly { 'node-name'?: string }[]>('query-named-block-nodes', {
        flat: true,
      })
      if (nodes.some((n) => n['node-name'] === name)) await monitor.execute('blockdev-del', { 'node-name': name })
    }
  }

  async #concluded(monitor: QmpClient, id: string): Promise<void> {
    const deadline = Date.now() + 30_000
    for (;;) {
      const job = (await monitor.execute<readonly JobInfo[]>('query-jobs')).find((j) => j.id === id)
      if (job === undefined || job.status === 'concluded') return
      if (Date.now() > deadline) throw new HoldfastError('HypervisorTimeout', `the oracle’s job ${id} does not end`)
      await sleep(20)
    }
  }
}
