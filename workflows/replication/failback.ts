import { CancellationScope, uuid4 } from '@temporalio/workflow'
import type { ReplicatedState, ReplicationActivities, Sink } from '../../activities/replication/types.ts'
import type { RestoreActivities, TargetVm } from '../../activities/restore/types.ts'
import type { ResidueItem } from '../shared/contract.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { siteSteps } from '../shared/options.ts'
import { hex32 } from '../shared/steps.ts'
import {
  powerUp,
  readInFull,
  requireStillOff,
  runRoundKeeping,
  shutDown,
  type Begun,
  type Ending,
  type MoveContext,
  type Moved,
} from './move.ts'
import { requireTakenOver } from './standby.ts'
import { soon, standbyAsSource, trackerOf, type Round } from './round.ts'

/** While bringing over what was written takes longer than this, once more before anything is shut down. */
const quickEnoughMs = 60_000
const mostCatchUps = 3

/**
 * The guest goes back: new volumes beside those of the source are filled while the standby runs, then it is shut down, its
 * last state brought over, and the source swaps its disks and starts. The old disks stay beside them: they may hold what no
 * standby ever had. The standby follows again, in the very state that the source starts with.
 */
export async function failBack(ctx: MoveContext, { standby }: Begun): Promise<Moved> {
  const { input, ids, control, undo } = ctx
  const { pair } = input
  const from = standbyAsSource(pair, standby)
  const steps = siteSteps<RestoreActivities>(pair.source.site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(pair.source.site, 'cleanup')
  const ref = { endpoint: pair.source.endpoint, operation: hex32(uuid4()) }
  // First: who is said to have taken over and follows is put right by that, whether the source runs or not.
  if (ctx.looksAgain) await requireTakenOver(ctx)
  const { state } = await steps.readPower.executeWithOptions(
    ids.step('source-off', `Is ${pair.source.ref.name} off?`),
    [{ ...ref, vm: pair.source.ref }],
  )
  if (state !== 'stopped')
    throw workflowFailure('ReplicationRefused', `${pair.source.ref.name} is ${state} at its old place`, {
      hint: 'Two copies run. Switch the one at the source off: what it holds is replaced.',
    })
  if (!ctx.looksAgain) await requireTakenOver(ctx)
  let sink: Sink = { kind: 'original', ...ref, vm: pair.source.ref, target: null }
  undo.push({ kind: 'volume', id: ref.operation }, async () => {
    const { residue } = await cleanup.destroyTarget.executeWithOptions(
      ids.undo('begin-state', 'destroy', 'Remove the new disks of the source'),
      [{ ...ref, target: sink.kind === 'original' ? sink.target : null }],
    )
    return residue
  })
  const bring = async (since: Round | null, isDown = false): Promise<Round> => {
    const made = await runRoundKeeping(
      { ...ctx, isDown },
      {
        ...{ source: from, tracker: trackerOf(pair, ref.operation), sink, site: pair.source.site },
        ...{ full: false, since: since?.point ?? null },
      },
    )
    sink = made.sink
    return made
  }
  control.stage(`Bringing ${pair.name} back while it runs`)
  let begunMs = Date.now()
  let last = await bring(null)
  for (let n = 0; n < mostCatchUps && Date.now() - begunMs > quickEnoughMs; n += 1) {
    begunMs = Date.now()
    last = await bring(last)
  }
  const stoppedMs = Date.now()
  let swapping: TargetVm | null = null
  const revertLater = (): unknown =>
    undo.push({ kind: 'volume', id: pair.source.ref.name }, async () => {
      if (swapping === null) return []
      await cleanup.revertTarget.executeWithOptions(ids.undo('finalize', 'revert', 'Put the old disks back'), [
        { ...ref, target: swapping },
      ])
      return []
    })
  // Below the start of the standby: that must not wait for a source that cannot be reached.
  if (ctx.looksAgain) revertLater()
  await shutDown(ctx, from, readInFull(last))
  control.stage('Bringing back its last state')
  last = await bring(last, true)
  const { target } = sink.kind === 'original' ? sink : { target: null }
  if (target === null) throw workflowFailure('Internal', 'the source got no volumes')
  if (!ctx.looksAgain) revertLater()
  swapping = target
  control.stage('Swapping the disks of the source')
  await steps.finalizeTarget.executeWithOptions(
    { ...ids.step('finalize', 'Swap the disks in; the old ones are kept'), ...soon },
    [{ ...ref, target }],
  )
  await requireStillOff(ctx, from)
  await powerUp(ctx, pair.source)
  // It runs: from here on nothing of the above is undone.
  undo.forget()
  const downMs = Date.now() - stoppedMs
  return CancellationScope.nonCancellable(async () => {
    const residue: ResidueItem[] = [...last.residue]
    await noting(residue, 'mark', pair.source.ref.name, () =>
      cleanup.handOverTarget.executeWithOptions(ids.step('hand-over', `Take our mark off ${pair.source.ref.name}`), [
        { ...ref, target },
      ]),
    )
    const atMs = Date.parse(last.point.createdAt)
    const follow = siteSteps<ReplicationActivities>(pair.site, 'cleanup')
    // Without its own word it does not follow: a cycle would be refused for ever.
    let follows: { readonly state: Ending['state']; readonly head: ReplicatedState | null } = {
      state: 'failing-back',
      head: null,
    }
    await noting(residue, 'vm', pair.name, async () => {
      const head = await follow.adoptStandby.executeWithOptions(ids.step('adopt', `${pair.name} follows again`), [
        { endpoint: pair.endpoint, operation: pair.id, state: last.point.id, atMs },
      ])
      follows = { state: head === null ? 'seeding' : 'following', head }
    })
    return {
      result: { v: 1, outcome: 'completed', move: 'failback', atMs, lostMs: 0, fence: 'off', downMs, residue },
      ending: { ...follows, change: { movedMs: Date.now(), lostMs: 0 } },
    } satisfies Moved
  })
}

async function noting(residue: ResidueItem[], kind: string, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    const error = errorOf(thrown)
    residue.push({ kind, id, error: error?.message ?? 'unknown', hint: error?.hint ?? '' })
  }
}
