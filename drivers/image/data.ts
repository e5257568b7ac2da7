import { HoldfastError, describeError, isHoldfastError } from '../../base/index.ts'
import { KeyedLocks } from '../qemu/locks.ts'
import type { OpContext } from '../driver.ts'
import type { DiskPoint, PointHealth, PointInTime } from '../values.ts'
import { findExport, startExport } from './exports.ts'
import { fingerprint } from './images.ts'
import { exportOf } from './round.ts'
import type { ImageVm } from './vms.ts'

const locks = new KeyedLocks()

/**
 * Makes sure that this disk of the point is served, and returns the point as the NBD readers of the `qemu` driver take
 * it: with the socket to connect to. An export whose process is gone is started anew if the image is still untouched;
 * else the point is broken.
 */
export async function servedPoint(vm: ImageVm, point: PointInTime, disk: DiskPoint): Promise<PointInTime> {
  await locks.hold(String(disk.locator['socket']), async () => {
    if ((await findExport(vm, String(disk.locator['name']))) !== null) return
    const why = await brokenBy(vm, disk)
    if (why !== null) throw new HoldfastError('PointBroken', `point ${point.id}: ${why}`)
    await startExport(vm, exportOf(imageOf(vm, disk), disk))
    // Between the look and the lock somebody may have written.
    const after = await brokenBy(vm, disk)
    if (after !== null) throw new HoldfastError('PointBroken', `point ${point.id}: ${after}`)
  })
  return { ...point, locator: { socket: disk.locator['socket'] ?? null } }
}

/** Whole as long as no image of it was touched since it was opened. */
export async function pointHealth(vm: ImageVm, point: PointInTime, ctx: OpContext): Promise<PointHealth> {
  for (const disk of point.disks) {
    ctx.signal.throwIfAborted()
    const why = await brokenBy(vm, disk)
    if (why !== null) return { status: 'broken', why }
  }
  return { status: 'intact' }
}

async function brokenBy(vm: ImageVm, disk: DiskPoint): Promise<string | null> {
  const image = imageOf(vm, disk)
  try {
    if ((await fingerprint(image.file)) === disk.locator['print']) return null
    return `the image of disk ${disk.disk.key} was changed since the point was opened`
  } catch (error) {
    if (isHoldfastError(error)) throw error
    return `the image of disk ${disk.disk.key} cannot be looked at: ${describeError(error)}`
  }
}

function imageOf(vm: ImageVm, disk: DiskPoint): ImageVm['disks'][number] {
  const image = vm.disks.find((d) => d.key === disk.disk.key)
  if (!image) throw new HoldfastError('PointBroken', `VM “${vm.ref.name}” has no disk ${disk.disk.key} any more`)
  return image
}
