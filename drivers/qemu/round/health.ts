import { describeError, isHoldfastError } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import { diskNames } from '../../names.ts'
import type { DiskPoint, PointHealth, PointInTime } from '../../values.ts'
import { firstChanged } from '../data/extents.ts'
import { openPointReader } from '../data/reader.ts'
import { inspectDisks } from '../disks.ts'
import { isStopped, runState, withMonitor, type Monitor, type Vm } from '../vm.ts'
import { queryExports, queryJobs } from './dismantle.ts'

/**
 * Was the point whole all the time (drivers.md R13)? Its exports and what they stand on are there; of the job variant,
 * every job still runs without an error; of the filter, a changed range can still be read, because a snapshot that broke
 * fails every read from then on. A disk without a change has nothing that could break.
 */
export async function checkRound(vm: Vm, ctx: OpContext, point: PointInTime): Promise<PointHealth> {
  try {
    const why = await withMonitor(vm, (monitor) => standing(vm, monitor, point), ctx.signal)
    if (why !== null) return { status: 'broken', why }
  } catch (error) {
    if (isStopped(error)) return { status: 'broken', why: 'the VM has ended' }
    throw error
  }
  for (const disk of point.disks) {
    const why = await unreadable(ctx, point, disk)
    if (why !== null) return { status: 'broken', why }
  }
  return { status: 'intact' }
}

async function standing(vm: Vm, monitor: Monitor, point: PointInTime): Promise<string | null> {
  if ((await runState(monitor)) === 'io-error') return 'the guest waits for its storage'
  const exports = new Set((await queryExports(monitor)).map((e) => e.id))
  const jobs = point.locator['variant'] === 'job' ? await queryJobs(monitor) : []
  const states = await inspectDisks(vm, monitor)
  for (const { disk, locator } of point.disks) {
    const names = diskNames(point.opKey, Number(locator['n']))
    if (!exports.has(names.export))
      return `disk ${disk.key} is no longer exported: the round was ended, or given up because its scratch ran short of space`
    if (point.locator['variant'] === 'job') {
      const job = jobs.find((j) => j.id === names.job)
      if (!job || job.status !== 'running' || job.error !== undefined)
        return `the job that keeps the point of disk ${disk.key} has ended${job?.error === undefined ? '' : `: ${job.error}`}`
    } else if (states.find((s) => s.ref.key === disk.key)?.top !== names.filter)
      return `disk ${disk.key} no longer writes through the filter that keeps its point`
  }
  return null
}

async function unreadable(ctx: OpContext, point: PointInTime, disk: DiskPoint): Promise<string | null> {
  try {
    const extent = await firstChanged(ctx, point, disk)
    if (extent === null) return null
    await using reader = await openPointReader(ctx, point, disk, undefined)
    await reader.read(extent.offset, new Uint8Array(Math.min(extent.length, 4096)))
    return null
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'PointBroken') return describeError(error)
    throw error
  }
}
