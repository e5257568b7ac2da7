import { isCancellation, log } from '@temporalio/workflow'
import { millis } from '../../base/index.ts'
import type { BackupActivities, PreflightInput, PreflightResult, RoundRef } from '../../activities/backup/types.ts'
import type { RecordActivities } from '../../activities/record/types.ts'
import type { Consistency, GuestHook, PointInTime } from '../../drivers/values.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { controlSteps, defaults, siteSteps } from '../shared/options.ts'
import type { BackupInput } from './contract.ts'
import { commitRound } from './commit.ts'
import { roundRef } from './context.ts'
import type { CommittedRound, DiskModes, RoundContext } from './context.ts'
import { copyParts } from './copy.ts'
import { planParts } from './parts.ts'
import { shutDownFor } from './stop.ts'

/**
 * One round: one frozen state of the VM, from preflight to a validated recovery point. The order is the safety
 * (docs/architecture.md): compensations before the freeze, session after the thaw, the change reference only after
 * the repository has validated the point (that is `concludeRound`).
 */
export async function runRound(ctx: RoundContext): Promise<CommittedRound> {
  const { input, control, ids } = ctx
  const round = roundRef(ctx)
  const hypervisor = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')

  control.stage('Preparing')
  const known = await knownPoints(ctx)
  const plan = await control.patiently('preflight', async () => {
    await control.gate()
    return hypervisor.preflight.executeWithOptions(
      {
        ...ids.step('preflight', `Look at ${input.vm.ref.name}, its hypervisor and ${input.repository.name}`),
        // A hypervisor that does not answer must not keep the others of its plan waiting: the plan tries again.
        ...(input.plan !== null && { scheduleToCloseTimeout: '15 minutes' }),
      },
      [
        {
          ...round,
          repository: input.repository,
          mode: input.mode,
          // A guest that is shut down is neither frozen nor asked to run anything.
          want: input.stopBefore === true ? 'crash' : input.want,
          onQuiesceFailure: input.onQuiesceFailure,
          freezeLimitMs: freezeLimit(input),
          damaged: known?.points ?? [],
          ...(input.disks && { selection: input.disks }),
          hooks: input.stopBefore === true ? [] : guestHooks(input),
          ...(input.stopBefore === true && { stopBefore: true }),
          ...(input.takeOverFrom !== undefined && { takeOverFrom: input.takeOverFrom }),
          ...fullInterval(input, known?.fulls ?? null),
        },
      ],
    )
  })
  if (plan.disks.length === 0) {
    throw workflowFailure('Unsupported', `${input.vm.ref.name} has no disk that can be backed up`, {
      hint: plan.skipped.map(({ label, why }) => `${label}: ${why}`).join('; ') || 'The VM has no disks.',
    })
  }

  await control.gate()
  registerLease(ctx)
  const downtime = await shutDownFor(ctx, round)
  control.stage(downtime === null ? 'Freezing, taking the snapshot, thawing' : 'Taking the snapshot')
  registerCompensations(ctx, round)
  control.opened()
  const point = await openPoint(ctx, round, plan, downtime !== null)
  const shutDown = (await downtime?.start()) ?? null
  if (downtime !== null) control.opened()

  const parts = planParts(point.disks.map(({ disk }) => ({ key: disk.key, size: disk.size })))
  const parentStem = plan.parent?.stem ?? null
  await control.patiently('opening the repository session', async () => {
    await control.gate()
    return hypervisor.openSession.executeWithOptions(
      ids.step(
        'session',
        parentStem === null ? 'Open a repository session' : 'Open a repository session, pin the parent point',
      ),
      [{ repository: input.repository, session: ctx.session, series: plan.series, parentStem, point, parts }],
    )
  })

  const modes = await auditedModes(ctx, round, plan, point)
  control.stage('Copying')
  const copies = await copyParts(ctx, { point, parts, modes })

  control.close('the point is being committed; that takes seconds')
  control.stage('Committing')
  const committed = await commitRound(ctx, { plan, point, modes, copies, shutDown })
  return { plan, point, parts, modes, copies, committed, shutDown }
}

/** What only the catalog knows. One that cannot be read does not stop a backup; the audit still looks at the parent. */
async function knownPoints({
  input,
  ids,
}: RoundContext): Promise<Awaited<ReturnType<RecordActivities['knownDamage']>> | null> {
  const { knownDamage } = controlSteps<RecordActivities>('quick')
  try {
    const options = ids.step('known-damage', `Is a point of ${input.vm.ref.name} known to be damaged?`)
    return await knownDamage.executeWithOptions(options, [{ vmId: input.vm.id, repositoryId: input.repository.id }])
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    log.warn('which points are damaged could not be looked up', { error: errorOf(thrown) })
    return null
  }
}

function freezeLimit(input: BackupInput): number {
  return input.tuning.freezeLimitMs ?? defaults.freezeLimitMs
}

function guestHooks({ hooks = [] }: BackupInput): GuestHook[] {
  return hooks.map(({ timeoutMs, ...hook }) => ({ ...hook, timeout: millis(timeoutMs) }))
}

function fullInterval(
  { fullEveryMs }: BackupInput,
  lastFulls: readonly { readonly disk: string; readonly createdMs: number }[] | null,
): Pick<PreflightInput, 'fullInterval'> {
  return fullEveryMs === undefined || fullEveryMs === null ? {} : { fullInterval: { everyMs: fullEveryMs, lastFulls } }
}

/**
 * Last in, first out: the guest runs again first, then the point goes, then a VM that was shut down is started, and the
 * session's lease is closed last.
 */
function registerLease({ input, ids, undo, session }: RoundContext): void {
  const cleanup = siteSteps<BackupActivities>(input.vm.site, 'cleanup')
  undo.push({ kind: 'lease', id: session }, async () => {
    const options = {
      ...ids.undo('session', 'end', 'Close the repository session'),
      scheduleToCloseTimeout: '10 minutes' as const,
    }
    await cleanup.endSession.executeWithOptions(options, [{ repository: input.repository, session, outcome: 'failed' }])
    return []
  })
}

function registerCompensations(ctx: RoundContext, round: RoundRef): void {
  const { input, ids, undo, pointId } = ctx
  const cleanup = siteSteps<BackupActivities>(input.vm.site, 'cleanup')
  undo.push({ kind: 'snapshot', id: pointId }, async () => {
    const { residue } = await cleanup.abortPoint.executeWithOptions(
      ids.undo('open-point', 'abort', 'Remove snapshot, scratch and exports; put the change reference back'),
      [{ ...round, point: null }],
    )
    return residue
  })
  undo.push({ kind: 'frozen-guest', id: input.vm.ref.name }, async () => {
    await cleanup.ensureRunning.executeWithOptions(ids.undo('open-point', 'thaw', 'Make sure that the guest runs'), [
      round,
    ])
    return []
  })
}

/**
 * At most three attempts, and never waited for: whatever went wrong, the guest may have been frozen for it, and each
 * further try would freeze it again. What the guest refuses is degraded where the policy allows it.
 */
async function openPoint(
  ctx: RoundContext,
  round: RoundRef,
  plan: PreflightResult,
  isDown: boolean,
): Promise<PointInTime> {
  const { input, control, ids, history } = ctx
  const quiesce = siteSteps<BackupActivities>(input.vm.site, 'quiesce')
  const open = async (want: Consistency, summary: string): Promise<PointInTime> => {
    await control.gate()
    return quiesce.openPoint.executeWithOptions(ids.step('open-point', summary), [
      {
        ...round,
        request: {
          pointId: round.pointId,
          tracker: plan.tracker,
          want,
          onQuiesceFailure: input.onQuiesceFailure,
          freezeLimit: millis(freezeLimit(input)),
          audit: false,
          hooks: guestHooks(input),
          disks: plan.disks.map(({ disk, since, full }) => {
            const forced = history.forcedFull.get(disk.key) ?? history.forcedFull.get('*') ?? full
            return { disk: disk.key, since: forced === null ? since : null, full: forced }
          }),
        },
      },
    ])
  }
  try {
    const summary = isDown || input.want === 'crash' ? 'Take the snapshot' : 'Freeze, snapshot, thaw'
    return await open(input.want, summary)
  } catch (thrown) {
    const refused =
      errorOf(thrown)?.code === 'QuiesceFailed' && input.onQuiesceFailure === 'degrade' && input.want !== 'crash'
    if (!refused) throw thrown
    return open('crash', 'Take the snapshot without freezing: the guest could not be frozen, and the policy allows it')
  }
}

/** The audit costs seconds and can only make a disk full; a mover that cannot read the parent does not stop the run. */
async function auditedModes(
  ctx: RoundContext,
  round: RoundRef,
  plan: PreflightResult,
  point: PointInTime,
): Promise<DiskModes> {
  const { input, control, ids } = ctx
  const modes = new Map(point.disks.map(({ disk, mode, why }) => [disk.key, { mode, why }]))
  const audited = point.disks.filter(({ mode, readable }) => mode === 'incremental' && readable === 'all')
  if (plan.parent === null || audited.length === 0) return modes
  const parentStem = plan.parent.stem
  const hypervisor = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  const { mismatched } = await control.patiently('auditing the change tracker', async () => {
    await control.gate()
    return hypervisor.auditTracker.executeWithOptions(
      ids.step('audit', 'Audit the change tracker: compare unchanged chunks with the parent point'),
      [
        {
          ...round,
          repository: input.repository,
          point,
          parentStem,
          ordinal: plan.ordinal,
          disks: audited.map(({ disk }) => disk.key),
        },
      ],
    )
  })
  for (const { disk } of mismatched) modes.set(disk, { mode: 'full', why: 'audit-mismatch' })
  return modes
}
