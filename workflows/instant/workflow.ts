import { CancellationScope, isCancellation, uuid4, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type {
  BootList,
  InstantActivities,
  InstantRecordActivities,
  InstantTarget,
} from '../../activities/instant/types.ts'
import type { RestoreActivities, TargetVm } from '../../activities/restore/types.ts'
import type { VmRef } from '../../drivers/values.ts'
import { RunControl } from '../shared/control.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct, notingItsEnd } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, cut, hex32 } from '../shared/steps.ts'
import type { ResidueItem } from '../shared/contract.ts'
import { bootServed, endByHand, servedPoint } from './boot.ts'
import type { InstantInput, InstantResult } from './contract.ts'
import { discarded, leaveRunning, note, told, type InstantContext } from './telling.ts'
import { EndWish } from './wish.ts'

/** One attendance; afterwards the next one begins, so that no step is older than that. */
const attendMs = 12 * 3600_000
/** Between looks that fail: soon at first, later seldom, for each of them makes the run's history longer. */
const attendAgainMs = 60_000
const attendSeldomMs = 15 * 60_000
const quickLooks = 30

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
        async (state, thrown) => {
          if (state === 'failed') return note(ctx, 'failed', errorOf(thrown) ?? null)
          // What is written down of a cancelled run is what became of its VM.
          control.stage(`Discarding ${input.name}`)
          await undo.unwind()
          await note(ctx, ...discarded(ctx))
        },
      )
    },
    figures,
  )
}

async function instant(ctx: InstantContext): Promise<InstantResult> {
  const { input, control, ids } = ctx
  const { workflowId, runId, startTime } = workflowInfo()
  const startedMs = startTime.getTime()
  control.close('an instant restore cannot be paused: its guest runs')
  const records = controlSteps<InstantRecordActivities>('record')
  const { name, network, vmId, stem, repository, endpoint, requestedBy } = input
  await records.recordInstant.executeWithOptions(ids.step('record-instant', 'Write down what is served'), [
    {
      ...{ runId, workflowId, vmId, name, network, startedMs },
      repositoryId: repository.id,
      stem,
      endpointId: endpoint.id,
      requestedUser: requestedBy.user,
      ...(input.boot !== undefined && { boot: noteOf(input.boot) }),
    },
  ])
  const target = await boot(ctx)
  try {
    return await run(ctx, target, startedMs)
  } catch (thrown) {
    // Only a person's word removes a guest that has run.
    if (!isCancellation(thrown) && !CancellationScope.current().consideredCancelled) leaveRunning(ctx, thrown)
    throw thrown
  }
}

async function run(ctx: InstantContext, target: TargetVm, startedMs: number): Promise<InstantResult> {
  const { control, wish } = ctx
  const { name, repository } = ctx.input
  const bootedAt = Date.now()
  for (;;) {
    wish.want()
    await told(ctx, 'running', null)
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
  await told(ctx, ...discarded(ctx))
  return {
    ...{ v: 1, outcome: 'completed', end: 'discarded', vm: target.vm },
    ...{ bootedMs: bootedAt - startedMs, heldMs: Date.now() - bootedAt },
    residue: [],
  }
}

async function boot({ input, control, ids, undo, served }: InstantContext): Promise<TargetVm> {
  const place = {
    place: { kind: 'new' as const, name: input.name },
    identity: input.identity,
    isolated: input.network === 'isolated',
    ...(input.networks !== undefined && { networks: input.networks }),
    ...(input.storages !== undefined && { storages: input.storages }),
  }
  const { site, vmName, boot: ahead } = input
  const of = { control, ids, undo, site, vmName, served, place, ...(ahead !== undefined && { ahead }) }
  return (await bootServed(of)).target
}

/**
 * Until somebody has decided. Only a VM that is another's by now ends it otherwise: whatever else goes wrong, the guest may
 * run. One that is not found may be behind a mount that is missing.
 */
async function attend({ input, control, ids, served, wish }: InstantContext, target: TargetVm): Promise<void> {
  const steps = siteSteps<InstantActivities>(input.site, 'mover', input.tuning)
  const of: InstantTarget = { ...served, target }
  for (let looks = 0; wish.given === null; looks += 1) {
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
      looks = 0
    } catch (thrown) {
      if (CancellationScope.current().consideredCancelled) throw thrown
      // Asked to stop, it may end in any way.
      if (wish.given !== null) return
      const error = errorOf(thrown)
      if (error?.code === 'NotOurs') throw thrown
      const why = error?.message ?? 'unknown'
      control.stage(`${input.name} cannot be looked at: ${why}`)
      const summary = cut(`waiting: ${input.name}: ${why}`, 200)
      await wish.wait(looks < quickLooks ? attendAgainMs : attendSeldomMs, summary)
    }
  }
}

/** null: the copy ended early; the VM runs on as before. */
async function migrate(ctx: InstantContext, target: TargetVm): Promise<VmRef | null> {
  const { input, control, ids, served, undo } = ctx
  const mover = siteSteps<InstantActivities>(input.site, 'mover', input.tuning)
  control.stage(`Copying ${input.name} while it runs`)
  await told(ctx, 'migrating', null)
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
    await told(ctx, 'running', errorOf(thrown) ?? null)
    return null
  }
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
    await attempt(servedPoint, operation, endByHand(operation), () =>
      cleanup.endServing.executeWithOptions(ids.step('end-serving', 'Serve the point no more'), [
        { endpoint, operation },
      ]),
    )
    await told(ctx, 'migrated', null)
  })
  return residue
}

function noteOf({ drillId, recordedMs, bytes }: BootList): Omit<BootList, 'disks'> {
  return { drillId, recordedMs, bytes }
}

function figures(result: InstantResult): RunFigures {
  const { end, vm, bootedMs, heldMs } = result
  const summary = `${vm.name} started after ${formatDuration(bootedMs)}, ${end} after ${formatDuration(heldMs)}`
  return { summary, bytesRead: 0, bytesStored: 0, made: null }
}
