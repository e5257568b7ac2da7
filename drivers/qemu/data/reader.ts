import type { NbdClient } from '../../../nbd/index.ts'
import { HoldfastError, KiB, MiB, bytes } from '../../../base/index.ts'
import type { OpContext, RangeReader } from '../../driver.ts'
import type { Bytes, ByteRange, DiskPoint, Extent, PointInTime, ReaderKind } from '../../values.ts'
import { allocated, isFiltered } from './extents.ts'
import { broken, connectPoint } from './connect.ts'

/** One connection, eight requests of 1 MiB: more gained nothing (drivers.md §8). */
const IN_FLIGHT = 8

/**
 * A read behind the filter must not cross a block of the filter. `hbitmap_status()` of QEMU 7.2 answers “not copied” for
 * a copied run that ends inside the range asked for, so that a longer read gets what the guest has written since,
 * instead of what the point holds (docs/adr/0303). Blocks are 64 KiB: the filter's least, and the scratch's cluster.
 */
const BLOCK = 64 * KiB

export async function openPointReader(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  prefer: readonly ReaderKind[] | undefined,
): Promise<RangeReader> {
  if (prefer && !prefer.includes('nbd'))
    throw new HoldfastError('Unsupported', `the qemu driver reads over NBD only, not over ${prefer.join(', ')}`)
  const client = await connectPoint(ctx, point, disk, [], isFiltered(point) ? (IN_FLIGHT * MiB) / BLOCK : IN_FLIGHT)
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
  readonly #piece: number
  readonly #translate: (error: unknown) => unknown

  constructor(client: NbdClient, ctx: OpContext, point: PointInTime, disk: DiskPoint) {
    this.#client = client
    this.#signal = ctx.signal
    this.#translate = (error) => broken(point, disk, error)
    this.size = client.size
    this.alignment = bytes(client.blockSizes.minimum)
    this.maxRequest = client.maxRequest
    this.#piece = isFiltered(point) ? BLOCK : this.maxRequest
    if (disk.readable === 'all') this.map = (range) => allocated(ctx, point, disk, range)
  }

  async read(at: Bytes, into: Uint8Array, signal?: AbortSignal): Promise<void> {
    const until = signal ? AbortSignal.any([signal, this.#signal]) : this.#signal
    try {
      await Promise.all(
        pieces(at, into.byteLength, this.#piece).map(([from, to]) =>
          this.#client.read(bytes(from), into.subarray(from - at, to - at), { signal: until }),
        ),
      )
    } catch (error) {
      throw this.#translate(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}

/** Cuts at the multiples of `size`. */
function pieces(at: number, length: number, size: number): [from: number, to: number][] {
  const out: [number, number][] = []
  for (let from = at; from < at + length;) {
    const to = Math.min(at + length, (Math.floor(from / size) + 1) * size)
    out.push([from, to])
    from = to
  }
  return out
}
