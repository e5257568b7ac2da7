import { Context } from '@temporalio/activity'
import { HoldfastError, MiB, bytes } from '../../base/index.ts'
import type { RangeWriter } from '../../drivers/index.ts'
import { parseMoveDetails } from '../../workflows/shared/heartbeat.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { lastWord } from '../backup/copy.ts'
import { linkLimits } from '../shared/bandwidth.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import { RateMeter } from '../shared/rate.ts'
import { DiskFill } from './fill.ts'
import type { DataStream } from './fill.ts'
import { targetOf } from './plan.ts'
import type { RestoreDiskInput, RestoreDiskResult } from './types.ts'

/** What is written between two moments at which the target has everything durably. */
const durableEvery = 128 * MiB

/**
 * Writes one disk of the point to its volume; holes stay holes. Every 128 MiB the volume is made durable and the
 * offset told; the next attempt goes on there if it is the same volume and the same point, else it begins anew.
 */
export async function restoreDisk(site: Site, input: RestoreDiskInput): Promise<RestoreDiskResult> {
  const volume = input.target.disks.find(({ key }) => key === input.disk)
  if (volume === undefined) throw new HoldfastError('Internal', `the target has no disk ${input.disk}`)
  const { size } = volume
  const resumeAt = durableBefore(input, volume.volume, size)
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
    bytesReadAgain: 0,
    bottleneck: null,
    rate: now.stage === 'moving' ? rate.sample(site.now(), now.offset) : null,
    volume: volume.volume,
    stem: input.stem,
    ...now,
  })
  return operate(
    site,
    input,
    async (operation) => {
      const { driver, ctx, pulse } = operation
      const open = (): Promise<RangeWriter> => targetOf(driver).openWriter(ctx, input.target, input.disk)
      const write = async (reader: DataStream): Promise<void> => {
        await using fill = new DiskFill(await open(), pulse.signal, (offset, written) => {
          now.offset = offset
          now.bytesStored += written
          pulse.moved()
        })
        const every = site.options.durableEveryBytes ?? durableEvery
        await fill.write(reader, { start: resumeAt, size, every }, (offset) => (now.durableOffset = offset))
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
        throw lastWord(operation, thrown, details)
      }
      return { disk: input.disk, size, writtenBytes: now.bytesStored, bytesResumed: resumeAt }
    },
    { details, stallTimeoutMs: () => (now.stage === 'waiting-for-slot' ? null : input.stallTimeoutMs) },
  )
}

/** Where to go on: what an attempt before told, if it speaks of this very volume and point. */
function durableBefore(input: RestoreDiskInput, volume: string, size: number): number {
  const told = parseMoveDetails(Context.current().info.heartbeatDetails)
  const claims = [
    told && { disk: told.disk, volume: told.volume, stem: told.stem, offset: told.durableOffset },
    input.resume,
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
