import {
  ALLOCATION_CONTEXT,
  changedExtents as intersect,
  dirtyRanges,
  mergeExtents,
  walkContext,
  type NbdClient,
} from '../../../nbd/index.ts'
import { HoldfastError, isHoldfastError } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import type { ByteRange, DiskPoint, Extent, MustFullReason, PointInTime } from '../../values.ts'
import { broken, connectPoint } from './connect.ts'

export type Changed =
  | { readonly status: 'ok'; readonly extents: AsyncIterable<Extent> }
  | { readonly status: 'must-full'; readonly why: MustFullReason; readonly detail: string }

/**
 * Incremental: what the frozen bitmap calls dirty, and whether each part of it reads as zeros now (drivers.md R11).
 * Full: the allocation map of the whole range. Two connections, because QEMU answers EINVAL to a whole query if any of
 * its contexts cannot be told for a range that is not dirty.
 */
export async function changedIn(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  range: ByteRange,
): Promise<Changed> {
  const bitmap = disk.locator['bitmap']
  if (typeof bitmap !== 'string') return { status: 'ok', extents: allocated(ctx, point, disk, range) }
  const context = `qemu:dirty-bitmap:${bitmap}`
  const tracker = await connectPoint(ctx, point, disk, [context], 8)
  if (!tracker.contexts.includes(context)) {
    await tracker.close()
    return { status: 'must-full', why: 'reference-missing', detail: `the export does not know the bitmap ${bitmap}` }
  }
  return { status: 'ok', extents: changed(ctx, point, disk, range, tracker, context) }
}

async function* changed(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  range: ByteRange,
  tracker: NbdClient,
  context: string,
): AsyncGenerator<Extent, void, undefined> {
  await using dirty = tracker
  await using allocation = await connectPoint(ctx, point, disk, [ALLOCATION_CONTEXT], 16)
  try {
    yield* intersect(dirtyRanges(dirty, context, range, ctx.signal), (part) =>
      walkContext(allocation, ALLOCATION_CONTEXT, part, ctx.signal),
    )
  } catch (error) {
    throw broken(point, disk, error)
  }
}

async function* allocated(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  range: ByteRange,
): AsyncGenerator<Extent, void, undefined> {
  await using client = await connectPoint(ctx, point, disk, [ALLOCATION_CONTEXT], 16)
  yield* allocationMap(client, point, disk, range, ctx.signal)
}

/** Gap-free over the range; `zero` only where the server promises zeros. */
export async function* allocationMap(
  client: NbdClient,
  point: PointInTime,
  disk: DiskPoint,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Extent, void, undefined> {
  try {
    if (client.contexts.includes(ALLOCATION_CONTEXT))
      yield* intersect([range], (part) => walkContext(client, ALLOCATION_CONTEXT, part, signal))
    else
      yield* mergeExtents([
        { offset: range.start, length: (range.end - range.start) as Extent['length'], kind: 'data' },
      ])
  } catch (error) {
    throw broken(point, disk, error)
  }
}

/** The first changed bytes of the disk, to read for a proof of life; null: nothing changed. */
export async function firstChanged(ctx: OpContext, point: PointInTime, disk: DiskPoint): Promise<Extent | null> {
  const range: ByteRange = { start: 0 as ByteRange['start'], end: disk.disk.size }
  const found = await changedIn(ctx, point, disk, range)
  if (found.status !== 'ok') throw new HoldfastError('PointBroken', `disk ${disk.disk.key}: ${found.detail}`)
  try {
    for await (const extent of found.extents) return extent
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'PointBroken') throw error
    throw broken(point, disk, error)
  }
  return null
}
