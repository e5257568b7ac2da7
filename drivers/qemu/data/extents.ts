import {
  ALLOCATION_CONTEXT,
  changedExtents as intersect,
  dirtyRanges,
  mergeExtents,
  walkContext,
  type NbdClient,
  type Source,
  type StatusExtent,
} from '../../../nbd/index.ts'
import { HoldfastError, bytes, isHoldfastError } from '../../../base/index.ts'
import type { OpContext } from '../../driver.ts'
import { GRANULARITY } from '../../qmp/index.ts'
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
  const ranges = withEnd(dirtyRanges(dirty, context, range, ctx.signal), range, disk.disk.size)
  yield* classified(ctx, point, disk, ranges)
}

/**
 * The last granule counts as changed always: a disk that was shrunk within it and grown back has lost bytes, and no
 * bitmap shows it (docs/adr/0301). Behind the filter the frozen bitmap has it already, so that it can be read.
 */
async function* withEnd(
  ranges: AsyncIterable<ByteRange>,
  within: ByteRange,
  size: number,
): AsyncGenerator<ByteRange, void, undefined> {
  const start = bytes(Math.max(within.start, Math.floor((size - 1) / GRANULARITY) * GRANULARITY))
  for await (const range of ranges) {
    if (range.end <= start) yield range
    else if (range.start < start) yield { start: range.start, end: start }
  }
  if (start < within.end) yield { start, end: within.end }
}

/** Gap-free over the range; `zero` only where the server promises zeros. */
export function allocated(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  range: ByteRange,
): AsyncIterable<Extent> {
  return classified(ctx, point, disk, [range])
}

/**
 * Splits ranges into data and zeros by `base:allocation` of the access node. Behind the filter that alone would lose
 * data: QEMU 7.2 tells the source's allocation of today for blocks that were copied to the scratch (docs/adr/0303), so
 * what the guest has discarded since would count as zeros. What was copied is in the scratch, whose allocation is told
 * right: zero is what both call zero, the scratch being asked second, so that it knows all that the first answer could
 * have been wrong about.
 */
async function* classified(
  ctx: OpContext,
  point: PointInTime,
  disk: DiskPoint,
  ranges: Source<ByteRange>,
): AsyncGenerator<Extent, void, undefined> {
  await using access = await connectPoint(ctx, point, disk, [ALLOCATION_CONTEXT], 16)
  await using scratch = isFiltered(point)
    ? await connectPoint(ctx, point, disk, [ALLOCATION_CONTEXT], 16, 'scratch')
    : null
  const allocation = (part: ByteRange): AsyncIterable<StatusExtent> =>
    walkContext(access, ALLOCATION_CONTEXT, part, ctx.signal)
  try {
    const extents = intersect(ranges, allocation)
    yield* scratch ? mergeExtents(confirmed(extents, scratch, ctx.signal)) : extents
  } catch (error) {
    throw broken(point, disk, error)
  }
}

/** Data stays data; what is called zero is, where the scratch holds data of it, data. */
async function* confirmed(
  extents: AsyncIterable<Extent>,
  scratch: NbdClient,
  signal: AbortSignal,
): AsyncGenerator<Extent, void, undefined> {
  for await (const extent of extents) {
    if (extent.kind === 'data') yield extent
    else
      yield* intersect([{ start: extent.offset, end: bytes(extent.offset + extent.length) }], (part) =>
        walkContext(scratch, ALLOCATION_CONTEXT, part, signal),
      )
  }
}

export function isFiltered(point: PointInTime): boolean {
  return point.locator['variant'] === 'filter'
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
