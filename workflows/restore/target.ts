import { ActivityFailure, CancelledFailure } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import type {
  RestoreActivities,
  RestoreDiskResult,
  RestorePlace,
  RestorePlan,
  RestoreResume,
  TargetRef,
  TargetVm,
} from '../../activities/restore/types.ts'
import type { VmRef } from '../../drivers/values.ts'
import { attemptsPerStart } from '../shared/attempts.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { RepositoryRef, Tuning } from '../shared/contract.ts'
import type { RunControl } from '../shared/control.ts'
import { parseMoveDetails } from '../shared/heartbeat.ts'
import { defaults, siteSteps } from '../shared/options.ts'
import type { StepIds } from '../shared/steps.ts'
import { together } from '../shared/together.ts'

const disksAtOnce = 4

export interface RestoreContext {
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly site: string
  readonly tuning: Tuning
  readonly repository: RepositoryRef
  readonly stem: string
  readonly ref: TargetRef
}

export interface BuiltTarget {
  readonly plan: RestorePlan
  readonly target: TargetVm
  readonly vm: VmRef
  readonly disks: readonly RestoreDiskResult[]
}

/**
 * Checks, makes the target, writes its disks side by side, puts it together: powered off when it returns. Used by
 * restores and drills alike. What it made stays on the compensation stack; the caller decides when it is there to stay.
 */
export async function buildTarget(ctx: RestoreContext, place: RestorePlace): Promise<BuiltTarget> {
  const { control, ids, undo, ref, repository, stem } = ctx
  const steps = siteSteps<RestoreActivities>(ctx.site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(ctx.site, 'cleanup')

  control.stage('Checking the point and the target')
  const plan = await control.patiently('checking the target', async () => {
    await control.gate()
    return steps.planRestore.executeWithOptions(
      ids.step('plan', 'Read the point; ask the target about space, name and device model'),
      [{ ...ref, repository, stem, place }],
    )
  })

  let made: TargetVm | null = null
  const hint = `Nothing removes it by itself: look at ${ref.endpoint.address} for what carries it.`
  undo.push({ kind: 'vm', id: ref.operation, hint }, async () => {
    const { residue } = await cleanup.destroyTarget.executeWithOptions(
      ids.undo('create', 'destroy', 'Remove what this run made at the target'),
      [{ ...ref, target: made }],
    )
    return residue
  })
  control.stage('Making the target')
  const target = await control.patiently('making the target', async () => {
    await control.gate()
    return steps.createTarget.executeWithOptions(
      ids.step('create', `Make ${placeName(place)}, powered off and without network`),
      [{ ...ref, repository, stem, place }],
    )
  })
  made = target

  control.stage('Writing disks')
  const disks = await together(
    plan.disks.map((disk) => () => writeDisk(ctx, target, disk)),
    disksAtOnce,
  )

  // What only a drill looks at is never given away: our mark stays on it, by which it may be booted and is destroyed.
  if (place.isolated) return { plan, target, vm: target.vm, disks }

  control.close('the target is being put together; that takes seconds')
  if (place.place.kind === 'replace') {
    const hint = `Until then ${place.place.vm.name} has the restored disks; its old ones are kept beside them.`
    undo.push({ kind: 'volume', id: place.place.vm.name, hint }, async () => {
      await cleanup.revertTarget.executeWithOptions(ids.undo('finalize', 'revert', 'Put the old disks back'), [
        { ...ref, target },
      ])
      return []
    })
  }
  const vm = await control.patiently('putting the target together', () =>
    steps.finalizeTarget.executeWithOptions(
      ids.step(
        'finalize',
        place.place.kind === 'replace' ? 'Swap the disks in; the old ones are kept' : 'Attach disks and networks',
      ),
      [{ ...ref, target }],
    ),
  )
  return { plan, target, vm, disks }
}

async function writeDisk(
  ctx: RestoreContext,
  target: TargetVm,
  disk: RestorePlan['disks'][number],
): Promise<RestoreDiskResult> {
  const { control, ids, ref, repository, stem } = ctx
  const mover = siteSteps<RestoreActivities>(ctx.site, 'mover', ctx.tuning)
  let resume: RestoreResume | null = null
  let starts = 0
  return control.patiently(`writing ${disk.key}`, () =>
    control.pausable(async () => {
      const attemptBase = attemptsPerStart * starts
      starts += 1
      try {
        return await mover.restoreDisk.executeWithOptions(
          ids.step(`write:${disk.key}`, `${disk.key} · ${formatBytes(disk.size)}`),
          [
            {
              ...ref,
              repository,
              stem,
              target,
              resume,
              attemptBase,
              disk: disk.key,
              stallTimeoutMs: ctx.tuning.stallTimeoutMs ?? defaults.stallTimeoutMs,
            },
          ],
        )
      } catch (thrown) {
        resume = durablePart(thrown) ?? resume
        throw thrown
      }
    }),
  )
}

/** A mover that is stopped says good-bye with what it made durable; the next start verifies that before it uses it. */
function durablePart(thrown: unknown): RestoreResume | null {
  if (!(thrown instanceof ActivityFailure) || !(thrown.cause instanceof CancelledFailure)) return null
  const details = parseMoveDetails(thrown.cause.details?.[0])
  if (details?.volume === undefined || details.stem === undefined) return null
  return {
    disk: details.disk as RestoreResume['disk'],
    volume: details.volume,
    stem: details.stem,
    offset: details.durableOffset,
  }
}

function placeName({ place }: RestorePlace): string {
  return place.kind === 'new' ? place.name : `new volumes beside those of ${place.vm.name}`
}
