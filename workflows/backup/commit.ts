import { CancellationScope, log, workflowInfo } from '@temporalio/workflow'
import type {
  BackupActivities,
  CommittedPoint,
  CopyDiskResult,
  PreflightResult,
} from '../../activities/backup/types.ts'
import type { PointInTime } from '../../drivers/values.ts'
import { errorOf } from '../shared/failures.ts'
import { attemptsPerStart } from '../shared/attempts.ts'
import { siteSteps } from '../shared/options.ts'
import { roundRef } from './context.ts'
import type { DiskModes, RoundContext } from './context.ts'
import { atRestOf } from './stop.ts'
import type { ShutDown } from './stop.ts'

/**
 * The point was whole until the last byte was read; then the manifest is published and validated. A commit that ends
 * without an answer is looked up: whether the point exists is a fact of the repository, not of the call.
 */
export async function commitRound(
  ctx: RoundContext,
  what: {
    readonly plan: PreflightResult
    readonly point: PointInTime
    readonly modes: DiskModes
    readonly copies: readonly CopyDiskResult[]
    readonly shutDown: ShutDown | null
  },
): Promise<CommittedPoint> {
  const { input, control, ids } = ctx
  const { plan, point, modes, copies, shutDown } = what
  const round = roundRef(ctx)
  const { workflowId, runId, startTime } = workflowInfo()
  const hypervisor = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  const commit = siteSteps<BackupActivities>(input.vm.site, 'commit')

  await control.patiently('checking the point', () =>
    hypervisor.checkPoint.executeWithOptions(
      ids.step('check-point', 'Was the point whole until the last byte was read?'),
      [{ ...round, point }],
    ),
  )
  let starts = 0
  try {
    return await control.patiently('committing', () => {
      const attemptBase = attemptsPerStart * starts
      starts += 1
      return commit.commitBackup.executeWithOptions(
        ids.step('commit', 'Export the configuration, write the manifest, validate the point'),
        [
          {
            ...round,
            repository: input.repository,
            session: ctx.session,
            point,
            results: copies.map(({ part, attempt }) => ({ part, attempt })),
            disks: [...modes].map(([id, { mode, why }]) => ({ id, mode, why: why ?? '' })),
            origin: input.origin,
            name: input.name,
            description: input.description,
            startedMs: startTime.getTime(),
            run: `${workflowId}:${runId}`,
            tags: plan.tags,
            ...(input.retentionClass !== undefined && { retentionClass: input.retentionClass }),
            hypervisor: plan.hypervisor,
            attemptBase,
            ordinal: plan.ordinal,
            atRest: atRestOf(point, shutDown),
          },
        ],
      )
    })
  } catch (thrown) {
    const found = await lookUp(ctx, plan.series)
    if (found === null) throw thrown
    return found
  }
}

async function lookUp(ctx: RoundContext, series: string): Promise<CommittedPoint | null> {
  const { input, ids, pointId } = ctx
  const hypervisor = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  return CancellationScope.nonCancellable(async () => {
    try {
      return await hypervisor.findCommitted.executeWithOptions(
        {
          ...ids.step('find-committed', 'The commit ended without an answer: look whether the point exists'),
          scheduleToCloseTimeout: '30 seconds',
        },
        [{ repository: input.repository, series, pointId }],
      )
    } catch (thrown) {
      // Not to know is treated as not stored: aborting costs a larger next backup, never a change. But it is said.
      const error = errorOf(thrown)
      log.warn('whether the point was committed could not be found out', { error })
      const hint = `The repository may hold it although this run has failed: look with \`holdfast repo ls\`. It is whole if it is listed as a recovery point.`
      ctx.undo.leave({ kind: 'unknown-point', id: pointId, error: error?.message ?? 'unknown', hint })
      return null
    }
  })
}
