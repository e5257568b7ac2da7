import { workflowInfo } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import { backgroundPriority } from '../../policy/index.ts'
import type { CheckSummary, VerifyActivities, VerifyRecordActivities } from '../../activities/verify/types.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct, notingItsEnd } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds } from '../shared/steps.ts'
import type { VerifyInput, VerifyResult } from './contract.ts'

interface VerifyContext {
  readonly input: VerifyInput
  readonly control: RunControl
  readonly ids: StepIds
}

/**
 * One verify of one repository: looks at everything, or at as much as the budget allows, and says which points and disks
 * need what is damaged. It repairs nothing; a point that needs what is proved damaged is no recovery point any more, one
 * whose bytes could not be read stays what it was.
 */
export async function verifyRepository(input: VerifyInput): Promise<VerifyResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { repository, requestedBy } = input
  const ctx: VerifyContext = { input, control, ids }
  return conduct(
    {
      kind: 'verify',
      vmId: null,
      vmName: repository.name,
      repositoryId: repository.id,
      stem: null,
      site: repository.site,
      requestedBy,
    },
    { hostId: null, priority: backgroundPriority },
    { control, ids },
    () =>
      notingItsEnd(
        'verify',
        () => verify(ctx),
        (state, thrown) => recordFailure(ctx, state, thrown),
      ),
    figures,
  )
}

async function recordFailure({ ids }: VerifyContext, state: 'cancelled' | 'failed', thrown: unknown): Promise<void> {
  const { recordVerifyEnd } = controlSteps<VerifyRecordActivities>('record')
  await recordVerifyEnd.executeWithOptions(ids.step('record-verify-end', `Write down: ${state}`), [
    { runId: workflowInfo().runId, state, error: errorOf(thrown) ?? null, atMs: Date.now() },
  ])
}

async function verify({ input, control, ids }: VerifyContext): Promise<VerifyResult> {
  const { repository, level, quarantine, budgetBytes, tuning } = input
  const { workflowId, runId, startTime } = workflowInfo()
  const site = siteSteps<VerifyActivities>(repository.site, 'hypervisor', tuning)
  const mover = siteSteps<VerifyActivities>(repository.site, 'mover', tuning)
  const records = controlSteps<VerifyRecordActivities>('record')
  await records.recordVerifyStarted.executeWithOptions(ids.step('record-verify', 'Write down what is verified'), [
    { workflowId, runId, repositoryId: repository.id, level, quarantine, budgetBytes, startedMs: startTime.getTime() },
  ])
  control.stage(`Opening ${repository.name}`)
  const begun = await control.patiently('opening the repository', () =>
    control.pausable(() =>
      site.beginVerify.executeWithOptions(ids.step('begin', 'Open the repository'), [{ repository }]),
    ),
  )
  control.stage(`Verifying ${begun.points} points, ${levelWords[level]}`)
  const summary = await control.patiently('verifying', () =>
    control.pausable(() =>
      mover.checkRepository.executeWithOptions(ids.step('check', titleOf(input, begun.points)), [
        { repository, level, quarantine, budgetBytes, sinceMs: begun.atMs },
      ]),
    ),
  )
  control.close('the verify is ending')
  const { damagedPoints, unreadablePoints, mendedPoints } = await records.recordFindings.executeWithOptions(
    ids.step('findings', 'Write down what was found, and what it means for the points'),
    [{ runId, summary, atMs: Date.now() }],
  )
  const { points, packs, packsResumed, bytes, damages, unreadable, quarantined } = summary
  return {
    v: 1,
    outcome: 'completed',
    verdict: verdictOf(summary),
    level,
    points,
    packs,
    packsResumed,
    bytes,
    damages,
    unreadable,
    quarantined,
    damagedPoints,
    unreadablePoints,
    mendedPoints,
    residue: [],
  }
}

const levelWords: { readonly [level in VerifyInput['level']]: string } = {
  quick: 'their tables and references',
  data: 'every stored byte',
  full: 'every chunk',
}

function titleOf({ level, budgetBytes }: VerifyInput, points: number): string {
  const budget = budgetBytes === null ? '' : `, ${formatBytes(budgetBytes)} of it`
  return `Check ${points} ${points === 1 ? 'point' : 'points'}: ${levelWords[level]}${budget}`
}

function verdictOf({ damages, unreadable }: CheckSummary): VerifyResult['verdict'] {
  return damages > 0 ? 'damaged' : unreadable > 0 ? 'unreadable' : 'sound'
}

function figures(result: VerifyResult): RunFigures {
  return { summary: summaryOf(result), bytesRead: result.bytes, bytesStored: 0, made: null }
}

function summaryOf(result: VerifyResult): string {
  const { verdict, points, packs, bytes, damages, unreadable, quarantined, damagedPoints, mendedPoints } = result
  const many = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
  const parts = [
    verdict === 'sound'
      ? `${many(points, 'point')} and ${many(packs, 'pack')} are sound, ${formatBytes(bytes)} read`
      : verdict === 'damaged'
        ? `${many(damages, 'object')} damaged, ${many(damagedPoints, 'point')} of ${points} lose something by it`
        : `nothing is proved damaged, and ${many(unreadable, 'object')} could not be read`,
  ]
  if (verdict === 'damaged' && unreadable > 0) parts.push(`${many(unreadable, 'other object')} could not be read`)
  if (quarantined > 0) parts.push(`${quarantined} quarantined`)
  if (mendedPoints > 0) parts.push(`${many(mendedPoints, 'point')} whole again`)
  return parts.join('; ')
}
