import {
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  workflowInfo,
} from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { ReplicationActivities, ReplicationRecordActivities } from '../../activities/replication/types.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { conduct, notingItsEnd, type RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import { replicationWorkflowId, type FailoverInput, type FailoverResult } from './contract.ts'
import { failBack } from './failback.ts'
import {
  readInFull,
  requireStillOff,
  runRoundKeeping,
  shutDown,
  type Begun,
  type Ending,
  type MoveContext,
  type Moved,
} from './move.ts'
import { runRound, standbySink, trackerOf } from './round.ts'
import { fenceSource, requireFollowing, requireStartable, takeOver } from './standby.ts'

/** Moves the guest between a source and its standby, or ends the pair. Until the guest runs, everything can be, and is, undone. */
export async function failOver(input: FailoverInput): Promise<FailoverResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { pair, requestedBy } = input
  return conduct(
    {
      kind: 'failover',
      vmId: pair.source.id,
      vmName: pair.source.ref.name,
      repositoryId: null,
      stem: null,
      site: pair.site,
      requestedBy,
    },
    null,
    { control, ids },
    (undo) => {
      const ctx: MoveContext = {
        input,
        control,
        ids,
        undo,
        tuning: input.tuning,
        mayRun: new Set(),
        closed: 'a failover cannot be paused: nobody runs meanwhile',
        looksAgain: patched('2026-11-failover-looks-again'),
        end: { was: null, isMoved: false },
      }
      return notingItsEnd(
        'failover',
        () => moved(ctx),
        async (_state, thrown) => {
          // The pair is free for others when what was begun is undone.
          control.stage('Putting back what was')
          await undo.unwind()
          if (ctx.end.isMoved) return
          await writeEnd(ctx, { state: stateAfterUndo(ctx), change: {}, head: null }, thrown)
        },
      )
    },
    figures,
  )
}

async function moved(ctx: MoveContext): Promise<FailoverResult> {
  const { input, ids, control } = ctx
  const { runId, startTime } = workflowInfo()
  const { move, pair } = input
  control.close(ctx.closed)
  const act = move === 'planned' || move === 'unplanned' ? 'failover' : move
  // A standby that is about to go must not be made anew by a cycle: that has to have ended first.
  // Nor may one let go of its point while the last state of a source that is down is read.
  const waits = move === 'planned' && ctx.looksAgain
  if (move === 'remove' || waits) await endCycle(pair.id)
  const quick = controlSteps<ReplicationRecordActivities>('quick')
  const begun = await quick.beginReplication.executeWithOptions(ids.step('begin', 'May this be done now?'), [
    { id: pair.id, act, runId, atMs: startTime.getTime(), ...(waits && { aside: false }) },
  ])
  ctx.end.was = begun.was
  if (act === 'failover' && !waits) await endCycle(pair.id)
  if (move === 'accept' || move === 'remove') return end(ctx)
  const { result, ending } =
    move === 'failback' ? await failBack(ctx, begun) : await (move === 'planned' ? planned(ctx) : unplanned(ctx, begun))
  // It runs: from here on nothing of the above is undone.
  ctx.undo.forget()
  ctx.end.isMoved = true
  if (ending !== null) await CancellationScope.nonCancellable(() => writeEnd(ctx, ending, null))
  return result
}

/** A cycle under way is of no use any more; one that cannot be told is refused by the standby. */
async function endCycle(pair: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(replicationWorkflowId(pair)).cancel()
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.info('no cycle was under way', { pair, answer: errorOf(thrown)?.message })
  }
}

/** As before the run, if what was begun is undone; else nobody knows which of the two runs. */
function stateAfterUndo({ input, undo, end }: MoveContext): Ending['state'] {
  const isUnsure = undo.residue.some(({ kind }) => kind === 'running-vm' || kind === 'stopped-vm')
  return isUnsure ? (input.move === 'failback' ? 'failing-back' : 'failing-over') : end.was
}

/** Throws if it cannot be written down: a run that has ended well has told the catalog who runs. */
async function writeEnd({ input, ids }: MoveContext, ending: Ending, thrown: unknown): Promise<void> {
  const error = thrown === null ? undefined : errorOf(thrown)
  const { endReplication } = controlSteps<ReplicationRecordActivities>('record')
  await endReplication.executeWithOptions(ids.step('end', 'Write down which of the two runs'), [
    {
      ...{ id: input.pair.id, runId: workflowInfo().runId, atMs: Date.now(), ...ending },
      error: error ? { code: error.code, message: error.message, hint: error.hint, docs: error.docs } : null,
    },
  ])
}

/** The source stops before its last state is read, so that nothing is missing from what is started. */
async function planned(ctx: MoveContext): Promise<Moved> {
  const { pair } = ctx.input
  const wish = {
    ...{ source: pair.source, tracker: trackerOf(pair, 'out'), sink: standbySink(pair), site: pair.site },
    ...{ full: false, since: null },
  }
  ctx.control.stage(`Bringing over what ${pair.source.ref.name} has written`)
  const first = await runRound(ctx, wish)
  const stoppedMs = Date.now()
  await shutDown(ctx, pair.source, readInFull(first))
  ctx.control.stage('Bringing over its last state')
  const last = await runRoundKeeping({ ...ctx, isDown: true }, wish)
  if (last.state === null) throw workflowFailure('Internal', 'the last state did not come to the standby')
  await requireStillOff(ctx, pair.source)
  const vm = await takeOver(ctx)
  return {
    result: {
      ...{ v: 1, outcome: 'completed', move: 'planned', atMs: last.state.atMs, lostMs: 0, fence: 'off' },
      ...{ downMs: Date.now() - stoppedMs, residue: last.residue },
    },
    ending: {
      state: 'failed-over',
      change: { fence: 'off', movedMs: Date.now(), lostMs: 0, standby: vm },
      head: last.state,
    },
  }
}

/** The last whole state is started at once; the source is switched off if anybody can reach it. */
async function unplanned(ctx: MoveContext, { headMs }: Begun): Promise<Moved> {
  const { pair } = ctx.input
  await requireStartable(ctx)
  const beganMs = Date.now()
  const fence = await fenceSource(ctx)
  const standby = await takeOver(ctx)
  const lostMs = headMs === null ? 0 : Math.max(0, beganMs - headMs)
  const hint = `Make sure that ${pair.source.ref.name} does not run where it was: two copies of it would.`
  return {
    result: {
      ...{ v: 1, outcome: 'completed', move: 'unplanned', atMs: headMs, lostMs, fence: fence.state },
      downMs: Date.now() - beganMs,
      residue:
        fence.state === 'off'
          ? []
          : [
              {
                kind: 'running-vm',
                id: pair.source.ref.name,
                error: `it could not be switched off: ${fence.why}`,
                hint,
              },
            ],
    },
    ending: {
      state: 'failed-over',
      change: { fence: fence.state, movedMs: Date.now(), lostMs, standby },
      head: null,
    },
  }
}

/** The pair ends: its standby goes, or is a VM like any other. */
async function end(ctx: MoveContext): Promise<FailoverResult> {
  const { input, control, ids } = ctx
  const { pair, move } = input
  const steps = siteSteps<ReplicationActivities>(pair.site, 'hypervisor')
  const at = { endpoint: pair.endpoint, operation: pair.id }
  control.stage(move === 'remove' ? `Removing ${pair.name}` : `${pair.name} stays where it runs`)
  if (move === 'remove') await requireFollowing(ctx)
  const { residue } =
    move === 'remove'
      ? await steps.removeStandby.executeWithOptions(ids.step('remove', `Remove ${pair.name} and all its states`), [at])
      : await steps.releaseStandby
          .executeWithOptions(ids.step('release', `${pair.name} is nobody’s standby any more`), [at])
          .then(() => ({ residue: [] }))
  const records = controlSteps<ReplicationRecordActivities>('record')
  if (residue.length > 0)
    throw workflowFailure('StillInUse', `${pair.name} could not be removed: ${residue[0]?.error ?? ''}`)
  await records.forgetReplication.executeWithOptions(ids.step('forget', 'Write down that nothing follows'), [
    { id: pair.id },
  ])
  return { v: 1, outcome: 'completed', move, atMs: null, lostMs: 0, fence: null, downMs: 0, residue: [] }
}

function figures({ move, lostMs, fence, downMs, atMs }: FailoverResult): RunFigures {
  const at = atMs === null ? '' : new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
  const words = {
    planned: `taken over without loss, down for ${formatDuration(downMs)}`,
    unplanned: `taken over as of ${at} UTC (${formatDuration(lostMs)} old); the source ${fence === 'off' ? 'is off' : 'could not be reached'}`,
    failback: `back at its source without loss, down for ${formatDuration(downMs)}`,
    accept: 'the standby stays where it runs; nothing follows any more',
    remove: 'the standby is gone; nothing follows any more',
  }
  return { summary: words[move], bytesRead: 0, bytesStored: 0, made: null }
}
