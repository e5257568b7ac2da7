import { CancelledFailure, Context } from '@temporalio/activity'
import { GiB, HoldfastError } from '../../base/index.ts'
import type { Operation } from '../shared/operation.ts'
import type { Repository } from '../../repository/index.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { linkLimits } from '../shared/bandwidth.ts'
import type { Site } from '../shared/deps.ts'
import { stopReason } from '../shared/failures.ts'
import { operate } from '../shared/operation.ts'
import { RateMeter } from '../shared/rate.ts'
import { MoveMark, moveMarkPath } from '../shared/move-mark.ts'
import { diskSource } from './source.ts'
import type { CopyDiskInput, CopyDiskResult } from './types.ts'

/**
 * Copies one part of one disk into the repository. A killed or stopped attempt is continued by the next one at the
 * last durable byte, which the repository's journal knows; heartbeats only tell people about it.
 */
export async function copyDisk(site: Site, input: CopyDiskInput): Promise<CopyDiskResult> {
  const disk = input.point.disks.find((it) => it.disk.key === input.range.disk)
  if (disk === undefined) throw new HoldfastError('Internal', `the point has no disk ${input.range.disk}`)
  const start = input.range.firstPage * GiB
  const end = Math.min(disk.disk.size, (input.range.firstPage + input.range.nPages) * GiB)
  const now = {
    stage: 'opening' as MoveDetails['stage'],
    offset: start,
    durableOffset: start,
    bytesRead: 0,
    bytesStored: 0,
    chunksNew: 0,
    bytesResumed: 0,
    bytesReadAgain: 0 as number | null,
    bottleneck: null as MoveDetails['bottleneck'],
  }
  const { attempt } = Context.current().info
  const markPath = moveMarkPath(site.options.cacheDir, input.session, String(input.range.part))
  // Before anything that can fail: an attempt that leaves no mark makes the next one's figure unknown.
  using mark = new MoveMark(markPath, { base: input.attemptBase, attempt })
  const rate = new RateMeter()
  const details = (quietMs: number): MoveDetails => ({
    v: 1,
    disk: input.range.disk,
    start,
    end,
    quietMs,
    rate: now.stage === 'moving' ? rate.sample(site.now(), now.offset) : null,
    ...now,
  })

  const move = async (repository: Repository, { driver, ctx, pulse }: Operation): Promise<CopyDiskResult> => {
    now.stage = 'waiting-for-slot'
    using _slot = await site.options.slots.take(pulse.signal)
    now.stage = 'opening'
    pulse.moved()
    const links = linkLimits(input.endpoint.id, input.repository.id, 'backup')
    using pace = await site.options.bandwidth.join([...(input.limits ?? []), ...links])
    await using reader = await driver.openReader(ctx, input.point, input.range.disk)
    const source = diskSource({ driver, ctx, point: input.point, reader }, disk, input.mode, mark)
    now.stage = 'moving'
    const result = await repository.copyPart({
      session: input.session,
      part: input.range.part,
      attempt: input.attemptBase + attempt,
      diskBytes: disk.disk.size,
      source,
      mode: input.mode,
      compressionLevel: input.compressionLevel,
      ...(input.journalSourceBytes !== null && { journalSourceBytes: input.journalSourceBytes }),
      // A wait for a shared limit is not a stall.
      pace: (bytes, signal) => pace.take(bytes, signal, () => pulse.moved()),
      // Nor is one for memory, which slow copies may hold for hours.
      onWaiting: (isWaiting) => {
        now.stage = isWaiting ? 'waiting-for-slot' : 'moving'
        pulse.moved()
      },
      signal: pulse.signal,
      onProgress: (progress) => {
        const { durableOffset, offset, bytesRead, bytesResumed, bytesStored, chunksNew, bottleneck } = progress
        if (offset !== now.offset || bytesStored !== now.bytesStored || durableOffset !== now.durableOffset)
          pulse.moved()
        const bytesReadAgain = mark.bytesAgain(bytesResumed)
        Object.assign(now, {
          durableOffset,
          offset,
          bytesRead,
          bytesResumed,
          bytesStored,
          chunksNew,
          bottleneck,
          bytesReadAgain,
        })
      },
    })
    now.stage = 'finishing'
    return {
      part: result.part,
      attempt: result.attempt,
      disk: input.range.disk,
      readBytes: result.readBytes,
      newBytes: result.newBytes,
      bytesResumed: result.bytesResumed,
      bytesReadAgain: mark.bytesAgain(result.bytesResumed),
      chunksNew: result.chunksNew,
      chunksReused: result.chunksReused,
      chunksZero: result.chunksZero,
    }
  }

  return await operate(
    site,
    { endpoint: input.endpoint, operation: input.pointId, vm: input.vm },
    async (operation) => {
      try {
        return await site.repository(input.repository, (repository) => move(repository, operation))
      } catch (thrown) {
        const { cancellationSignal } = Context.current()
        if (cancellationSignal.aborted && stopReason(cancellationSignal) === 'CANCELLED') mark.stopped()
        throw lastWord(operation, thrown, details)
      }
    },
    // A wait for a free slot is not a stall.
    { details, stallTimeoutMs: () => (now.stage === 'waiting-for-slot' ? null : input.stallTimeoutMs) },
  )
}

/** A stopped mover says exactly where it stood: in its heartbeat for the next attempt, in its cancel for the workflow. */
export function lastWord({ pulse }: Operation, thrown: unknown, details: (quietMs: number) => unknown): unknown {
  const { cancellationSignal } = Context.current()
  if (!cancellationSignal.aborted) return pulse.signal.aborted ? pulse.signal.reason : thrown
  pulse.flush()
  const reason = stopReason(cancellationSignal)
  return reason === 'WORKER_SHUTDOWN' ? thrown : new CancelledFailure(reason, [details(0)])
}
