import { createServer, type Server, type Socket } from 'node:net'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { HoldfastError, describeError } from '../base/index.ts'
import { fitsSockets } from '../drivers/qemu/command-line.ts'
import { compareImages, type Comparison } from './compare.ts'
import { OracleCopy, type CopiedDisk } from './oracle-copy.ts'
import { LabVm } from './vm.ts'

/** What the driver sends while the VM is stopped inside the switch (rulings 17): one line of JSON, answered by `ok`. */
export interface SwitchCall {
  /** UUID, name or folder name of the VM. */
  readonly vm: string
  readonly pointId: string
  readonly disks: readonly CopiedDisk[]
}

/** Name of the environment variable by which the driver finds the oracle. Never set outside of tests. */
export const SWITCH_HOOK = 'HOLDFAST_TEST_SWITCH_HOOK'

export interface OracleOptions {
  /** Where copies and the socket are kept; a short path, because of the socket. */
  readonly folder: string
  /** Folders of all VMs that points may be taken of; asked at each call, since restores add some. */
  readonly vms: () => Promise<readonly string[]>
  /** Keeps the VM stopped until its copies are complete: for tests that end the round, or QEMU, at once. */
  readonly hold?: boolean
}

/**
 * Knows what was on the disks at the instant of each point: while the VM is stopped in the switch it starts QEMU's own
 * full copy of each disk, independent of everything in Holdfast, and later compares a restored image with it.
 */
export class Oracle implements AsyncDisposable {
  readonly socket: string
  readonly #options: OracleOptions
  readonly #server: Server
  readonly #connections = new Set<Socket>()
  readonly #copies = new Map<string, OracleCopy>()
  readonly #beginningMs = new Map<string, number>()

  private constructor(options: OracleOptions, socket: string) {
    this.socket = socket
    this.#options = options
    this.#server = createServer((connection) => this.#serve(connection))
  }

  static async start(options: OracleOptions): Promise<Oracle> {
    if (!fitsSockets(options.folder))
      throw new HoldfastError('ConfigInvalid', `${options.folder} is too long a path for the oracle’s socket`)
    await mkdir(options.folder, { recursive: true })
    const socket = join(options.folder, 'oracle.sock')
    await rm(socket, { force: true })
    const oracle = new Oracle(options, socket)
    await new Promise<void>((resolve, reject) => {
      oracle.#server.once('error', reject)
      oracle.#server.listen(socket, resolve)
    })
    return oracle
  }

  /** For the environment of the process whose driver is to call. */
  get env(): { readonly [SWITCH_HOOK]: string } {
    return { [SWITCH_HOOK]: this.socket }
  }

  /**
   * Starts copying; the VM must be stopped until this returns. A second call for a point replaces the first: that
   * round was undone.
   */
  async capture(call: SwitchCall): Promise<void> {
    const vm = await this.#find(call.vm)
    await this.forget(call.pointId)
    const copy = new OracleCopy(vm, call, join(this.#options.folder, call.pointId))
    // Before it starts, so that a copy that failed half-way is cleaned up by `forget`.
    this.#copies.set(call.pointId, copy)
    const begun = performance.now()
    await copy.start()
    this.#beginningMs.set(call.pointId, Math.round(performance.now() - begun))
    if (this.#options.hold === true) await copy.done()
  }

  /** Without a driver: stops the VM, starts the copies, lets it go on. */
  async captureNow(vm: LabVm, pointId: string, disks: readonly CopiedDisk[]): Promise<void> {
    // A connection for each: the monitor serves one client, and the copy needs it too.
    const tell = async (command: 'stop' | 'cont'): Promise<void> => {
      await using monitor = await vm.monitor()
      await monitor.execute(command)
    }
    await tell('stop')
    try {
      await this.capture({ vm: vm.description.uuid, pointId, disks })
    } finally {
      await tell('cont')
    }
  }

  /** How long the VM stood still for the copies of the point to begin; null: the oracle was not called for it. */
  beginningMs(pointId: string): number | null {
    return this.#beginningMs.get(pointId) ?? null
  }

  points(): readonly string[] {
    return [...this.#copies.keys()]
  }

  /** The raw image of a disk as it was at the instant; waits for the copy. Throws `PointBroken` if that failed. */
  async image(pointId: string, disk: string): Promise<string> {
    const copy = this.#copies.get(pointId)
    if (copy === undefined) throw new HoldfastError('NotFound', `the oracle was not called for point ${pointId}`)
    await copy.done()
    return copy.image(disk)
  }

  /** Compares an image that nobody has open with the disk as it was at the instant, byte for byte. */
  async compare(
    pointId: string,
    disk: string,
    image: { readonly file: string; readonly format: 'raw' | 'qcow2' },
  ): Promise<Comparison> {
    return compareImages({ file: await this.image(pointId, disk), format: 'raw' }, image)
  }

  /** Ends the copy if it still runs and deletes it. */
  async forget(pointId: string): Promise<void> {
    const copy = this.#copies.get(pointId)
    if (copy === undefined) return
    await copy.end()
    this.#copies.delete(pointId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const pointId of this.points()) await this.forget(pointId)
    await rm(this.#options.folder, { recursive: true, force: true })
  }

  #serve(connection: Socket): void {
    this.#connections.add(connection)
    connection.once('close', () => this.#connections.delete(connection))
    // A driver that was killed in the middle: its round is undone by whoever comes next.
    connection.once('error', () => connection.destroy())
    createInterface(connection).once('line', (line) => {
      this.#answer(line).then(
        () => connection.end('ok\n'),
        (error: unknown) => connection.end(`error ${describeError(error).replaceAll('\n', ' ')}\n`),
      )
    })
  }

  async #answer(line: string): Promise<void> {
    await this.capture(JSON.parse(line) as SwitchCall)
  }

  async #find(name: string): Promise<LabVm> {
    for (const dir of await this.#options.vms()) {
      const vm = await LabVm.open(dir)
      if ([vm.description.uuid, vm.name, dir.split('/').at(-1), dir].includes(name)) return vm
    }
    throw new HoldfastError('NotFound', `the oracle knows no VM ${name}`)
  }
}
