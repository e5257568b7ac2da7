import { HoldfastError, isHoldfastError, millis } from '../../../base/index.ts'
import { connectNbd, type NbdClient } from '../../../nbd/index.ts'
import type { OpContext } from '../../driver.ts'
import type { DiskKey, DiskPoint, PointInTime } from '../../values.ts'

/** The point's disk; throws `NotFound` for one that is not in it. */
export function diskOf(point: PointInTime, key: DiskKey): DiskPoint {
  const disk = point.disks.find((d) => d.disk.key === key)
  if (!disk) throw new HoldfastError('NotFound', `disk ${key} is not in point ${point.id}`)
  return disk
}

/**
 * Connects to the export of one disk of an open point. `PointBroken` if the point is not served any more: its export,
 * its server or QEMU itself is gone, and none of them comes back by itself.
 */
export async function connectPoint(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  contexts: readonly string[],
  maxInFlight: number,
  what: 'point' | 'scratch' = 'point',
  connectTimeout = 10_000,
): Promise<NbdClient> {
  const path = String(point.locator['socket'])
  try {
    const client = await connectNbd({
      address: { kind: 'unix', path },
      exportName: exportName(disk.disk.key, what),
      contexts,
      maxInFlight,
      connectTimeout: millis(connectTimeout),
      signal: ctx.signal,
    })
    if (client.size === disk.disk.size) return client
    await client.close()
    throw new HoldfastError(
      'PointBroken',
      `disk ${disk.disk.key} of point ${point.id} has another size now: ${client.size} bytes`,
    )
  } catch (error) {
    throw broken(point, disk, error)
  }
}

/** Name of an export on the point's server: the disk, and what was saved of it so far. */
export function exportName(key: DiskKey, what: 'point' | 'scratch'): string {
  return what === 'point' ? key : `${key}/scratch`
}

/**
 * What a failed request on a point means. A connection that is refused or cut means that the export is gone, because
 * nothing but the end of the round, or of QEMU, takes it away. EINVAL and EACCES are what QEMU answers on every read
 * of a snapshot whose scratch has failed (block/copy-before-write.c). A server that is only slow has broken nothing.
 */
export function broken(point: PointInTime, disk: DiskPoint, error: unknown): unknown {
  if (!isHoldfastError(error)) return error
  const late = error.native?.code === 'ETIMEDOUT'
  const lost = !late && (error.code === 'NetworkFailure' || error.code === 'NotFound')
  const failed = error.native !== undefined && ['EINVAL', 'EACCES', 'EPERM', 'ESHUTDOWN'].includes(error.native.code)
  if (!lost && !failed) return error
  return new HoldfastError(
    'PointBroken',
    `disk ${disk.disk.key} of point ${point.id} can no longer be read: ${error.message}`,
    {
      cause: error,
      ...(error.native && { native: error.native }),
    },
  )
}
