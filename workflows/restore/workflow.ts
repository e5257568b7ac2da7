import { CancellationScope, isCancellation, patched, uuid4 } from '@temporalio/workflow'
import { formatBytes, formatDuration } from '../../base/index.ts'
import type { DrillActivities } from '../../activities/drill/types.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { PointId, VmRef } from '../../drivers/values.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { RunControl } from '../shared/control.ts'
import type { ResidueItem } from '../shared/contract.ts'
import { askGuest } from '../drill/ask.ts'
import { untried, verdictOf } from '../drill/verdict.ts'
import type { Evidence } from '../drill/verdict.ts'
import { Membership, reportOf } from '../shared/member.ts'
import { siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { Compensations } from '../shared/compensation.ts'
import { checkedRequest, takeSafetyPoint } from './original.ts'
import { buildTarget } from './target.ts'
import type { BuiltTarget, RestoreContext } from './target.ts'
import type { RestoreInput, RestoreResult } from './contract.ts'

const shutdownMs = 180_000
const startMs = 120_000
const plugMs = 30_000
const shortly = { scheduleToCloseTimeout: '1 minute', startToCloseTimeout: '20 seconds' } as const

/**
 * A point becomes a VM again: as a new one, or in its original place, where a safety point is taken first and the old
 * disks stay until somebody removes them. Until it ends well, everything it made can be, and is, undone.
 */
export async function restoreVm(input: RestoreInput): Promise<RestoreResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { target } = input
  const membership = input.member === undefined ? null : new Membership()
  return conduct(
    {
      kind: 'restore',
      vmId: target.kind === 'original' ? target.vm.id : null,
      vmName: target.kind === 'original' ? target.vm.ref.name : target.name,
      repositoryId: input.repository.id,
      stem: input.stem,
      site: target.kind === 'original' ? target.vm.site : target.site,
      requestedBy: input.requestedBy,
    },
    // A recovery plan says itself how many at a time: one that stands and waits must not keep the next from its room.
    membership === null
      ? { hostId: target.kind === 'original' ? target.vm.endpoint.id : target.endpoint.id, priority: 1 }
      : null,
    { control, ids },
    (undo) => restore(input, control, ids, undo, membership),
    figures,
  )
}

async function restore(
  input: RestoreInput,
  control: RunControl,
  ids: StepIds,
  undo: Compensations,
  membership: Membership | null,
): Promise<RestoreResult> {
  const startedMs = Date.now()
  const { target } = input
  checkedRequest(input)
  const endpoint = target.kind === 'original' ? target.vm.endpoint : target.endpoint
  const site = target.kind === 'original' ? target.vm.site : target.site
  const ctx: RestoreContext = {
    control,
    ids,
    undo,
    site,
    tuning: input.tuning,
    repository: input.repository,
    stem: input.stem,
    ref: { endpoint, operation: hex32(uuid4()) },
  }

  const safetyPoint = target.kind === 'original' ? await takeSafetyPoint(input, target.vm, ctx) : null
  const place = {
    identity: input.identity,
    isolated: false,
    ...(input.networks !== undefined && { networks: input.networks }),
    ...(input.storages !== undefined && { storages: input.storages }),
    ...(input.disks !== undefined && { disks: input.disks }),
    place:
      target.kind === 'original'
        ? {
            ...{ kind: 'replace' as const, vm: target.vm.ref, safetyPoint: safetyPoint as PointId },
            ...(input.disks !== undefined && { keepsRest: true }),
          }
        : { kind: 'new' as const, name: target.name },
  }
  const wasRunning = target.kind === 'original' && (await powerDown(ctx, target.vm.ref))
  const built = await buildTarget(ctx, place)

  const starts = input.powerOn ?? wasRunning
  if (starts) await powerUp(ctx, built.vm)
  if (membership !== null) await standInPlan(input, ctx, built.vm, startedMs, membership)
  const poweredOn = membership === null || !starts ? starts : await stillRuns(ctx, built.vm)
  // It stands: from here on nothing of the above is undone.
  undo.forget()
  const residue = await handOver(ctx, built)
  return {
    v: 1,
    outcome: 'completed',
    vm: built.vm,
    disks: built.disks,
    safetyPoint,
    poweredOn,
    durationMs: Date.now() - startedMs,
    residue,
  }
}

/**
 * The old VM is shut down, by the plug if the guest does not; a restore that ends badly starts it again if it ran. Says
 * whether it ran: looked at in a step of its own, because a power-off that is tried again finds it stopped.
 */
async function powerDown(ctx: RestoreContext, vm: VmRef): Promise<boolean> {
  const { control, ids, undo, ref, site } = ctx
  const steps = siteSteps<RestoreActivities>(site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(site, 'cleanup')
  control.stage('Shutting the VM down')
  const { state } = await control.patiently('looking at the VM', async () => {
    await control.gate()
    return steps.readPower.executeWithOptions(ids.step('read-power', `Does ${vm.name} run now?`), [{ ...ref, vm }])
  })
  const wasRunning = state !== 'stopped'
  const hint = `Start ${vm.name} by hand: it ran before the restore.`
  undo.push({ kind: 'stopped-vm', id: vm.name, hint }, async () => {
    if (!wasRunning) return []
    await cleanup.powerVm.executeWithOptions(ids.undo('power-off', 'start', `Start ${vm.name} again`), [
      { ...ref, vm, want: 'running', limitMs: startMs },
    ])
    return []
  })
  await control.patiently('shutting the VM down', () =>
    steps.powerVm.executeWithOptions(ids.step('power-off', `Shut ${vm.name} down`), [
      { ...ref, vm, want: 'stopped', limitMs: shutdownMs },
    ]),
  )
  return wasRunning
}

/** What it makes can be undone only while the VM is off: an undoing begins with the plug. */
async function powerUp({ control, ids, undo, ref, site }: RestoreContext, vm: VmRef): Promise<void> {
  const steps = siteSteps<RestoreActivities>(site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(site, 'cleanup')
  undo.push({ kind: 'running-vm', id: vm.name, hint: `Switch ${vm.name} off by hand.` }, async () => {
    await cleanup.powerVm.executeWithOptions(ids.undo('power-on', 'off', `Switch ${vm.name} off`), [
      { ...ref, vm, want: 'off', limitMs: plugMs },
    ])
    return []
  })
  control.stage('Starting')
  await control.patiently('starting the VM', () =>
    steps.powerVm.executeWithOptions(ids.step('power-on', `Start ${vm.name}`), [
      { ...ref, vm, want: 'running', limitMs: startMs },
    ]),
  )
}

/** Asked, and told to the recovery plan; until that goes on, all of it can be undone. What breaks here is no failure of the restore. */
async function standInPlan(
  { member }: RestoreInput,
  ctx: RestoreContext,
  vm: VmRef,
  startedMs: number,
  membership: Membership,
): Promise<void> {
  const { control, ids } = ctx
  const asked = { checks: member?.checks ?? [], bootTimeoutMs: member?.bootTimeoutMs ?? 0 }
  const bootMs = Date.now()
  let evidence: Evidence = { ...untried, restoreSeconds: (bootMs - startedMs) / 1000, guest: 'absent' }
  control.stage(`Waiting until ${vm.name} answers`)
  try {
    const site = siteSteps<DrillActivities>(ctx.site, 'drill')
    await askGuest(site, ids, control, { ...ctx.ref, vm }, asked, { bootMs, startedMs }, (more) => {
      evidence = { ...evidence, ...more }
    })
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    evidence = { ...evidence, error: errorOf(thrown) ?? null }
  }
  const stage = `${vm.name} runs, and stays ours until its recovery plan goes on`
  const standing = { stage, outlives: true, lookEveryMs: member?.lookEveryMs }
  await membership.stand(reportOf(verdictOf(asked, evidence), evidence.guest), control, ids, standing)
}

/** Days may have passed until it is given away: who gets a guest that has gone off is told so. What cannot be seen is as it was. */
async function stillRuns({ ids, ref, site }: RestoreContext, vm: VmRef): Promise<boolean> {
  if (!patched('power-at-hand-over')) return true
  const { readPower } = siteSteps<RestoreActivities>(site, 'hypervisor')
  return CancellationScope.nonCancellable(async () => {
    try {
      const { state } = await readPower.executeWithOptions(
        { ...ids.step('power-before', `Does ${vm.name} still run?`), ...shortly },
        [{ ...ref, vm }],
      )
      return state !== 'stopped'
    } catch (thrown) {
      return errorOf(thrown)?.code !== 'NotFound'
    }
  })
}

/** The last step, not before the VM runs: what still carries our mark can be undone. */
async function handOver({ ids, ref, site }: RestoreContext, built: BuiltTarget): Promise<readonly ResidueItem[]> {
  const cleanup = siteSteps<RestoreActivities>(site, 'cleanup')
  return CancellationScope.nonCancellable(async () => {
    try {
      await cleanup.handOverTarget.executeWithOptions(ids.step('hand-over', `Take our mark off ${built.vm.name}`), [
        { ...ref, target: built.target },
      ])
      return []
    } catch (thrown) {
      const hint = 'The VM is whole, but still marked as being restored: take the mark off by hand.'
      return [{ kind: 'mark', id: built.vm.name, error: errorOf(thrown)?.message ?? 'unknown', hint }]
    }
  })
}

function figures(result: RestoreResult): RunFigures {
  const written = result.disks.reduce((sum, disk) => sum + disk.writtenBytes, 0)
  const summary = `${result.vm.name}: ${formatBytes(written)} written in ${formatDuration(result.durationMs)}${result.poweredOn ? ', started' : ''}`
  return { summary, bytesRead: 0, bytesStored: written, made: null }
}
