import { CancellationScope, log, patched, workflowInfo } from '@temporalio/workflow'
import { bytes } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'
import type { BackupActivities, CopyDiskResult, ReleaseResult } from '../../activities/backup/types.ts'
import type { ChangeRecord, RecordActivities } from '../../activities/record/types.ts'
import { blamesThePoint, errorOf, failureOf } from '../shared/failures.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import type { ResidueItem } from '../shared/contract.ts'
import type { BackupDiskResult, BackupResult } from './contract.ts'
import { attemptsOf } from './copy.ts'
import { roundRef } from './context.ts'
import type { CommittedRound, RoundContext } from './context.ts'
import { atRestOf } from './stop.ts'

const chunksReadBack = 64

/**
 * After the repository has validated the point: advance the change reference and drop the snapshot, write the point
 * down, read some of it back, close the session. Nothing here can undo the point; what fails is said, not hidden. A
 * cancel that comes now only spares the reading back. A point that turns out damaged fails the run, and is written down
 * as such before.
 */
export async function concludeRound(ctx: RoundContext, round: CommittedRound): Promise<BackupResult> {
  const { point, committed } = round
  const residue: ResidueItem[] = []
  const disks = diskResults(round)
  ctx.control.stage('Verifying and cleaning up')
  await CancellationScope.nonCancellable(async () => {
    const released = await release(ctx, round)
    ctx.undo.forget()
    residue.push(...released.residue)
    await recordPoint(ctx, round, disks, released, residue)
  })
  const { chunks, failure } = await readBack(ctx, committed.stem, residue)
  if (failure === null && patched('2026-11-changes')) await judgeChange(ctx, committed.stem)
  await CancellationScope.nonCancellable(async () => {
    if (failure !== null && blamesThePoint(failure)) await recordDamage(ctx, committed.stem, failure, residue)
    await endSession(ctx, residue)
  })
  if (failure !== null) {
    for (const item of residue) ctx.undo.leave(item)
    throw failureOf(failure)
  }
  return {
    v: 1,
    outcome: 'completed',
    pointId: ctx.pointId,
    stem: committed.stem,
    createdMs: committed.createdMs,
    consistency: point.consistency,
    freezeDurationMs: point.quiesce.freezeDurationMs,
    ...(round.shutDown && { downMs: round.shutDown.downMs }),
    disks,
    spotCheckedChunks: chunks,
    residue,
  }
}

/** Advances the change reference. What the hypervisor does not let go is residue of a run that has its point. */
async function release(ctx: RoundContext, round: CommittedRound): Promise<ReleaseResult> {
  const { input, ids } = ctx
  const cleanup = siteSteps<BackupActivities>(input.vm.site, 'cleanup')
  try {
    return await cleanup.releasePoint.executeWithOptions(
      ids.step('release-point', 'Advance the change reference, drop the snapshot'),
      [{ ...roundRef(ctx), point: round.point, stored: round.point.disks.map(({ disk }) => disk.key) }],
    )
  } catch (thrown) {
    const error = errorOf(thrown)
    const hint = 'The next backup of this VM finds it and ends it.'
    return { refs: [], residue: [{ kind: 'snapshot', id: ctx.pointId, error: error?.message ?? 'unknown', hint }] }
  }
}

async function recordPoint(
  ctx: RoundContext,
  { plan, point, committed, shutDown }: CommittedRound,
  disks: readonly BackupDiskResult[],
  { refs }: ReleaseResult,
  residue: ResidueItem[],
): Promise<void> {
  const { input, ids } = ctx
  const { workflowId, runId } = workflowInfo()
  const steps = controlSteps<RecordActivities>('record')
  await noted(residue, { kind: 'record', id: committed.stem }, () =>
    steps.recordPoint.executeWithOptions(ids.step('record-point', 'Write the point into the catalog'), [
      {
        workflowId,
        runId,
        vmId: input.vm.id,
        repositoryId: input.repository.id,
        stem: committed.stem,
        pointId: ctx.pointId,
        series: plan.series,
        parentPointId: plan.parent?.pointId ?? null,
        createdMs: committed.createdMs,
        validatedMs: committed.validatedMs,
        origin: input.origin,
        name: input.name,
        description: input.description,
        plan: input.plan ?? null,
        consistency: point.consistency,
        freezeDurationMs: point.quiesce.freezeDurationMs,
        atRest: atRestOf(point, shutDown),
        disks,
        manifestBytes: committed.manifestBytes,
        ...(committed.lockUntilMs !== undefined && { lockUntilMs: committed.lockUntilMs }),
        refs,
      },
    ]),
  )
}

interface ReadBack {
  readonly chunks: number
  /** Fails the run, when all is tidied up. */
  readonly failure: SerializedError | null
}

/** How many chunks were read back. Damage is a failure; a repository that is away now is noted. */
async function readBack(ctx: RoundContext, stem: string, residue: ResidueItem[]): Promise<ReadBack> {
  const { input, ids } = ctx
  const site = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  const options = {
    ...ids.step('spot-check', `Read ${chunksReadBack} random chunks of the point back`),
    scheduleToCloseTimeout: '30 minutes' as const,
  }
  try {
    const { chunks } = await site.spotCheck.executeWithOptions(options, [
      { repository: input.repository, stem, chunks: chunksReadBack },
    ])
    return { chunks, failure: null }
  } catch (thrown) {
    const error = errorOf(thrown)
    if (error === undefined) return { chunks: 0, failure: null }
    const isAway = error.retry === 'transient' || error.retry === 'after' || error.retry === 'operator'
    if (blamesThePoint(error) || !isAway) return { chunks: 0, failure: error }
    residue.push({
      kind: 'unread-point',
      id: stem,
      error: error.message,
      hint: 'Run `holdfast repo verify` when the repository is back.',
    })
    return { chunks: 0, failure: null }
  }
}

/**
 * What the guest did since the point before it, and whether that is like it. That nobody could tell is written down and fails
 * nothing: the point is as good as before.
 */
async function judgeChange({ input, ids, pointId }: RoundContext, stem: string): Promise<void> {
  const site = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  const steps = controlSteps<RecordActivities>('record')
  const record = async (change: ChangeRecord['change'], problem: string | null): Promise<void> => {
    await steps.recordChange.executeWithOptions(
      { ...ids.step('record-change', 'Judge what changed'), scheduleToCloseTimeout: '10 minutes' },
      [{ pointId, change, problem }],
    )
  }
  try {
    const options = {
      ...ids.step('compare-point', 'Compare with the point before'),
      scheduleToCloseTimeout: '30 minutes' as const,
    }
    const change = await site.comparePoint.executeWithOptions(options, [{ repository: input.repository, stem }])
    await record(change, null)
  } catch (thrown) {
    const message = errorOf(thrown)?.message ?? 'the run was cancelled before'
    log.warn('what changed before the point is not known', { stem, message })
    await CancellationScope.nonCancellable(() => record(null, message)).catch((error: unknown) => {
      log.warn('that could not be written down', { stem, error: errorOf(error)?.message })
    })
  }
}

/** The point is no recovery point any more: nothing chooses it, and the next backup does not build on it. */
async function recordDamage(
  { ids, pointId }: RoundContext,
  stem: string,
  error: SerializedError,
  residue: ResidueItem[],
): Promise<void> {
  const { workflowId, runId } = workflowInfo()
  const steps = controlSteps<RecordActivities>('record')
  await noted(residue, { kind: 'record', id: stem }, () =>
    steps.recordDamage.executeWithOptions(ids.step('record-damage', 'Write down that the point is damaged'), [
      { workflowId, runId, pointId, foundMs: Date.now(), error },
    ]),
  )
}

async function endSession({ input, ids, session }: RoundContext, residue: ResidueItem[]): Promise<void> {
  const cleanup = siteSteps<BackupActivities>(input.vm.site, 'cleanup')
  await noted(residue, { kind: 'lease', id: session }, () => {
    const options = {
      ...ids.step('end-session', 'Close the repository session'),
      scheduleToCloseTimeout: '10 minutes' as const,
    }
    return cleanup.endSession.executeWithOptions(options, [
      { repository: input.repository, session, outcome: 'committed' },
    ])
  })
}

async function noted(
  residue: ResidueItem[],
  what: { kind: string; id: string },
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act()
  } catch (thrown) {
    const error = errorOf(thrown)
    log.warn(`${what.kind} ${what.id} is left`, { error })
    residue.push({ ...what, error: error?.message ?? 'unknown', hint: error?.hint ?? '' })
  }
}

function diskResults({ point, modes, copies }: CommittedRound): readonly BackupDiskResult[] {
  return point.disks.map(({ disk }) => {
    const parts = copies.filter((copy) => copy.disk === disk.key)
    const sum = (field: (copy: CopyDiskResult) => number): number =>
      bytes(parts.reduce((total, copy) => total + field(copy), 0))
    const { mode, why } = modes.get(disk.key) ?? { mode: 'full' as const, why: null }
    return {
      disk: disk.key,
      label: disk.label,
      size: disk.size,
      mode,
      why: why ?? '',
      readBytes: sum((copy) => copy.readBytes),
      newBytes: sum((copy) => copy.newBytes),
      bytesResumed: sum((copy) => copy.bytesResumed),
      bytesReadAgain: parts.some((copy) => copy.bytesReadAgain === null)
        ? null
        : sum((copy) => copy.bytesReadAgain ?? 0),
      attempts: Math.max(1, ...parts.map(attemptsOf)),
    }
  })
}
