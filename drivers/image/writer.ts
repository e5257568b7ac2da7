import { bytes, millis } from '../../base/index.ts'
import { ALLOCATION_CONTEXT, AllocationFlag, connectNbd, walkContext, type NbdClient } from '../../nbd/index.ts'
import type { RangeWriter } from '../driver.ts'
import type { Bytes, ByteRange, OpKey } from '../values.ts'
import { exportName, exportSocket, startExport, stopExport } from './exports.ts'
import type { ImageDisk, ImageVm } from './vms.ts'

const IN_FLIGHT = 8

/** A qemu-nbd that ends with this process, and a connection to it. */
export async function openImageWriter(
  vm: ImageVm,
  disk: ImageDisk,
  opKey: OpKey,
  n: number,
  signal: AbortSignal,
): Promise<RangeWriter> {
  const name = exportName(opKey, n)
  // Left over from an attempt that was killed: one writer per disk.
  await stopExport(vm, name)
  await startExport(vm, { name, disk, bitmaps: [], writable: true, lifetime: 'parent' })
  try {
    const client = await connectNbd({
      address: { kind: 'unix', path: exportSocket(vm, name) },
      exportName: disk.key,
      contexts: [ALLOCATION_CONTEXT],
      maxInFlight: IN_FLIGHT,
      requestTimeout: millis(300_000),
      signal,
    })
    return new ImageWriter(client, await readsAsZeros(client, signal), () => stopExport(vm, name), signal)
  } catch (error) {
    await stopExport(vm, name)
    throw error
  }
}

/** Looked up, not assumed: a retry finds what an earlier attempt wrote. */
async function readsAsZeros(client: NbdClient, signal: AbortSignal): Promise<boolean> {
  if (!client.contexts.includes(ALLOCATION_CONTEXT)) return false
  const whole: ByteRange = { start: bytes(0), end: client.size }
  for await (const extent of walkContext(client, ALLOCATION_CONTEXT, whole, signal))
    if ((extent.flags & AllocationFlag.ZERO) === 0) return false
  return true
}

class ImageWriter implements RangeWriter {
  readonly kind = 'nbd'
  readonly size: Bytes
  readonly alignment: Bytes
  readonly maxInFlight = IN_FLIGHT
  readonly order = 'random'
  readonly startsZero: boolean
  readonly #client: NbdClient
  readonly #stop: () => Promise<void>
  readonly #signal: AbortSignal

  constructor(client: NbdClient, startsZero: boolean, stop: () => Promise<void>, signal: AbortSignal) {
    this.#client = client
    this.startsZero = startsZero
    this.#stop = stop
    this.#signal = signal
    this.size = client.size
    this.alignment = bytes(client.blockSizes.minimum)
  }

  async write(at: Bytes, data: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#client.write(at, data, { signal: this.#either(signal) })
  }

  async zero(range: ByteRange, signal?: AbortSignal): Promise<void> {
    await this.#client.writeZeroes(range, { signal: this.#either(signal) })
  }

  async finish(): Promise<void> {
    await this.#client.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
    await this.#stop()
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#signal]) : this.#signal
  }
}
