import { uuid4 } from '@temporalio/workflow'
import type { ReplicationActivities } from '../../activities/replication/types.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { PointId, VmRef } from '../../drivers/values.ts'
import { errorOf, workflowFailure } from '../shared/failures.ts'
import { siteSteps } from '../shared/options.ts'
import { hex32 } from '../shared/steps.ts'
import { endLater, startAgainLater, type MoveContext } from './move.ts'
import { soon } from './round.ts'

/** Steps of a failover: can the standby be started, is the source off, the standby runs. */

const fenceLimits = { scheduleToCloseTimeout: '1 minute' } as const

/** What is not known to run there is not brought back. */
export async function requireTakenOver({ input, ids, end, looksAgain }: MoveContext): Promise<void> {
  const { pair } = input
  const steps = siteSteps<ReplicationActivities>(pair.site, 'hypervisor')
  const view = await steps.inspectStandby.executeWithOptions(ids.step('inspect', `Has ${pair.name} taken over?`), [
    { endpoint: pair.endpoint, operation: pair.id },
  ])
  if (view?.role === 'taken-over') return
  // A catalog that was brought back may know less than the standby itself.
  if (view?.role === 'follows' && looksAgain) end.was = 'following'
  const why =
    view === null
      ? 'there is none any more'
      : view.role === 'removing'
        ? 'its removal was begun'
        : view.role === 'withdrawing'
          ? 'its takeover was withdrawn, and what it wrote goes'
          : 'it follows its source, and holds nothing that is not there'
  throw workflowFailure('ReplicationRefused', `nothing is brought back from the standby ${pair.name}: ${why}`, {
    hint: 'Start the source if it is off, and begin a cycle: `holdfast replication cycle`.',
  })
}

/** A VM that has taken over is nobody's to remove, whatever the catalog says of it. */
export async function requireFollowing({ input, ids }: MoveContext): Promise<void> {
  const { pair } = input
  const steps = siteSteps<ReplicationActivities>(pair.site, 'hypervisor')
  const view = await steps.inspectStandby.executeWithOptions(ids.step('inspect', `Does ${pair.name} follow?`), [
    { endpoint: pair.endpoint, operation: pair.id },
  ])
  if (view?.role === 'taken-over')
    throw workflowFailure('ReplicationRefused', `${pair.name} has taken over and is not removed`, {
      hint: 'Accept that it stays, or fail back first.',
    })
  if (view?.role === 'withdrawing' && view.power !== 'stopped')
    throw workflowFailure('ReplicationRefused', `${pair.name} is ${view.power} and is not removed`, {
      hint: 'Its takeover was withdrawn, and that was cut off before it ended. Switch it off.',
    })
}

/** Asked before the source is switched off: nobody would run if the standby could not. */
export async function requireStartable({ input, control, ids }: MoveContext): Promise<void> {
  const { pair } = input
  const steps = siteSteps<ReplicationActivities>(pair.site, 'hypervisor')
  control.stage(`Looking at ${pair.name}`)
  const view = await steps.inspectStandby.executeWithOptions(
    { ...ids.step('inspect', `Can ${pair.name} be started?`), ...fenceLimits, startToCloseTimeout: '30 seconds' },
    [{ endpoint: pair.endpoint, operation: pair.id }],
  )
  const why =
    view === null
      ? 'there is none any more'
      : view.role === 'taken-over'
        ? 'it has taken over already'
        : view.role === 'removing'
          ? 'its removal was begun'
          : view.power !== 'stopped'
            ? `it is ${view.power}`
            : view.head === null
              ? 'no state of it ever came whole'
              : view.isTouched
                ? 'somebody has written to it: what it holds is no state of its source'
                : null
  if (why !== null)
    throw workflowFailure('ReplicationRefused', `the standby ${pair.name} cannot take over: ${why}`, {
      hint: `${pair.source.ref.name} was left as it was. Look at ${pair.name} on its hypervisor, or restore the VM from a repository.`,
    })
}

type Fenced = { readonly state: 'off' } | { readonly state: 'unreachable'; readonly why: string }

/** The undo is there before the source is switched off, and only if it may run. */
export async function fenceSource(ctx: MoveContext): Promise<Fenced> {
  const { input, control, ids } = ctx
  const { source } = input.pair
  const { name } = source.ref
  const steps = siteSteps<ReplicationActivities & RestoreActivities>(source.site, 'hypervisor')
  control.stage(`Switching ${name} off, if it can be reached`)
  try {
    const { state } = await steps.readPower.executeWithOptions(
      { ...ids.step('read-power', `Does ${name} run now?`), ...fenceLimits, startToCloseTimeout: '20 seconds' },
      [{ endpoint: source.endpoint, operation: hex32(uuid4()), vm: source.ref }],
    )
    if (state === 'stopped') return { state: 'off' }
    startAgainLater(ctx, source, 'fence', `Start ${name} by hand: the failover that switched it off has failed.`)
    const { after } = await steps.fenceSource.executeWithOptions(
      { ...ids.step('fence', `Switch ${name} off where it ran`), ...fenceLimits, startToCloseTimeout: '50 seconds' },
      [{ endpoint: source.endpoint, vm: source.ref }],
    )
    return after === 'stopped' ? { state: 'off' } : { state: 'unreachable', why: `it is ${after}` }
  } catch (thrown) {
    const error = errorOf(thrown)
    if (error === undefined) throw thrown
    return { state: 'unreachable', why: error.message }
  }
}

/** Nobody runs meanwhile, so nobody is waited for: what does not start within minutes is undone. */
export async function takeOver(ctx: MoveContext): Promise<VmRef> {
  const { input, control, ids } = ctx
  const { pair } = input
  const steps = siteSteps<ReplicationActivities & RestoreActivities>(pair.site, 'hypervisor')
  const cleanup = siteSteps<ReplicationActivities>(pair.site, 'cleanup')
  const at = { endpoint: pair.endpoint, operation: pair.id, takeover: hex32(uuid4()) as PointId }
  control.stage(`Starting ${pair.name}`)
  endLater(ctx, pair.name, `Switch ${pair.name} off by hand before its source runs again.`, () =>
    cleanup.withdrawTakeover.executeWithOptions(
      ids.undo('take-over', 'withdraw', `End ${pair.name}; it follows again`),
      [at],
    ),
  )
  const vm = await steps.takeOver.executeWithOptions(
    { ...ids.step('take-over', `Start ${pair.name} in its last whole state`), ...soon },
    [at],
  )
  const { state } = await steps.readPower.executeWithOptions(
    { ...ids.step('running', `Does ${pair.name} run?`), ...soon },
    [{ endpoint: pair.endpoint, operation: pair.id, vm }],
  )
  if (state !== 'running') throw workflowFailure('GuestRefused', `${pair.name} was started and is ${state}`)
  return vm
}
