import { CancellationScope, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { SerializedError } from '../../base/index.ts'
import type {
  InstantActivities,
  InstantRecordActivities,
  InstantState,
  InstantTarget,
  ServedPoint,
} from '../../activities/instant/types.ts'
import type { RestoreActivities, TargetVm } from '../../activities/restore/types.ts'
import type { VmRef } from '../../drivers/values.ts'
import type { Compensations } from '../shared/compensation.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct, notingItsEnd } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { ResidueItem } from '../shared/contract.ts'
import type { InstantInput, InstantResult } from './contract.ts'
import { EndWish } from './wish.ts'

/** One attendance; afterwards the next one begins, so that no step is older than that. */
const attendMs = 12 * 3600_000
const attendAgainMs = 60_000

interface InstantContext {
  readonly input: InstantInput
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly wish: EndWish
  readonly served: ServedPoint
}

/**
 * A point runs as a VM while its data is still in the repository, until a person has it migrated or discarded. Its guest
 * writes what nobody else has: once it runs, only a person's word, or a cancel, removes it; a copy that fails leaves it
 * running.
 */
export async function instantRestore(input: InstantInput): Promise<InstantResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const wish = new EndWish()
  const { repository, stem, endpoint, requestedBy } = input
  return conduct(
    {
      kind: 'instant',
      vmId: input.vmId,
      vmName: input.vmName,
      repositoryId: repository.id,
      stem,
      site: input.site,
      requestedBy,
    },
    null,
    { control, ids },
    (undo) => {
      const served = { endpoint, operation: hex32(uuid4()), repository, stem }
      const ctx: InstantContext = { input, control, ids, undo, wish, served }
      return notingItsEnd(
        'instant restore',
        () => instant(ctx),
        (state, thrown) => note(ctx, state === 'cancelled' ? 'discarded' : 'failed', errorOf(thrown) ?? null),
      )
    },
    figures,
  )
}

async function instant(ctx: InstantContext): Promise<InstantResult> {
  const { input, control, ids, wish } = ctx
  const { workflowId, runId, startTime } = workflowInfo()
  const startedMs = startTime.getTime()
  control.close('an instant restore cannot be paused: its guest runs')
  const records = controlSteps<InstantRecordActivities>('record')
  const { name, network, vmId, stem, repository, endpoint, requestedBy } = input
  await records.recordInstant.executeWithOptions(ids.step('record-instant', 'Write down what is served'), [
    {
      ...{ runId, workflowId, vmId, name, network, startedMs },
      repositoryId: repository.id,
      // The stem ends with the point's id (repository format §3.2).
      pointId: stem.slice(-32),
      endpointId: endpoint.id,
      requestedUser: requestedBy.user,
    },
  ])
  const target = await boot(ctx)
  const bootedAt = Date.now()
  for (;;) {
    wish.want()
    await note(ctx, 'running', null)
    control.stage(`${name} runs from ${repository.name}: migrate it, or discard it`)
    await attend(ctx, target)
    if (wish.given?.end === 'discard') break
    const vm = await migrate(ctx, target)
    if (vm === null) continue
    return {
      ...{ v: 1, outcome: 'completed', end: 'migrated', vm },
      ...{ bootedMs: bootedAt - startedMs, heldMs: Date.now() - bootedAt },
      residue: await handOver(ctx, target),
    }
  }
  control.stage(`Discarding ${name}`)
  await ctx.undo.unwind()
  await note(ctx, 'discarded', null)
  return {
    ...{ v: 1, outcome: 'completed', end: 'discarded', vm: target.vm },
    ...{ bootedMs: bootedAt - startedMs, heldMs: Date.now() - bootedAt },
    residue: [],
  }
}

/** What it makes is undone in the other order: first the VM, then what it reads from. */
async function boot({ input, control, ids, undo, served }: InstantContext): Promise<TargetVm> {
  const steps = siteSteps<InstantActivities & RestoreActivities>(input.site, 'hypervisor')
  const cleanup = siteSteps<InstantActivities & RestoreActivities>(input.site, 'cleanup')
  const { endpoint, operation } = served
  const place = {
    place: { kind: 'new' as const, name: input.name },
    identity: input.identity,
    isolated: input.network === 'isolated',
  }
  control.stage('Checking the point and the target')
  await control.patiently('checking the target', () =>
    steps.planRestore.executeWithOptions(
      ids.step('plan', 'Read the point; ask the target about space, name and device model'),
      [{ ...served, place }],
    ),
  )
  undo.push({ kind: 'served-point', id: operation, hint: endByHand(operation) }, async () => {
    await cleanup.endServing.executeWithOptions(ids.undo('serve', 'end', 'Serve the point no more'), [
      { endpoint, operation },
    ])
    return []
  })
  control.stage('Serving the point')
  await control.patiently('serving the point', () =>
    steps.serveDisks.executeWithOptions(ids.step('serve', `Serve the disks of ${input.vmName}`), [served]),
  )
  let made: TargetVm | null = null
  const hint = `Nothing removes it by itself: look at ${endpoint.address} for what carries it.`
  undo.push({ kind: 'vm', id: operation, hint }, async () => {
    const { residue } = await cleanup.destroyTarget.executeWithOptions(
      ids.undo('boot', 'destroy', `Remove ${input.name} and its overlays`),
      [{ endpoint, operation, target: made }],
    )
    return residue
  })
  control.stage('Booting')
  const where = input.network === 'isolated' ? 'on a network that reaches nothing' : 'on its networks'
  made = await control.patiently('booting', () =>
    steps.bootInstant.executeWithOptions(ids.step('boot', `Boot ${input.name} ${where}`), [{ ...served, place }]),
  )
  return made
}

/** Until somebody has decided. Only a VM that is gone ends it otherwise: whatever else goes wrong, the guest may run. */
async function attend({ input, control, ids, served, wish }: InstantContext, target: TargetVm): Promise<void> {
  const steps = siteSteps<InstantActivities>(input.site, 'mover', input.tuning)
  const of: InstantTarget = { ...served, target }
  while (wish.given === null) {
    const scope = new CancellationScope({ cancellable: true })
    try {
      await scope.run(async () => {
        void wish.untilGiven().then(
          () => scope.cancel(),
          () => undefined, // the run was cancelled, and this wait with it
        )
        await steps.attendInstant.executeWithOptions(
          ids.step('attend', `${input.name} runs from ${input.repository.name}`),
          [{ ...of, forMs: attendMs }],
        )
      })
    } catch (thrown) {
      if (CancellationScope.current().consideredCancelled) throw thrown
      // Asked to stop, it may end in any way.
      if (wish.given !== null) return
      const error = errorOf(thrown)
      if (error?.code === 'NotFound' || error?.code === 'NotOurs') throw thrown
      control.stage(`${input.name} cannot be looked at: ${error?.message ?? 'unknown'}`)
      await wish.wait(attendAgainMs)
    }
  }
}

/** null: the copy ended early; the VM runs on as before. */
async function migrate(ctx: InstantContext, target: TargetVm): Promise<VmRef | null> {
  const { input, control, ids, served, undo } = ctx
  const mover = siteSteps<InstantActivities>(input.site, 'mover', input.tuning)
  control.stage(`Copying ${input.name} while it runs`)
  await note(ctx, 'migrating', null)
  try {
    const vm = await control.patiently(`copying ${input.name}`, () =>
      mover.migrateInstant.executeWithOptions(ids.step('migrate', `Copy ${input.name} while it runs`), [
        { ...served, target },
      ]),
    )
    // It stands alone: from here on nothing of the above is undone.
    undo.forget()
    return vm
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    await note(ctx, 'running', errorOf(thrown) ?? null)
    return null
  }
}

function endByHand(operation: string): string {
  return `Nobody reads it any more: remove ${operation}.json from “served” in the worker’s HOLDFAST_HOME.`
}

/** What cannot be done now is residue: the VM is whole, and in use. */
async function handOver(ctx: InstantContext, target: TargetVm): Promise<readonly ResidueItem[]> {
  const { input, ids, served } = ctx
  const { endpoint, operation } = served
  const cleanup = siteSteps<InstantActivities & RestoreActivities>(input.site, 'cleanup')
  const residue: ResidueItem[] = []
  const attempt = async (kind: string, id: string, hint: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (thrown) {
      residue.push({ kind, id, error: errorOf(thrown)?.message ?? 'unknown', hint })
    }
  }
  await CancellationScope.nonCancellable(async () => {
    const marked = 'The VM is whole, but still marked as being restored: take the mark off by hand.'
    await attempt('mark', input.name, marked, () =>
      cleanup.handOverTarget.executeWithOptions(ids.step('hand-over', `Take our mark off ${input.name}`), [
        { endpoint, operation, target },
      ]),
    )
    await attempt('served-point', operation, endByHand(operation), () =>
      cleanup.endServing.executeWithOptions(ids.step('end-serving', 'Serve the point no more'), [
        { endpoint, operation },
      ]),
    )
    await note(ctx, 'migrated', null)
  })
  return residue
}

async function note({ ids }: InstantContext, state: InstantState, error: SerializedError | null): Promise<void> {
  const { recordInstantState } = controlSteps<InstantRecordActivities>('record')
  await recordInstantState.executeWithOptions(ids.step('record-state', `Write down: ${state}`), [
    { runId: workflowInfo().runId, state, error, atMs: Date.now() },
  ])
}

function figures(result: InstantResult): RunFigures {
  const { end, vm, bootedMs, heldMs } = result
  const summary = `${vm.name} started after ${formatDuration(bootedMs)}, ${end} after ${formatDuration(heldMs)}`
  return { summary, bytesRead: 0, bytesStored: 0, made: null }
}
