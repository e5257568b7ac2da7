import { bytes } from '../../base/index.ts'
import { connectNbd, type NbdClient } from '../../nbd/index.ts'
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
      maxInFlight: IN_FLIGHT,
      signal,
    })
    return new ImageWriter(client, () => stopExport(vm, name), signal)
  } catch (error) {
    await stopExport(vm, name)
    throw error
  }
}

class ImageWriter implements RangeWriter {
  readonly kind = 'nbd'
  readonly size: Bytes
  readonly alignment: Bytes
  readonly maxInFlight = IN_FLIGHT
  readonly order = 'random'
  /** The image was created for this restore: what nobody wrote reads as zeros. */
  readonly startsZero = true
  readonly #client: NbdClient
  readonly #stop: () => Promise<void>
  readonly #signal: AbortSignal

  constructor(client: NbdClient, stop: () => Promise<void>, signal: AbortSignal) {
    this.#client = client
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
