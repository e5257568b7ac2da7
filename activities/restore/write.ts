import { createHash } from 'node:crypto'
import { Context } from '@temporalio/activity'
import { HoldfastError, MiB, bytes } from '../../base/index.ts'
import type { RangeWriter } from '../../drivers/index.ts'
import { parseMoveDetails } from '../../workflows/shared/heartbeat.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { lastWord } from '../backup/copy.ts'
import { linkLimits } from '../shared/bandwidth.ts'
import type { Site } from '../shared/deps.ts'
import { stopReason } from '../shared/failures.ts'
import { MoveMark, moveMarkPath } from '../shared/move-mark.ts'
import { operate } from '../shared/operation.ts'
import { RateMeter } from '../shared/rate.ts'
import { DiskFill } from './fill.ts'
import type { DataStream } from './fill.ts'
import { targetOf } from './plan.ts'
import type { RestoreDiskInput, RestoreDiskResult } from './types.ts'

/** What is written between two moments at which the target has everything durably. */
const durableEvery = 128 * MiB

/**
 * Writes one disk of the point to its volume; holes stay holes. Every 128 MiB the volume is made durable and the offset
 * told, and marked on this host, where no kill takes it; the next attempt goes on there if it is the same volume and
 * the same point, else it begins anew. On another host it goes on at what was told, which is seconds older.
 */
export async function restoreDisk(site: Site, input: RestoreDiskInput): Promise<RestoreDiskResult> {
  const volume = input.target.disks.find(({ key }) => key === input.disk)
  if (volume === undefined) throw new HoldfastError('Internal', `the target has no disk ${input.disk}`)
  const { size } = volume
  const { attempt, workflowExecution } = Context.current().info
  // A run that was reset makes its volumes anew: nothing that was said of those before is true of them.
  const about = JSON.stringify([workflowExecution?.runId, input.disk, volume.volume, input.stem])
  const part = createHash('sha256').update(about).digest('hex').slice(0, 32)
  const base = input.attemptBase ?? 0
  using mark = new MoveMark(moveMarkPath(site.options.cacheDir, input.operation, part), { base, attempt })
  const resumeAt = durableBefore(input, volume.volume, size, mark.durable)
  const now = { stage: 'opening' as MoveDetails['stage'], offset: resumeAt, durableOffset: resumeAt, bytesStored: 0 }
  const rate = new RateMeter()
  const details = (quietMs: number): MoveDetails => ({
    v: 1,
    disk: input.disk,
    start: 0,
    end: size,
    quietMs,
    bytesRead: now.offset - resumeAt,
    chunksNew: 0,
    bytesResumed: resumeAt,
    bytesReadAgain: mark.bytesAgain(resumeAt),
    bottleneck: null,
    rate: now.stage === 'moving' ? rate.sample(site.now(), now.offset) : null,
    volume: volume.volume,
    stem: input.stem,
    ...now,
  })
  // `await`: the mark is written until the move has ended.
  return await operate(
    site,
    input,
    async (operation) => {
      const { driver, ctx, pulse } = operation
      const open = (): Promise<RangeWriter> => targetOf(driver).openWriter(ctx, input.target, input.disk)
      const write = async (reader: DataStream): Promise<void> => {
        await using fill = new DiskFill(await open(), pulse.signal, {
          launched: (offset, length) => mark.moving(offset, length),
          written: (offset, written) => {
            now.offset = offset
            now.bytesStored += written
            pulse.moved()
          },
          durable: (offset) => {
            now.durableOffset = offset
            mark.durableUpTo(offset)
          },
        })
        const every = site.options.durableEveryBytes ?? durableEvery
        await fill.write(reader, { start: resumeAt, size, every })
      }
      try {
        now.stage = 'waiting-for-slot'
        using _slot = await site.options.slots.take(pulse.signal, { isRestore: true })
        now.stage = 'opening'
        pulse.moved()
        await site.repository(input.repository, async (repository) => {
          using pace = await site.options.bandwidth.join(linkLimits(input.endpoint.id, input.repository.id, 'restore'))
          await using point = await repository.openPoint(input.stem)
          const disk = point.disk(input.disk)
          now.stage = 'moving'
          await write({
            stream: (start, end, signal) =>
              disk.stream(start, end, signal, {
                isRestore: true,
                // A wait for a shared limit is not a stall, nor is one for memory.
                pace: (stored, until) => pace.take(stored, until, () => pulse.moved()),
                onWaiting: (isWaiting) => {
                  now.stage = isWaiting ? 'waiting-for-slot' : 'moving'
                  pulse.moved()
                },
              }),
          })
        })
      } catch (thrown) {
        const { cancellationSignal } = Context.current()
        if (cancellationSignal.aborted && stopReason(cancellationSignal) === 'CANCELLED') mark.stopped()
        throw lastWord(operation, thrown, details)
      }
      const bytesWrittenAgain = mark.bytesAgain(resumeAt)
      return { disk: input.disk, size, writtenBytes: now.bytesStored, bytesResumed: resumeAt, bytesWrittenAgain }
    },
    { details, stallTimeoutMs: () => (now.stage === 'waiting-for-slot' ? null : input.stallTimeoutMs) },
  )
}

/** Where to go on: what an attempt before marked here, or told of this very volume and point. */
function durableBefore(input: RestoreDiskInput, volume: string, size: number, marked: number): number {
  const told = parseMoveDetails(Context.current().info.heartbeatDetails)
  const claims = [
    told && { disk: told.disk, volume: told.volume, stem: told.stem, offset: told.durableOffset },
    input.resume,
    { disk: input.disk, volume, stem: input.stem, offset: marked },
  ]
  const valid = claims.filter(
    (claim) => claim?.disk === input.disk && claim.volume === volume && claim.stem === input.stem,
  )
  return bytes(
    Math.max(
      0,
      ...valid.map((claim) => (claim && claim.offset <= size && claim.offset % MiB === 0 ? claim.offset : 0)),
    ),
  )
}
