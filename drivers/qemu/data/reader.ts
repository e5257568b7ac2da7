import { ALLOCATION_CONTEXT, type NbdClient } from '../../../nbd/index.ts'
import { HoldfastError, MiB, bytes } from '../../../base/index.ts'
import type { OpContext, RangeReader } from '../../driver.ts'
import type { Bytes, ByteRange, DiskPoint, Extent, PointInTime, ReaderKind } from '../../values.ts'
import { allocationMap } from './extents.ts'
import { broken, connectPoint } from './connect.ts'

/** One connection, eight requests of 1 MiB: more gained nothing (drivers.md §8). */
const IN_FLIGHT = 8

export async function openPointReader(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  prefer: readonly ReaderKind[] | undefined,
): Promise<RangeReader> {
  if (prefer && !prefer.includes('nbd'))
    throw new HoldfastError('Unsupported', `the qemu driver reads over NBD only, not over ${prefer.join(', ')}`)
  const client = await connectPoint(ctx, point, disk, disk.readable === 'all' ? [ALLOCATION_CONTEXT] : [], IN_FLIGHT)
  return new PointReader(client, ctx, point, disk)
}

class PointReader implements RangeReader {
  readonly kind = 'nbd'
  readonly size: Bytes
  readonly alignment: Bytes
  readonly preferred = bytes(MiB)
  readonly maxRequest: Bytes
  readonly maxInFlight = IN_FLIGHT
  readonly map?: (range: ByteRange) => AsyncIterable<Extent>
  readonly #client: NbdClient
  readonly #signal: AbortSignal
  readonly #translate: (error: unknown) => unknown

  constructor(client: NbdClient, ctx: OpContext, point: PointInTime, disk: DiskPoint) {
    this.#client = client
    this.#signal = ctx.signal
    this.#translate = (error) => broken(point, disk, error)
    this.size = client.size
    this.alignment = bytes(client.blockSizes.minimum)
    this.maxRequest = client.maxRequest
    if (disk.readable === 'all') this.map = (range) => allocationMap(client, point, disk, range, ctx.signal)
  }

  async read(at: Bytes, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const until = signal ? AbortSignal.any([signal, this.#signal]) : this.#signal
    try {
      await this.#client.read(at, into, { signal: until })
    } catch (error) {
      throw this.#translate(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}
