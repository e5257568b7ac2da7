import { CancellationScope, uuid4 } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import type { BackupActivities, RoundRef } from '../../activities/backup/types.ts'
import type { ReplicatedState, ReplicationActivities, Sink } from '../../activities/replication/types.ts'
import type { PointId, PointInTime, TrackerId, VmRef } from '../../drivers/values.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { RunControl } from '../shared/control.ts'
import type { ResidueItem, Tuning, VmTarget } from '../shared/contract.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { defaults, siteSteps } from '../shared/options.ts'
import { hex32, type StepIds } from '../shared/steps.ts'
import { modeInWords } from '../shared/summaries.ts'
import { together } from '../shared/together.ts'
import type { ReplicationPair } from './contract.ts'

const disksAtOnce = 2
const mostRounds = 3

export interface RoundContext {
  readonly control: RunControl
  readonly ids: StepIds
  readonly undo: Compensations
  readonly tuning: Tuning
  /** Nobody runs until this is done: then nothing is waited for for long, because the undo starts the guest again. */
  readonly isDown?: boolean
  /** Why it cannot be paused at all. */
  readonly closed?: string
}

/** Of steps while nobody runs. */
export const soon = { scheduleToCloseTimeout: '5 minutes' } as const
const soonMoved = { scheduleToStartTimeout: '5 minutes', retry: { maximumAttempts: 6 } } as const
/** Another run that reads the VM refuses for about as long before this begins to count. */
export const patienceWhileDownMs = 30_000

/** What is read in one round, and where it goes. */
interface RoundWish {
  readonly source: VmTarget
  readonly tracker: TrackerId
  readonly sink: Sink
  /** Whose workers write; they reach both. */
  readonly site: string
  readonly full: boolean
  /** Of the round before, where the sink keeps no record. */
  readonly since: PointInTime | null
}
export interface Round {
  readonly point: PointInTime
  readonly sink: Sink
  /** Of a standby: what it holds now. */
  readonly state: ReplicatedState | null
  readonly writtenBytes: number
  readonly isFull: boolean
  readonly residue: readonly ResidueItem[]
}

/** Each pair has a tracker of its own, in each direction: backups know nothing of it. */
export function trackerOf(pair: ReplicationPair, direction: string): TrackerId {
  return `replication/${pair.id}/${direction}` as TrackerId
}

export function standbySink({ endpoint, id, name, networks }: ReplicationPair): Sink {
  return { kind: 'standby', endpoint, operation: id, name, ...(networks !== undefined && { networks }) }
}

/**
 * One state of the source is brought over: snapshot, copy, and only when all of it is there and the point stayed whole is it
 * the standby's head. A round that breaks is followed by another, one whose tracker is not believed by a full one.
 */
export async function runRound(ctx: RoundContext, wish: RoundWish): Promise<Round> {
  for (let n = 1, { full } = wish; ; n += 1) {
    try {
      return await round(ctx, { ...wish, full })
    } catch (thrown) {
      const error = errorOf(thrown)
      const again = error?.code === 'PointBroken' || error?.retry === 'full'
      if (!again || n >= mostRounds) throw thrown
      full ||= error.retry === 'full'
      ctx.control.reopen()
      if (ctx.closed !== undefined) ctx.control.close(ctx.closed)
      ctx.control.stage(`The state could not be read to its end; opening a new one`)
      await ctx.undo.unwind()
    }
  }
}

async function round(ctx: RoundContext, wish: RoundWish): Promise<Round> {
  const { control, ids, tuning, isDown = false } = ctx
  const limits = isDown ? soon : {}
  const patienceMs = isDown ? patienceWhileDownMs : undefined
  const { source, tracker, full, since, site } = wish
  const ref: RoundRef = { endpoint: source.endpoint, vm: source.ref, pointId: hex32(uuid4()) as PointId }
  const from = siteSteps<ReplicationActivities & BackupActivities>(source.site, 'quiesce')
  const to = siteSteps<ReplicationActivities & BackupActivities>(site, 'hypervisor')
  control.stage(`Taking a snapshot of ${source.ref.name}`)
  const forgets = compensate(ctx, source, ref)
  control.opened()
  const open = async (): Promise<PointInTime> => {
    await control.gate()
    return from.openSource.executeWithOptions(
      { ...ids.step('open-source', `Freeze ${source.ref.name}, take the snapshot, thaw`), ...limits },
      [
        {
          ...ref,
          ...{ tracker, want: 'filesystem', sink: wish.sink, full, since },
          freezeLimitMs: tuning.freezeLimitMs ?? defaults.freezeLimitMs,
        },
      ],
    )
  }
  const point = await control.patiently('taking the snapshot', open, patienceMs)
  control.stage(`Copying ${source.ref.name}`)
  const begin = (): Promise<Sink> =>
    to.beginState.executeWithOptions({ ...ids.step('begin-state', 'Make the volumes of the new state'), ...limits }, [
      { source: ref, point, sink: wish.sink },
    ])
  const sink = await control.patiently('making room for the state', begin, patienceMs)
  const copied = await copy(ctx, wish, ref, point, sink)
  control.close('the state is being completed; that takes seconds')
  const seen = siteSteps<BackupActivities>(source.site, 'hypervisor')
  await seen.checkPoint.executeWithOptions({ ...ids.step('check-point', 'Did the snapshot stay whole?'), ...limits }, [
    { ...ref, point },
  ])
  let state: ReplicatedState | null = null
  const residue = await CancellationScope.nonCancellable(async () => {
    if (sink.kind === 'standby') {
      const { endpoint, operation } = sink
      state = await to.publishState.executeWithOptions(
        { ...ids.step('publish-state', 'The state is whole: the standby holds it from now on'), ...limits },
        [{ standby: { endpoint, operation }, point }],
      )
    }
    const left = await release(ctx, source, ref, point)
    for (const forget of forgets) forget()
    return left
  })
  return {
    ...{ point, sink, state, residue },
    writtenBytes: copied.reduce((sum, one) => sum + one.writtenBytes, 0),
    isFull: point.disks.every(({ mode }) => mode === 'full'),
  }
}

/** Last in, first out: the guest runs again first, then the snapshot goes. */
function compensate({ undo, ids }: RoundContext, source: VmTarget, ref: RoundRef): (() => void)[] {
  const cleanup = siteSteps<BackupActivities>(source.site, 'cleanup')
  return [
    undo.push({ kind: 'snapshot', id: ref.pointId }, async () => {
      const { residue } = await cleanup.abortPoint.executeWithOptions(
        ids.undo('open-source', 'abort', 'Remove snapshot, scratch and exports; put the change reference back'),
        [{ ...ref, point: null }],
      )
      return residue
    }),
    undo.push({ kind: 'frozen-guest', id: source.ref.name }, async () => {
      await cleanup.ensureRunning.executeWithOptions(ids.undo('open-source', 'thaw', 'Make sure that the guest runs'), [
        ref,
      ])
      return []
    }),
  ]
}

async function copy(
  { control, ids, tuning, isDown = false }: RoundContext,
  { site }: RoundWish,
  source: RoundRef,
  point: PointInTime,
  sink: Sink,
) {
  const mover = siteSteps<ReplicationActivities>(site, 'mover', tuning)
  const stallTimeoutMs = tuning.stallTimeoutMs ?? defaults.stallTimeoutMs
  return together(
    point.disks.map(
      ({ disk, mode, why }) =>
        () =>
          control.patiently(
            `copying ${disk.key}`,
            () =>
              control.pausable(() =>
                mover.replicateDisk.executeWithOptions(
                  {
                    ...ids.step(
                      `copy:${disk.key}`,
                      `${disk.key} · ${formatBytes(disk.size)} · ${modeInWords(mode, why)}`,
                    ),
                    ...(isDown && soonMoved),
                  },
                  [{ source, point, disk: disk.key, sink, stallTimeoutMs, ...(isDown && { isDown }) }],
                ),
              ),
            isDown ? patienceWhileDownMs : undefined,
          ),
    ),
    disksAtOnce,
  )
}

/** Advances the change reference. What the hypervisor does not let go is residue of a state that is there. */
async function release(
  { ids, isDown = false }: RoundContext,
  source: VmTarget,
  ref: RoundRef,
  point: PointInTime,
): Promise<readonly ResidueItem[]> {
  const cleanup = siteSteps<BackupActivities>(source.site, 'cleanup')
  try {
    const { residue } = await cleanup.releasePoint.executeWithOptions(
      { ...ids.step('release-point', 'Advance the change reference, drop the snapshot'), ...(isDown && soon) },
      [{ ...ref, point, stored: point.disks.map(({ disk }) => disk.key) }],
    )
    return residue
  } catch (thrown) {
    const hint = 'The next cycle of this pair finds it and ends it.'
    return [{ kind: 'snapshot', id: ref.pointId, error: errorOf(thrown)?.message ?? 'unknown', hint }]
  }
}

/** The standby as a VM that can be read, for the way back. */
export function standbyAsSource(pair: ReplicationPair, standby: VmRef | null): VmTarget {
  if (standby === null) throw workflowFailure('NotFound', `nobody knows the standby of ${pair.source.ref.name}`)
  return { id: pair.source.id, ref: standby, endpoint: pair.endpoint, site: pair.site }
}
