import { isCancellation, uuid4, workflowInfo } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { DrillActivities, GuestRef } from '../../activities/drill/types.ts'
import type { BootReads, InstantActivities } from '../../activities/instant/types.ts'
import type { RecordActivities } from '../../activities/record/types.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { RunControl } from '../shared/control.ts'
import { Membership, reportOf } from '../shared/member.ts'
import { controlSteps, siteSteps } from '../shared/options.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { Compensations } from '../shared/compensation.ts'
import { bootServed } from '../instant/boot.ts'
import { buildTarget } from '../restore/target.ts'
import type { RestoreContext } from '../restore/target.ts'
import { askGuest } from './ask.ts'
import { untried, verdictOf } from './verdict.ts'
import type { Evidence } from './verdict.ts'
import type { DrillInput, DrillResult } from './contract.ts'

/**
 * Proves that a point comes back: restored to an isolated network, booted, asked, photographed, destroyed. The verdict
 * is attached to the point. What was made is removed always, before the proof is written down.
 */
export async function restoreDrill(input: DrillInput): Promise<DrillResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  const membership = input.member === undefined ? null : new Membership()
  return conduct(
    {
      kind: 'drill',
      vmId: input.vmId,
      vmName: input.vmName,
      repositoryId: input.repository.id,
      stem: input.stem,
      site: input.site,
      requestedBy: input.requestedBy,
    },
    // A recovery plan says itself how many at a time: one that stands and waits must not keep the next from its room.
    membership === null ? { hostId: input.endpoint.id, priority: 4 } : null,
    { control, ids },
    (undo) => drill(input, control, ids, undo, membership),
    figures,
  )
}

async function drill(
  input: DrillInput,
  control: RunControl,
  ids: StepIds,
  undo: Compensations,
  membership: Membership | null,
): Promise<DrillResult> {
  const operation = hex32(uuid4())
  const ctx: RestoreContext = {
    control,
    ids,
    undo,
    site: input.site,
    tuning: input.tuning,
    repository: input.repository,
    stem: input.stem,
    ref: { endpoint: input.endpoint, operation },
  }
  const startedMs = Date.now()
  // Kept here, not in the steps: what was seen before one of them broke is evidence all the same.
  let evidence: Evidence = untried
  const saw = (more: Partial<Evidence>): void => {
    evidence = { ...evidence, ...more }
  }
  try {
    const guest = input.from === 'repository' ? await served(input, ctx, saw) : await restored(input, ctx, saw)
    await prove(input, ctx, { ...guest, startedMs }, saw)
    await membership?.stand(reportOf(verdictOf(input, evidence), evidence.guest), control, ids, standing(input))
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    saw({ error: errorOf(thrown) ?? null, restoreSeconds: evidence.restoreSeconds || seconds(startedMs) })
  }
  control.close('the drill is being cleaned up')
  control.stage('Removing the drill VM')
  await undo.unwind()
  const result: DrillResult = { v: 1, outcome: 'completed', ...verdictOf(input, evidence), residue: [] }
  const outcome = undo.residue.length > 0 ? 'completed-with-residue' : 'completed'
  await attachProof(input, ids, { ...result, residue: undo.residue, outcome }, evidence)
  return result
}

interface Started {
  readonly guest: GuestRef
  readonly bootMs: number
}
type Saw = (more: Partial<Evidence>) => void

/** Its disks are written, then it boots from them. */
async function restored(input: DrillInput, ctx: RestoreContext, saw: Saw): Promise<Started> {
  const { ids } = ctx
  const startedMs = Date.now()
  const built = await buildTarget(ctx, { place: placeOf(input, ctx), identity: 'new', isolated: true })
  saw({ disks: built.plan.disks, restoreSeconds: seconds(startedMs) })
  const site = siteSteps<DrillActivities>(ctx.site, 'drill')
  const guest: GuestRef = { ...ctx.ref, vm: built.vm }
  await closeFor(ctx)
  const bootMs = Date.now()
  await site.bootIsolated.executeWithOptions(
    ids.step('boot', `Boot ${built.vm.name} on a network that reaches nothing`),
    [{ ...guest, network: input.member?.network ?? `drill-${ctx.ref.operation.slice(0, 8)}` }],
  )
  return { guest, bootMs }
}

/** It boots out of the repository: what it does not read is not looked at. */
async function served(input: DrillInput, ctx: RestoreContext, saw: Saw): Promise<Started> {
  const { control, ids, undo, site, repository, stem, ref } = ctx
  const startedMs = Date.now()
  await closeFor(ctx)
  const { plan, target } = await bootServed({
    ...{ control, ids, undo, site, vmName: input.vmName, served: { ...ref, repository, stem } },
    place: { place: placeOf(input, ctx), identity: 'new', isolated: true },
  })
  saw({ disks: plan.disks, restoreSeconds: seconds(startedMs) })
  return { guest: { ...ref, vm: target.vm }, bootMs: Date.now() }
}

function placeOf({ vmName }: DrillInput, { ref }: RestoreContext): { readonly kind: 'new'; readonly name: string } {
  return { kind: 'new', name: `drill-${vmName}-${ref.operation.slice(0, 8)}` }
}

/** Refused first, then waited for: a pause that was there before the boot still holds. */
async function closeFor({ control }: RestoreContext): Promise<void> {
  control.close('the drill VM is booted and checked now, and its time to recovery measured; that cannot be paused')
  await control.gate()
  control.stage('Booting in isolation')
}

async function prove(
  input: DrillInput,
  ctx: RestoreContext,
  { guest, bootMs, startedMs }: Started & { readonly startedMs: number },
  saw: Saw,
): Promise<void> {
  const { control, ids } = ctx
  const site = siteSteps<DrillActivities>(ctx.site, 'drill')
  const onUp = async (): Promise<void> => {
    if (input.from === 'repository') saw({ boot: await readsOfBoot(ctx) })
  }
  await askGuest(site, ids, control, guest, input, { bootMs, startedMs }, saw, onUp)
  saw({ screenshot: await photograph(site, ids, guest) })
}

/** It makes the next boot quicker and proves nothing: a drill does not fail for want of it. */
async function readsOfBoot({ ids, site, ref }: RestoreContext): Promise<BootReads | null> {
  const steps = siteSteps<InstantActivities>(site, 'drill')
  try {
    return await steps.readsOfBoot.executeWithOptions(ids.step('boot-list', 'Note what the boot has read'), [ref])
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    return null
  }
}

/** A picture is evidence, not proof: a drill does not fail for want of one. */
async function photograph(
  site: ReturnType<typeof siteSteps<DrillActivities>>,
  ids: StepIds,
  guest: GuestRef,
): Promise<string | null> {
  try {
    const { sha256 } = await site.takeScreenshot.executeWithOptions(
      ids.step('screenshot', 'Take a picture of the screen'),
      [guest],
    )
    return sha256
  } catch (thrown) {
    if (isCancellation(thrown)) throw thrown
    return null
  }
}

async function attachProof(
  input: DrillInput,
  ids: StepIds,
  result: DrillResult,
  { disks, checks, boot }: Evidence,
): Promise<void> {
  const { workflowId, runId, startTime } = workflowInfo()
  const { recordProof } = controlSteps<RecordActivities>('record')
  await recordProof.executeWithOptions(ids.step('record-proof', `Attach the verdict to the point: ${result.verdict}`), [
    {
      workflowId,
      runId,
      vmId: input.vmId,
      repositoryId: input.repository.id,
      stem: input.stem,
      startedMs: startTime.getTime(),
      endedMs: Date.now(),
      result,
      requestedBy: input.requestedBy,
      hypervisor: { id: input.endpoint.id, platform: input.endpoint.platform },
      disks,
      asked: input.checks,
      ...(input.from !== undefined && { bootedFrom: input.from, boot }),
      outputs: checks.map(({ outSha256 = null, errSha256 = null }) => ({ out: outSha256, err: errSha256 })),
    },
  ])
}

function standing({ vmName }: DrillInput) {
  return { stage: `${vmName} stands until its recovery plan goes on`, outlives: false }
}

function seconds(sinceMs: number): number {
  return (Date.now() - sinceMs) / 1000
}

function figures(result: DrillResult): RunFigures {
  const rto = result.rtoSeconds === null ? '' : `, back in ${formatDuration(result.rtoSeconds * 1000)}`
  return { summary: `${result.verdict}: ${result.why}${rto}`, bytesRead: 0, bytesStored: 0, made: null }
}
