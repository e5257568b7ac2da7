import { formatBytes, formatDuration } from '../../base/index.ts'
import { workflowInfo } from '@temporalio/workflow'
import type { ReplicationRecordActivities } from '../../activities/replication/types.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { conduct, notingItsEnd, type RunFigures } from '../shared/lifecycle.ts'
import { controlSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import type { ReplicationInput, ReplicationResult } from './contract.ts'
import { runRound, standbySink, trackerOf, type RoundContext } from './round.ts'

/**
 * One cycle: a state of the source is brought to its standby. Whatever cuts it off, the standby holds the state of the last
 * cycle that came whole, and the next one builds on that.
 */
export async function replicateVm(input: ReplicationInput): Promise<ReplicationResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { pair, requestedBy } = input
  return conduct(
    {
      kind: 'replication',
      vmId: pair.source.id,
      vmName: pair.source.ref.name,
      repositoryId: null,
      stem: null,
      site: pair.site,
      requestedBy,
    },
    null,
    { control, ids },
    (undo) =>
      notingItsEnd(
        'cycle',
        () => cycle(input, { control, ids, undo, tuning: input.tuning }),
        async (_state, thrown) => {
          const error = errorOf(thrown)
          const { endReplication } = controlSteps<ReplicationRecordActivities>('record')
          await endReplication.executeWithOptions(ids.step('end-cycle', 'Write down that nothing came of it'), [
            {
              ...{ id: pair.id, runId: workflowInfo().runId, state: null, change: {}, head: null, atMs: Date.now() },
              error: error ? { code: error.code, message: error.message, hint: error.hint, docs: error.docs } : null,
            },
          ])
        },
      ),
    figures,
  )
}

async function cycle(input: ReplicationInput, ctx: RoundContext): Promise<ReplicationResult> {
  const { pair } = input
  const { runId, startTime } = workflowInfo()
  const quick = controlSteps<ReplicationRecordActivities>('quick')
  await quick.beginReplication.executeWithOptions(ctx.ids.step('begin', 'Does the standby follow now?'), [
    { id: pair.id, act: 'cycle', runId, atMs: startTime.getTime() },
  ])
  const { state, writtenBytes, isFull, residue } = await runRound(ctx, {
    ...{ source: pair.source, tracker: trackerOf(pair, 'out'), sink: standbySink(pair), site: pair.site },
    ...{ full: input.full, since: null },
  })
  if (state === null) throw workflowFailure('Internal', 'a cycle came to its end without a state')
  const durationMs = Date.now() - startTime.getTime()
  const records = controlSteps<ReplicationRecordActivities>('record')
  await records.recordState.executeWithOptions(ctx.ids.step('record-state', 'Write down what the standby holds'), [
    { id: pair.id, runId, made: state, bytes: writtenBytes, durationMs, atMs: Date.now() },
  ])
  const { pointId, atMs, links } = state
  return { v: 1, outcome: 'completed', pointId, atMs, links, writtenBytes, isFull, durationMs, residue }
}

function figures({ writtenBytes, isFull, links, durationMs }: ReplicationResult): RunFigures {
  const what = isFull ? 'in full' : 'of changes'
  const summary = `${formatBytes(writtenBytes)} ${what} in ${formatDuration(durationMs)}, chain of ${links}`
  return { summary, bytesRead: writtenBytes, bytesStored: writtenBytes, made: null }
}
