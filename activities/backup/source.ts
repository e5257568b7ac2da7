import { HoldfastError, bytes } from '../../base/index.ts'
import type { DiskKey, DiskPoint, HypervisorDriver, OpContext, PointInTime, RangeReader } from '../../drivers/index.ts'
import type { DiskSource, SourceExtent } from '../../repository/index.ts'
import type { MoveMark } from '../shared/move-mark.ts'

/** The one place where a driver's point becomes what the repository's writer reads. */
export function diskSource(
  at: {
    readonly driver: HypervisorDriver
    readonly ctx: OpContext
    readonly point: PointInTime
    readonly reader: RangeReader
  },
  disk: DiskPoint,
  mode: 'full' | 'incremental',
  mark: MoveMark | null,
): DiskSource {
  const { driver, ctx, point, reader } = at
  if (mode === 'full' && disk.readable !== 'all') {
    throw new HoldfastError('ChangeRefInvalid', `${disk.disk.key} cannot be read in full at this point`, {
      data: { disk: disk.disk.key, why: 'audit-mismatch' },
    })
  }
  const forced = mode === 'full' && disk.mode === 'incremental'
  return {
    size: disk.disk.size,
    readable: mode === 'full' ? 'all' : disk.readable,
    extents: (start, end) =>
      forced ? everything(reader, start, end) : changed(driver, ctx, point, disk.disk.key, start, end),
    read: async (start, into, signal) => {
      mark?.moving(start, into.byteLength)
      await readSplit(reader, start, into, signal)
    },
    maxInFlight: Math.max(1, reader.maxInFlight),
  }
}

export async function* changed(
  driver: HypervisorDriver,
  ctx: OpContext,
  point: PointInTime,
  disk: DiskKey,
  start: number,
  end: number,
): AsyncIterable<SourceExtent> {
  const answer = await driver.changedExtents(ctx, point, disk, { start: bytes(start), end: bytes(end) })
  if (answer.status === 'must-full') {
    throw new HoldfastError('ChangeRefInvalid', `the changes of ${disk} are not known: ${answer.detail}`, {
      data: { disk, why: answer.why },
    })
  }
  yield* answer.extents
}

/** Everything, with the allocation map where there is one; a hole that does not promise zeros is data. */
async function* everything(reader: RangeReader, start: number, end: number): AsyncIterable<SourceExtent> {
  if (reader.map === undefined) yield { offset: start, length: end - start, kind: 'data' }
  else yield* reader.map({ start: bytes(start), end: bytes(end) })
}

/** Readers have a largest request and an alignment; the writer knows neither. */
export async function readSplit(
  reader: RangeReader,
  start: number,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { alignment, maxRequest } = reader
  if (start % alignment !== 0 || (into.byteLength % alignment !== 0 && start + into.byteLength !== reader.size)) {
    const from = start - (start % alignment)
    const to = Math.min(reader.size, Math.ceil((start + into.byteLength) / alignment) * alignment)
    const whole = new Uint8Array(to - from)
    await readSplit(reader, from, whole, signal)
    into.set(whole.subarray(start - from, start - from + into.byteLength))
    return
  }
  const step = Math.max(alignment, maxRequest - (maxRequest % alignment))
  for (let done = 0; done < into.byteLength; done += step) {
    await reader.read(bytes(start + done), into.subarray(done, Math.min(into.byteLength, done + step)), signal)
  }
}
