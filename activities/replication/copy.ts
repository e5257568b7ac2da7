import { Context } from '@temporalio/activity'
import { HoldfastError, MiB, bytes } from '../../base/index.ts'
import type { PointId, RangeReader, RangeWriter } from '../../drivers/index.ts'
import { parseMoveDetails, type MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { lastWord } from '../backup/copy.ts'
import { changed, readSplit } from '../backup/source.ts'
import { targetOf } from '../restore/plan.ts'
import { leavingLimits } from '../shared/bandwidth.ts'
import type { Site } from '../shared/deps.ts'
import { operate, type Operation } from '../shared/operation.ts'
import { RateMeter } from '../shared/rate.ts'
import { standbyOf } from './source.ts'
import type { ReplicateDiskInput, ReplicateDiskResult } from './types.ts'

const durableEvery = 128 * MiB
const piece = MiB

interface Opened {
  readonly writer: RangeWriter
  readonly volume: string
}

/**
 * What changed of one disk goes from the point of its source into the state of the standby. Every 128 MiB it is made
 * durable and the offset told; the next attempt goes on there if it is the same volume and the same point.
 */
export async function replicateDisk(site: Site, input: ReplicateDiskInput): Promise<ReplicateDiskResult> {
  const { point, disk, sink, source } = input
  const of = point.disks.find((one) => one.disk.key === disk)
  if (of === undefined) throw new HoldfastError('Internal', `the point has no disk ${disk}`)
  const { size } = of.disk
  const now = { stage: 'opening' as MoveDetails['stage'], offset: 0, durableOffset: 0, bytesStored: 0, bytesRead: 0 }
  let resumeAt = 0
  let volume = ''
  const rate = new RateMeter()
  const details = (quietMs: number): MoveDetails => ({
    ...{ v: 1, disk, start: 0, end: size, quietMs, chunksNew: 0, bytesResumed: resumeAt, bytesReadAgain: 0 },
    ...{ bottleneck: null, rate: now.stage === 'moving' ? rate.sample(site.now(), now.bytesRead) : null },
    ...{ volume, stem: point.id, ...now },
  })
  const place = { endpoint: source.endpoint, operation: source.pointId, vm: source.vm }
  return operate(
    site,
    sink,
    (to) =>
      operate(site, place, async (from) => {
        try {
          now.stage = 'waiting-for-slot'
          using _slot = await site.options.slots.take(to.pulse.signal)
          now.stage = 'opening'
          to.pulse.moved()
          using pace = await site.options.bandwidth.join(input.isDown === true ? [] : leavingLimits(source.endpoint.id))
          const opened = await open(to, input)
          await using writer = opened.writer
          volume = opened.volume
          if (writer.size !== size)
            throw new HoldfastError('SizeMismatch', `disk ${disk} has ${size} bytes, its volume ${writer.size}`)
          resumeAt = durableBefore(input, volume, size)
          now.offset = now.durableOffset = resumeAt
          await using reader = await from.driver.openReader(from.ctx, point, disk)
          now.stage = 'moving'
          const paced: Pace = async (count, signal) =>
            pace.take(count, signal, () => {
              to.pulse.moved()
              from.pulse.moved()
            })
          await move({ from, reader, writer, input, size, pace: paced }, resumeAt, {
            moved: (offset, read) => {
              now.offset = Math.max(now.offset, offset)
              now.bytesRead += read
              now.bytesStored += read
              to.pulse.moved()
              from.pulse.moved()
            },
            durable: (offset) => (now.durableOffset = offset),
          })
          now.offset = now.durableOffset = size
        } catch (thrown) {
          throw lastWord(to, thrown, details)
        }
        return { disk, writtenBytes: now.bytesStored, bytesResumed: resumeAt }
      }),
    { details, stallTimeoutMs: () => (now.stage === 'waiting-for-slot' ? null : input.stallTimeoutMs) },
  )
}

async function open({ driver, ctx }: Operation, { sink, point, disk }: ReplicateDiskInput): Promise<Opened> {
  if (sink.kind === 'standby') {
    const writer = await standbyOf(driver).openWriter(ctx, point.id, disk)
    return { writer, volume: writer.volume }
  }
  if (sink.target === null) throw new HoldfastError('Internal', 'the original has no volumes yet')
  const volume = sink.target.disks.find(({ key }) => key === disk)?.volume ?? disk
  return { writer: await targetOf(driver).openWriter(ctx, sink.target, disk), volume }
}

interface Move {
  readonly from: Operation
  readonly reader: RangeReader
  readonly writer: RangeWriter
  readonly input: ReplicateDiskInput
  readonly size: number
  /** Waited for before so many bytes go over the line. */
  readonly pace: Pace
}

type Pace = (count: number, signal: AbortSignal) => Promise<void>

/** Pieces fly side by side, as many as both ends take; before a durable mark all have landed. */
async function move(
  { from, reader, writer, input, size, pace }: Move,
  start: number,
  tell: { moved(offset: number, read: number): void; durable(offset: number): void },
): Promise<void> {
  const { signal } = from.pulse
  const flying = new Set<Promise<void>>()
  const most = Math.max(1, Math.min(reader.maxInFlight, writer.maxInFlight))
  let failure: { readonly error: unknown } | null = null
  const check = (): void => {
    signal.throwIfAborted()
    if (failure !== null) throw failure.error
  }
  const launch = async (work: () => Promise<void>): Promise<void> => {
    while (flying.size >= most) await Promise.race(flying)
    check()
    const one: Promise<void> = work()
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => flying.delete(one))
    flying.add(one)
  }
  const drain = async (): Promise<void> => {
    await Promise.all(flying)
    check()
  }
  let sinceDurable = 0
  try {
    for await (const extent of changed(from.driver, from.ctx, input.point, input.disk, start, size)) {
      const end = extent.offset + extent.length
      if (extent.kind === 'zero') {
        if (!writer.startsZero)
          await launch(() => writer.zero({ start: bytes(extent.offset), end: bytes(end) }, signal))
        tell.moved(end, 0)
        continue
      }
      for (let at = extent.offset; at < end;) {
        const to = Math.min(end, (Math.floor(at / piece) + 1) * piece)
        const begin = at
        await launch(async () => {
          const data = new Uint8Array(to - begin)
          await readSplit(reader, begin, data, signal)
          await pace(data.byteLength, signal)
          await writer.write(bytes(begin), data, signal)
          tell.moved(to, data.byteLength)
        })
        sinceDurable += to - begin
        at = to
        if (sinceDurable < durableEvery) continue
        await drain()
        await writer.finish()
        tell.durable(at)
        sinceDurable = 0
      }
    }
    await drain()
    await writer.finish()
  } finally {
    await Promise.allSettled(flying)
  }
}

/** Where to go on: what an attempt before told, if it speaks of this very volume and point. */
function durableBefore({ disk, point }: ReplicateDiskInput, volume: string, size: number): number {
  const told = parseMoveDetails(Context.current().info.heartbeatDetails)
  if (told?.disk !== disk || told.volume !== volume || told.stem !== (point.id satisfies PointId)) return 0
  return told.durableOffset <= size && told.durableOffset % MiB === 0 ? told.durableOffset : 0
}
