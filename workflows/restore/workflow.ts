import { uuid4 } from '@temporalio/workflow'
import { formatBytes, formatDuration } from '../../base/index.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { PointId, VmRef } from '../../drivers/values.ts'
import { conduct } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { RunControl } from '../shared/control.ts'
import { siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { Compensations } from '../shared/compensation.ts'
import { checkedRequest, takeSafetyPoint } from './original.ts'
import { buildTarget } from './target.ts'
import type { RestoreContext } from './target.ts'
import type { RestoreInput, RestoreResult } from './contract.ts'

const shutdownMs = 180_000
const startMs = 120_000

/**
 * A point becomes a VM again: as a new one, or in its original place, where a safety point is taken first and the old
 * disks stay until somebody removes them. Until it ends well, everything it made can be, and is, undone.
 */
export async function restoreVm(input: RestoreInput): Promise<RestoreResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const { target } = input
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
    { control, ids },
    (undo) => restore(input, control, ids, undo),
    figures,
  )
}

async function restore(
  input: RestoreInput,
  control: RunControl,
  ids: StepIds,
  undo: Compensations,
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
  const steps = siteSteps<RestoreActivities>(site, 'hypervisor')

  const safetyPoint = target.kind === 'original' ? await takeSafetyPoint(input, target.vm, ctx) : null
  const place = {
    identity: input.identity,
    isolated: false,
    place:
      target.kind === 'original'
        ? { kind: 'replace' as const, vm: target.vm.ref, safetyPoint: safetyPoint as PointId }
        : { kind: 'new' as const, name: target.name },
  }
  if (target.kind === 'original') await powerDown(ctx, target.vm.ref)
  const built = await buildTarget(ctx, place)

  // Nothing of the above is undone any more once the VM stands; a start that fails in the original place undoes the swap.
  let poweredOn = false
  if (input.powerOn) {
    control.stage('Starting')
    await control.patiently('starting the VM', () =>
      steps.powerVm.executeWithOptions(ids.step('power-on', `Start ${built.vm.name}`), [
        { ...ctx.ref, vm: built.vm, want: 'running', limitMs: startMs },
      ]),
    )
    poweredOn = true
  }
  undo.forget()
  return {
    v: 1,
    outcome: 'completed',
    vm: built.vm,
    disks: built.disks,
    safetyPoint,
    poweredOn,
    durationMs: Date.now() - startedMs,
    residue: [],
  }
}

/** The old VM is shut down, by the plug if the guest does not; a restore that ends badly starts it again. */
async function powerDown(ctx: RestoreContext, vm: VmRef): Promise<void> {
  const { control, ids, undo, ref, site } = ctx
  const steps = siteSteps<RestoreActivities>(site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(site, 'cleanup')
  let wasRunning = true
  undo.push({ kind: 'stopped-vm', id: vm.name }, async () => {
    if (!wasRunning) return []
    await cleanup.powerVm.executeWithOptions(ids.undo('power-off', 'start', `Start ${vm.name} again`), [
      { ...ref, vm, want: 'running', limitMs: startMs },
    ])
    return []
  })
  control.stage('Shutting the VM down')
  await control.gate()
  const { before } = await control.patiently('shutting the VM down', () =>
    steps.powerVm.executeWithOptions(ids.step('power-off', `Shut ${vm.name} down`), [
      { ...ref, vm, want: 'stopped', limitMs: shutdownMs },
    ]),
  )
  wasRunning = before === 'running' || before === 'paused'
}

function figures(result: RestoreResult): RunFigures {
  const written = result.disks.reduce((sum, disk) => sum + disk.writtenBytes, 0)
  const summary = `${result.vm.name}: ${formatBytes(written)} written in ${formatDuration(result.durationMs)}${result.poweredOn ? ', started' : ''}`
  return { summary, bytesRead: 0, bytesStored: written, made: null }
}
