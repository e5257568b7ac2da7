import { log, sleep } from '@temporalio/workflow'
import { formatDuration } from '../../base/index.ts'
import type { AtRest, BackupActivities, RoundRef } from '../../activities/backup/types.ts'
import type { PointInTime } from '../../drivers/values.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { defaults, siteSteps } from '../shared/options.ts'
import type { ResidueItem } from '../shared/contract.ts'
import type { RoundContext } from './context.ts'

/** A VM that is down for its point; `start` lets it run again. */
export interface Downtime {
  readonly start: () => Promise<ShutDown | null>
}

/** What the point was taken of: a VM that was shut down for it, and how long it was down. */
export interface ShutDown {
  readonly downMs: number
}

/** As long as a start that fails is tried while the point is kept; what undoes the run tries it again after that. */
const startPatienceMs = 10 * 60_000
const startsWhenUndone = 5

/**
 * Shuts the guest down for its point. null: that is not asked for, or the VM is off, and stays off. What returns it to
 * its power state is pushed before it is asked, because a guest may go down at any time from then on. Nothing holds the
 * run up until the VM runs again: neither a pause nor the window of its plan. Throws GuestRefused where the guest does
 * not go down, ForeignState where it can be asked nothing.
 */
export async function shutDownFor(ctx: RoundContext, round: RoundRef): Promise<Downtime | null> {
  const { input, control, ids } = ctx
  const { name } = input.vm.ref
  if (input.stopBefore !== true) return null
  control.close('the VM is down for its point; that takes minutes')
  const look = siteSteps<RestoreActivities>(input.vm.site, 'hypervisor')
  const { state } = await look.readPower.executeWithOptions(
    { ...ids.step('power-before', `Does ${name} run?`), scheduleToCloseTimeout: '15 minutes' },
    [{ endpoint: round.endpoint, operation: round.pointId, vm: round.vm }],
  )
  if (state === 'stopped') {
    control.reopen()
    return null
  }
  if (state !== 'running')
    throw workflowFailure('ForeignState', `${name} is ${state} and cannot be shut down cleanly for its backup`, {
      hint: 'Let it run or shut it down, then start the backup again; or back it up without the stop.',
    })
  control.stage('Shutting the guest down')
  const limitMs = input.tuning.shutdownLimitMs ?? defaults.shutdownLimitMs
  let isDown = false
  const takeOff = ctx.undo.push(
    { kind: 'stopped-vm', id: name, hint: 'It was running before its backup and may be off now: start it by hand.' },
    () => returnedToRunning(ctx, round, isDown ? 0 : limitMs),
  )
  const hypervisor = siteSteps<BackupActivities>(input.vm.site, 'hypervisor')
  await hypervisor.shutDown.executeWithOptions(
    {
      ...ids.step('shut-down', `Shut the guest down, for at most ${formatDuration(limitMs)}`),
      startToCloseTimeout: limitMs + 60_000,
      scheduleToCloseTimeout: limitMs + 10 * 60_000,
    },
    [{ ...round, limitMs }],
  )
  isDown = true
  const downSinceMs = Date.now()
  return {
    start: async () => {
      control.stage('Starting the VM again')
      const { before } = await control.patiently(
        `starting ${name} again`,
        () =>
          hypervisor.startAgain.executeWithOptions(
            { ...ids.step('start-again', 'Start the VM again'), scheduleToCloseTimeout: '5 minutes' },
            [{ ...round, watchMs: 0 }],
          ),
        startPatienceMs,
      )
      takeOff()
      control.reopen()
      // Somebody else had started it: whether that was before the point or after it, nobody knows.
      if (before === 'running') return null
      return { downMs: Date.now() - downSinceMs }
    },
  }
}

/** Of a point: why nothing was to be frozen. null: the VM ran, or was paused. */
export function atRestOf({ quiesce }: Pick<PointInTime, 'quiesce'>, shutDown: ShutDown | null): AtRest | null {
  if (shutDown !== null) return 'shut-down'
  return quiesce.isOff === true ? 'off' : null
}

/** `watchMs`: the guest may still go down in that time, as it was asked to. */
async function returnedToRunning(
  { input, ids }: RoundContext,
  round: RoundRef,
  watchMs: number,
): Promise<readonly ResidueItem[]> {
  const cleanup = siteSteps<BackupActivities>(input.vm.site, 'cleanup')
  const summary =
    watchMs === 0 ? 'Start the VM again' : 'See to it that the VM runs, although it was asked to shut down'
  for (let starts = 1; ; starts += 1) {
    try {
      const options = { ...ids.undo('shut-down', 'start', summary), startToCloseTimeout: watchMs + 10 * 60_000 }
      const { before } = await cleanup.startAgain.executeWithOptions(options, [{ ...round, watchMs }])
      return watchMs > 0 && before === 'running' ? [mayStillStop(input.vm.ref.name)] : []
    } catch (thrown) {
      if (starts >= startsWhenUndone) throw thrown
      log.warn('the VM could not be started again', { vm: input.vm.ref.name, error: errorOf(thrown) })
      await sleep(input.tuning.reprobeMs ?? defaults.reprobeMs, { summary: 'before the VM is started once more' })
    }
  }
}

function mayStillStop(name: string): ResidueItem {
  return {
    kind: 'late-shutdown',
    id: name,
    error: 'it was asked to shut down for its backup, and had not done so when the run ended',
    hint: 'It may still shut down. Look at its console, and start it again if it did.',
  }
}
