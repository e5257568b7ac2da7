/** Mirror at the site: one worker reads one repository and writes another one. */
import { Context } from '@temporalio/activity'
import { isHoldfastError } from '../../base/index.ts'
import { mirrorRepository, type MirroredPoint } from '../../repository/index.ts'
import type { MoveDetails } from '../../workflows/shared/heartbeat.ts'
import { storingLimits } from '../shared/bandwidth.ts'
import type { Site } from '../shared/deps.ts'
import { beating } from '../shared/operation.ts'
import { RateMeter } from '../shared/rate.ts'
import type { CopyOutcome, MirrorActivities, WantedCopy } from './types.ts'

export type * from './types.ts'

/** Of this point alone, whatever is tried: the run goes on with the others. */
const ownFaults: readonly string[] = ['NotFound', 'PointNotRestorable', 'CommitRefused']

export function createMirrorActivities(site: Site): MirrorActivities {
  return {
    mirrorPoint: async ({ source, target, copy }) => {
      let moved: Omit<MoveDetails, 'quietMs'> | undefined
      const rates = new RateMeter()
      const details = (quietMs: number): unknown =>
        moved === undefined ? { v: 1, what: 'looking at what both have', quietMs } : { ...moved, quietMs }
      return await beating(
        site,
        (pulse) =>
          site.repository(source, (from) =>
            site.repository(target, async (to) => {
              using pace = await site.options.bandwidth.join(storingLimits(target.id))
              try {
                const { points } = await mirrorRepository(from, to, {
                  points: [copy.stem],
                  leaveRemoved: !copy.byHand,
                  // Only an attempt that was cut off may have left a copy that nobody has read back.
                  readThere: true,
                  // Of a damaged copy, and where a person names one that failed, what it inherits is not taken for granted.
                  verify: copy.byHand || copy.isDamaged === true ? 'full' : 'new',
                  // A wait for a shared limit is not a stall.
                  pace: (bytes, signal) => pace.take(bytes, signal, () => pulse.moved()),
                  signal: pulse.signal,
                  onProgress: ({ disk, diskBytes, durableOffset, offset, bytesRead, bytesResumed, ...told }) => {
                    const { bytesStored, chunksNew, bottleneck } = told
                    moved = {
                      ...{ v: 1, disk, start: 0, end: diskBytes, stage: 'moving', offset, durableOffset, bytesRead },
                      ...{
                        bytesStored,
                        chunksNew,
                        bytesResumed,
                        bytesReadAgain: 0,
                        bottleneck,
                        rate: rates.sample(site.now(), bytesRead),
                      },
                    }
                    pulse.moved()
                  },
                })
                return outcomeOf(copy, points[0])
              } catch (error) {
                if (Context.current().cancellationSignal.aborted || !isHoldfastError(error)) throw error
                if (!ownFaults.includes(error.code)) throw error
                return { ...nothing(copy), outcome: 'failed', problem: error.message }
              }
            }),
          ),
        { details },
      )
    },
  }
}

function nothing({ pointId, stem }: WantedCopy): Omit<CopyOutcome, 'outcome'> {
  return { pointId, stem, storedBytes: 0, verifiedBytes: 0, lockUntilMs: null, problem: null }
}

function outcomeOf(copy: WantedCopy, made: MirroredPoint | undefined): CopyOutcome {
  if (made === undefined || made.outcome === 'planned' || made.outcome === 'failed') {
    const problem = made?.problem ?? 'the mirror said nothing of the point'
    return { ...nothing(copy), outcome: 'failed', problem: problem.slice(0, 500) }
  }
  return {
    ...nothing(copy),
    outcome: made.outcome,
    stem: made.target,
    storedBytes: made.bytesStored,
    verifiedBytes: made.bytesVerified,
    lockUntilMs: made.lockUntilSec === undefined ? null : made.lockUntilSec * 1000,
  }
}
