import { workflowInfo } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import type {
  RetentionActivities,
  RetentionRecordActivities,
  Survey,
  SweepBatchPoint,
  SweepPlan,
} from '../../activities/retention/types.ts'
import { conduct, notingItsEnd } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { RunControl } from '../shared/control.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import { Approval } from './approval.ts'
import { collectWhenWorth } from './collect.ts'
import { record } from './context.ts'
import type { SweepContext } from './context.ts'
import type { SweepApprovalWish, SweepInput, SweepResult } from './contract.ts'

/** A history stays below 10,000 events; what is left goes with the next sweep. */
const mostBatches = 400

/**
 * One retention sweep of one repository: look, plan, wait for the grace time or a person, look again, put tombstones,
 * collect. Nothing is decided here: the plan is a pure function of what the repository says and of the policies, and the
 * repository itself refuses what its guards keep.
 */
export async function retentionSweep(input: SweepInput): Promise<SweepResult> {
  const control = new RunControl(input.tuning)
  const approval = new Approval()
  const ids = new StepIds()
  const { repository, requestedBy } = input
  const ctx: SweepContext = { input, control, ids, actor: `sweep:${requestedBy.user}`.slice(0, 200) }
  return conduct(
    {
      kind: 'retention',
      vmId: null,
      vmName: repository.name,
      repositoryId: repository.id,
      stem: null,
      site: repository.site,
      requestedBy,
    },
    null,
    { control, ids },
    () =>
      notingItsEnd(
        'sweep',
        () => sweep(ctx, approval),
        (state) => record(ctx, state, { endedMs: Date.now() }),
      ),
    figures,
  )
}

async function sweep(ctx: SweepContext, approval: Approval): Promise<SweepResult> {
  const { input, control } = ctx
  const plan = await look(ctx)
  const base = { v: 1, outcome: 'completed', residue: [], ...figuresOf(plan) } as const
  const none = { removed: 0, refused: 0, spared: 0, left: 0, collection: null }
  if (input.mode === 'plan') return { ...base, ...none, ended: 'planned' }

  let spared = 0
  if (plan.going > 0) {
    const agreed = await agreement(ctx, approval, plan)
    if (agreed === 'no') {
      await record(ctx, 'declined', { endedMs: Date.now() })
      return { ...base, ...none, ended: 'declined' }
    }
    if (agreed !== 'at-once') spared = await lookAgain(ctx, agreed === 'by-a-person')
  }
  const swept = await putTombstones(ctx, plan.going - spared)
  const collection = await collectWhenWorth(ctx)
  control.close('the sweep is ending')
  await record(ctx, 'completed', { endedMs: Date.now() })
  return { ...base, ...swept, spared: spared + swept.spared, collection, ended: 'completed' }
}

function figuresOf({
  digest,
  points,
  going,
  asking,
}: SweepPlan): Pick<SweepResult, 'digest' | 'points' | 'going' | 'asking'> {
  return { digest, points, going, asking }
}

async function look(ctx: SweepContext): Promise<SweepPlan> {
  const { input, control, ids } = ctx
  control.stage('Reading the points of the repository')
  const { workflowId, runId } = workflowInfo()
  const survey = await surveyed(ctx, 'survey', 'Read every point, hold and tombstone')
  control.stage('Planning')
  const { planSweep } = controlSteps<RetentionRecordActivities>('record')
  return planSweep.executeWithOptions(ids.step('plan', `Plan what goes of ${survey.points} points`), [
    {
      workflowId,
      runId,
      repositoryId: input.repository.id,
      survey,
      maxShare: input.maxShare,
      dryRun: input.mode === 'plan',
      approvalRequired: input.approval === 'required',
    },
  ])
}

function surveyed(ctx: SweepContext, id: string, summary: string): Promise<Survey> {
  const { input, control, ids } = ctx
  const mover = siteSteps<RetentionActivities>(input.repository.site, 'mover', input.tuning)
  return control.patiently('reading the points', () =>
    control.pausable(() =>
      mover.surveyRetention.executeWithOptions(ids.step(id, summary), [{ repository: input.repository }]),
    ),
  )
}

/**
 * The grace time passes by itself; a plan that takes much of a series waits for a person. Where nobody comes in time only
 * what was asked for stays: one VM stops neither the retention of the others nor the collection.
 */
async function agreement(
  ctx: SweepContext,
  approval: Approval,
  plan: SweepPlan,
): Promise<'no' | 'at-once' | 'by-time' | 'by-a-person'> {
  const { input, control } = ctx
  const needsPerson = input.approval === 'required' || plan.asking > 0
  if (!needsPerson && input.graceMs === 0) return 'at-once'
  const fromMs = Date.now()
  const timeoutMs = needsPerson ? input.approveWithinMs : input.graceMs
  const going = `${plan.going} ${plan.going === 1 ? 'point' : 'points'}`
  const why =
    plan.worst === null
      ? `${going} to be removed`
      : `${going} to be removed, ${plan.worst.going} of the ${plan.worst.points} of ${plan.worst.vm} among them`
  const waits = { for: needsPerson ? ('approval' as const) : ('grace' as const), untilMs: fromMs + timeoutMs }
  approval.want(plan.digest)
  await record(ctx, 'waiting', { waits })
  control.stage(needsPerson ? `**Approval needed**: ${why} (plan ${plan.digest})` : `Grace time: ${why}`)
  // A wait for a person is read as such by its first word.
  const summary = needsPerson ? `waiting: approval of plan ${plan.digest}: ${why}` : `grace time: ${why}`
  const given = await approval.given(timeoutMs, summary)
  if (given === null && input.approval === 'required') return 'no'
  await control.gate()
  await record(ctx, 'removing', approvalOf(given))
  return given === null ? 'by-time' : 'by-a-person'
}

function approvalOf(given: SweepApprovalWish | null): { approval?: { user: string; reason: string; ms: number } } {
  return given === null ? {} : { approval: { user: given.user, reason: given.reason, ms: Date.now() } }
}

/** What was held, or is kept by another policy, since the plan was made stays, and so does too much of a series. Nothing new goes. */
async function lookAgain(ctx: SweepContext, isApproved: boolean): Promise<number> {
  const { input, control, ids } = ctx
  control.stage('Looking again before anything is removed')
  const { runId } = workflowInfo()
  const survey = await surveyed(ctx, 'survey-again', 'Read the points again: the plan has waited')
  const { confirmSweep } = controlSteps<RetentionRecordActivities>('record')
  const { spared } = await confirmSweep.executeWithOptions(ids.step('confirm', 'Spare what is kept by now'), [
    { runId, repositoryId: input.repository.id, survey, maxShare: input.maxShare, isApproved },
  ])
  return spared
}

type TakenBatch = NonNullable<Parameters<RetentionRecordActivities['nextSweepBatch']>[0]['done']>

async function putTombstones(
  ctx: SweepContext,
  going: number,
): Promise<Pick<SweepResult, 'removed' | 'refused' | 'spared' | 'left'>> {
  const { input, control, ids, actor } = ctx
  const { repository } = input
  const { runId } = workflowInfo()
  const mover = siteSteps<RetentionActivities>(repository.site, 'mover', input.tuning)
  const { nextSweepBatch } = controlSteps<RetentionRecordActivities>('record')
  const common = { runId, repositoryId: repository.id, by: actor }
  if (going > 0) {
    await record(ctx, 'removing', {})
    control.stage(`Putting tombstones on ${going} points`)
  }
  let removed = 0
  let refused = 0
  let spared = 0
  let next: readonly SweepBatchPoint[] = []
  const take = async (summary: string, done: TakenBatch | null): Promise<void> => {
    const step = ids.step('next-batch', summary)
    const taken = await nextSweepBatch.executeWithOptions(step, [{ ...common, done, atMs: Date.now() }])
    next = taken.points
    // Histories of before 23 November 2026 say nothing of it.
    spared += (taken as Partial<typeof taken>).spared ?? 0
  }
  if (going > 0) await take('Take the first points of the plan', null)
  for (let batch = 1; next.length > 0 && batch <= mostBatches; batch += 1) {
    const points = next
    const title = `${points.length} tombstones, ${removed} of ${going} done`
    const done = await control.patiently('putting tombstones', () =>
      control.pausable(() =>
        mover.tombstonePoints.executeWithOptions(ids.step(`tombstone:${batch}`, title), [
          { repository, points, actor },
        ]),
      ),
    )
    refused += done.refused.length
    removed += points.length - done.refused.length
    await take('Write down what became of them, look at the next again', { points, refused: done.refused })
  }
  await tidy(ctx)
  return { removed, refused, spared, left: next.length === 0 ? 0 : going - removed - refused - spared }
}

async function tidy({ input, control, ids, actor }: SweepContext): Promise<void> {
  const { repository } = input
  const mover = siteSteps<RetentionActivities>(repository.site, 'mover', input.tuning)
  await control.patiently('removing what has a tombstone', () =>
    control.pausable(() =>
      mover.tidyRepository.executeWithOptions(
        ids.step('tidy', 'Remove what has a tombstone, abandon what nobody validates'),
        [{ repository, actor }],
      ),
    ),
  )
}

function figures(result: SweepResult): RunFigures {
  return { summary: summaryOf(result), bytesRead: 0, bytesStored: 0, made: null }
}

function summaryOf({ ended, points, going, asking, removed, refused, spared, left, collection }: SweepResult): string {
  const many = (n: number) => `${n} ${n === 1 ? 'point' : 'points'}`
  if (ended === 'planned') {
    const asks = asking === 0 ? '' : `; ${asking} series would lose more than their share and would be asked for`
    return `dry run: ${going} of ${many(points)} would go${asks}`
  }
  if (ended === 'declined') return `nothing was removed: nobody approved the removal of ${many(going)} in time`
  const parts = [`${removed} of ${many(points)} removed`]
  if (refused > 0) parts.push(`${refused} refused by the repository`)
  if (spared > 0) parts.push(`${spared} kept by a later look`)
  if (left > 0) parts.push(`${left} left for the next sweep`)
  if (collection !== null) {
    parts.push(
      collection.outcome === 'stopped'
        ? 'another collection was under way'
        : `${formatBytes(collection.deletedBytes)} freed`,
    )
    if (collection.waitingBytes > 0) parts.push(`${formatBytes(collection.waitingBytes)} to be freed later`)
  }
  return parts.join(', ')
}
