import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { HoldfastError, bytes, millis, suitsDirectWrites } from '../../../base/index.ts'
import { ALLOCATION_CONTEXT, AllocationFlag, connectNbd, walkContext, type NbdClient } from '../../../nbd/index.ts'
import { socketPath, writerSocket } from '../../names.ts'
import type { OpContext, RangeWriter } from '../../driver.ts'
import type { TargetVm } from '../../facets.ts'
import {
  identify,
  isAlive,
  signalProcess,
  spawnSupervised,
  waitForExit,
  type ProcessIdentity,
} from '../../transport/index.ts'
import type { Bytes, ByteRange, DiskKey } from '../../values.ts'
import { resolveFile } from '../description.ts'
import type { Host } from '../host.ts'
import { locateVm, type Vm } from '../vm.ts'
import { readPlan } from './plan.ts'

/**
 * Writes a volume through qemu-nbd, which dies with this process. `startsZero` is looked up, not assumed: only a volume
 * that reads as zeros from end to end has never been written.
 */
export async function openTargetWriter(
  host: Host,
  ctx: OpContext,
  target: TargetVm,
  key: DiskKey,
): Promise<RangeWriter> {
  const vm = await locateVm(host, target.vm.id)
  const plan = await readPlan(vm.dir, target.opKey)
  if (!plan || plan.state !== 'filling')
    throw new HoldfastError('NotOurs', `VM “${target.vm.name}” is not being restored by this operation`)
  const n = plan.after.disks.findIndex((d) => d.key === key)
  const disk = plan.after.disks[n]
  // A disk that stays as it is belongs to the VM, which may run.
  if (!disk || plan.before?.disks.some(({ file }) => file === disk.file))
    throw new HoldfastError('NotFound', `the restore has no disk ${key}`)
  const socket = socketPath(join(vm.paths.dir, writerSocket(target.opKey, n)))
  return openVolume(host, ctx, vm, resolveFile(vm.dir, disk.file), disk.format, socket)
}

/** Serves a volume that no VM has open, and writes it through that. */
export async function openVolume(
  host: Host,
  ctx: OpContext,
  vm: Vm,
  file: string,
  format: string,
  socket: string,
): Promise<RangeWriter> {
  const server = await host.effects.run('program: qemu-nbd', () => serve(vm, file, format, socket, ctx.signal))
  try {
    const client = await connectNbd({
      address: { kind: 'unix', path: socket },
      exportName: '',
      contexts: [ALLOCATION_CONTEXT],
      maxInFlight: 8,
      requestTimeout: millis(300_000),
      signal: ctx.signal,
    })
    return new VolumeWriter(client, server, await readsAsZeros(client, ctx.signal), ctx.signal)
  } catch (error) {
    await server.end()
    throw error
  }
}

async function readsAsZeros(client: NbdClient, signal: AbortSignal): Promise<boolean> {
  if (!client.contexts.includes(ALLOCATION_CONTEXT)) return false
  const whole: ByteRange = { start: bytes(0), end: client.size }
  for await (const extent of walkContext(client, ALLOCATION_CONTEXT, whole, signal))
    if ((extent.flags & AllocationFlag.ZERO) === 0) return false
  return true
}

interface Server {
  end(): Promise<void>
}

async function serve(vm: Vm, file: string, format: string, socket: string, signal: AbortSignal): Promise<Server> {
  // A socket that a killed attempt left; its process died with it, so nobody listens.
  await rm(socket, { force: true })
  const args = [
    '--socket',
    socket,
    '--format',
    format,
    '--persistent',
    '--shared',
    '4',
    '--discard',
    'unmap',
    '--cache',
    // Written once, and flushed at the end: through the page cache it would be copied once more, and push others out of it.
    suitsDirectWrites(await statfs(file)) ? 'none' : 'writeback',
    file,
  ]
  const child = spawnSupervised('qemu-nbd', args, 'parent', 'pipe')
  const said: Buffer[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
  const who = child.pid === undefined ? null : await identify(child.pid)
  try {
    const deadline = Date.now() + 15_000
    while (!(await listens(socket, signal))) {
      const words = Buffer.concat(said).toString().trim()
      if (child.exitCode !== null || child.signalCode !== null)
        throw new HoldfastError(/lock/i.test(words) ? 'Busy' : 'AccessBlocked', `cannot write to ${file}: ${words}`, {
          hint: 'Another program holds the volume, or the worker may not write it.',
          native: { code: String(child.exitCode), text: words },
          retryAfter: 5_000,
        })
      if (Date.now() >= deadline)
        throw new HoldfastError('HypervisorTimeout', `qemu-nbd for “${vm.description.name}” did not start in 15 s`)
      await sleep(10, undefined, { signal })
    }
  } catch (error) {
    // Nobody else knows of it, and it would hold the volume's lock.
    child.kill('SIGKILL')
    signal.throwIfAborted()
    throw error
  }
  return { end: () => end(child, who, socket) }
}

async function listens(socket: string, signal: AbortSignal): Promise<boolean> {
  try {
    const client = await connectNbd({ address: { kind: 'unix', path: socket }, exportName: '', signal })
    await client.close()
    return true
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'NetworkFailure') return false
    throw error
  }
}

/** SIGTERM lets qemu-nbd close the image in order and give up its lock. */
async function end(child: ChildProcess, who: ProcessIdentity | null, socket: string): Promise<void> {
  if (who) {
    await signalProcess(who, 'SIGTERM')
    if (!(await waitForExit(who, 30_000)) && (await isAlive(who))) await signalProcess(who, 'SIGKILL')
  } else child.kill('SIGTERM')
  await rm(socket, { force: true })
}

class VolumeWriter implements RangeWriter {
  readonly kind = 'nbd'
  readonly size: Bytes
  readonly alignment: Bytes
  readonly maxInFlight = 8
  readonly order = 'random'
  readonly startsZero: boolean
  readonly #client: NbdClient
  readonly #server: Server
  readonly #signal: AbortSignal
  #disposed: Promise<void> | undefined

  constructor(client: NbdClient, server: Server, startsZero: boolean, signal: AbortSignal) {
    this.#client = client
    this.#server = server
    this.#signal = signal
    this.startsZero = startsZero
    this.size = client.size
    this.alignment = bytes(client.blockSizes.minimum)
  }

  async write(at: Bytes, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#client.write(at, data, { signal: this.#until(signal) })
  }

  /** WRITE_ZEROES without NO_HOLE: the server unmaps where what it unmaps reads as zeros (NBD protocol, proto.md). */
  async zero(range: ByteRange, signal?: AbortSignal): Promise<void> {
    await this.#client.writeZeroes(range, { signal: this.#until(signal) })
  }

  async finish(): Promise<void> {
    await this.#client.flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#disposed ??= this.#close())
  }

  async #close(): Promise<void> {
    await this.#client.close()
    await this.#server.end()
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#signal]) : this.#signal
  }
}
