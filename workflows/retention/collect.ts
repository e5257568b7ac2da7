import { workflowInfo } from '@temporalio/workflow'
import type { RetentionActivities, RetentionRecordActivities } from '../../activities/retention/types.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import type { SweepResult } from './contract.ts'
import { record } from './context.ts'
import type { SweepContext } from './context.ts'

/**
 * Garbage collection, when it is worth the reading of every page. A killed attempt is followed by a whole one: the
 * collector keeps nothing between attempts (format §9.5), and may run beside anything.
 */
export async function collectWhenWorth(ctx: SweepContext): Promise<SweepResult['collection']> {
  const { input, control, ids } = ctx
  const { repository, collect, waits } = input
  if (collect === 'never') return null
  const { runId } = workflowInfo()
  const records = controlSteps<RetentionRecordActivities>('record')
  const { why, known } = await records.prepareCollection.executeWithOptions(
    ids.step('prepare-collection', 'Is a collection worth its reading?'),
    [{ repositoryId: repository.id, want: collect, atMs: Date.now() }],
  )
  if (why === null) return null
  await record(ctx, 'collecting', {})
  control.stage(`Collecting garbage: ${why}`)
  const startedMs = Date.now()
  const mover = siteSteps<RetentionActivities>(repository.site, 'mover', input.tuning)
  const summary = await control.patiently('collecting', () =>
    control.pausable(() =>
      mover.collectGarbage.executeWithOptions(ids.step('collect', `Collect garbage: ${why}`), [
        { repository, known, waits },
      ]),
    ),
  )
  await records.recordCollection.executeWithOptions(ids.step('record-collection', 'Write down what it freed'), [
    { runId, repositoryId: repository.id, startedMs, endedMs: Date.now(), why, known, summary },
  ])
  const { outcome, deleted, waiting } = summary
  return { why, outcome, deletedPacks: deleted.packs, deletedBytes: deleted.bytes, waitingBytes: waiting.bytes }
}
