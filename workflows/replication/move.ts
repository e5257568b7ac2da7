import { uuid4 } from '@temporalio/workflow'
import { formatBytes } from '../../base/index.ts'
import type { ReplicationRecordActivities } from '../../activities/replication/types.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { VmTarget } from '../shared/contract.ts'
import { workflowFailure } from '../shared/failures.ts'
import { siteSteps } from '../shared/options.ts'
import { hex32 } from '../shared/steps.ts'
import type { FailoverInput, FailoverResult } from './contract.ts'
import { patienceWhileDownMs, runRound, soon, type Round, type RoundContext } from './round.ts'

/** What both directions have in common: who runs is stopped, who shall run is started, and all of it can be undone. */
const shutdownMs = 180_000
const startMs = 120_000
const plugMs = 30_000
/** A hypervisor that does not answer meanwhile is not waited for: nobody may run. */
const downWithin = { scheduleToCloseTimeout: shutdownMs + plugMs + 120_000 }

export interface MoveContext extends RoundContext {
  readonly input: FailoverInput
  readonly undo: Compensations
  /** Who was to be started and could not be ended again: while there is one, no undo starts the other. */
  readonly mayRun: Set<string>
  /** Why the run is not paused. */
  readonly closed: string
  /** false: it began before a side that was shut down was looked at again, and goes on as it began. */
  readonly looksAgain: boolean
  /** What is written down of the pair if it fails. */
  readonly end: { was: Begun['was'] | null; isMoved: boolean }
}
/** What the catalog learns of the end. */
export type Ending = Omit<
  Parameters<ReplicationRecordActivities['endReplication']>[0],
  'id' | 'runId' | 'atMs' | 'error'
>
export interface Moved {
  readonly result: FailoverResult
  readonly ending: Ending | null
}
export type Begun = Awaited<ReturnType<ReplicationRecordActivities['beginReplication']>>

/** A round that is tried again undoes itself alone: what was shut down for it stays so. */
export function runRoundKeeping(ctx: MoveContext, wish: Parameters<typeof runRound>[1]): Promise<Round> {
  const own = ctx.undo.part()
  return runRound({ ...ctx, undo: own }, wish)
}

/**
 * Before a VM is stopped: its undo starts it again, but never beside the one that was started in its place. `step`: what is
 * undone.
 */
export function startAgainLater({ ids, undo, mayRun }: MoveContext, vm: VmTarget, step: string, hint: string): void {
  const { name } = vm.ref
  const cleanup = siteSteps<RestoreActivities>(vm.site, 'cleanup')
  const at = { endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }
  undo.push({ kind: 'stopped-vm', id: name, hint }, async () => {
    const [other] = mayRun
    if (other !== undefined) {
      const first = `Make sure that ${other} is off, then start ${name} by hand: two copies must not run.`
      return [{ kind: 'stopped-vm', id: name, error: `not started: ${other} may run`, hint: first }]
    }
    const { after } = await cleanup.powerVm.executeWithOptions(ids.undo(step, 'start', `Start ${name} again`), [
      { ...at, want: 'running', limitMs: startMs },
    ])
    if (after !== 'running') throw workflowFailure('GuestRefused', `${name} was started and is ${after}`)
    return []
  })
}

/** Before a VM is started: its undo ends it. Until that has come to its good end, nobody is started in its place. */
export function endLater({ undo, mayRun }: MoveContext, name: string, hint: string, end: () => Promise<void>): void {
  undo.push({ kind: 'running-vm', id: name, hint }, async () => {
    mayRun.add(name)
    await end()
    mayRun.delete(name)
    return []
  })
}

/** Asks the guest, then pulls the plug; a failover that ends badly starts it again if it ran. `note`: what follows. */
export async function shutDown(ctx: MoveContext, vm: VmTarget, note = ''): Promise<void> {
  const { control, ids } = ctx
  const steps = siteSteps<RestoreActivities>(vm.site, 'hypervisor')
  const at = { endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }
  control.stage(`Shutting ${vm.ref.name} down${note}`)
  const { state } = await steps.readPower.executeWithOptions(ids.step('read-power', `Does ${vm.ref.name} run now?`), [
    at,
  ])
  if (state === 'stopped') return
  startAgainLater(ctx, vm, 'power-off', `Start ${vm.ref.name} by hand: it ran before.`)
  const { after } = await control.patiently(
    'shutting the VM down',
    () =>
      steps.powerVm.executeWithOptions({ ...ids.step('power-off', `Shut ${vm.ref.name} down`), ...downWithin }, [
        { ...at, want: 'stopped', limitMs: shutdownMs },
      ]),
    patienceWhileDownMs,
  )
  if (after !== 'stopped') throw workflowFailure('GuestRefused', `${vm.ref.name} does not end: it is ${after}`)
}

/** Directly before the other is started: a cluster, an autostart or a person may have started it meanwhile. */
export async function requireStillOff({ control, ids, looksAgain }: MoveContext, vm: VmTarget): Promise<void> {
  if (!looksAgain) return
  const { name } = vm.ref
  const steps = siteSteps<RestoreActivities>(vm.site, 'hypervisor')
  control.stage(`Making sure that ${name} is off`)
  const { state } = await steps.readPower.executeWithOptions(
    { ...ids.step('still-off', `Is ${name} still off?`), ...soon },
    [{ endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }],
  )
  if (state !== 'stopped')
    throw workflowFailure('GuestRefused', `${name} was shut down and is ${state}: somebody has started it`, {
      hint: 'It stays the one that runs. Find out who starts it, then ask again.',
    })
}

/** What is read from its beginning once more after the shutdown, in words; '' if the changes suffice. */
export function readInFull({ point }: Round): string {
  const disks = point.disks.filter(({ next }) => next === null).map(({ disk }) => disk)
  if (disks.length === 0) return ''
  const size = disks.reduce((sum, one) => sum + one.size, 0)
  return `; then ${disks.map(({ key }) => key).join(', ')} (${formatBytes(size)}) ${disks.length === 1 ? 'is' : 'are'} read in full while nobody runs, because changes are not tracked there`
}

export async function powerUp(ctx: MoveContext, vm: VmTarget): Promise<void> {
  const { control, ids } = ctx
  const { name } = vm.ref
  const steps = siteSteps<RestoreActivities>(vm.site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(vm.site, 'cleanup')
  const at = { endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }
  endLater(ctx, name, `Switch ${name} off by hand.`, async () => {
    const { after } = await cleanup.powerVm.executeWithOptions(ids.undo('power-on', 'off', `Switch ${name} off`), [
      { ...at, want: 'off', limitMs: plugMs },
    ])
    if (after !== 'stopped') throw workflowFailure('GuestRefused', `${name} does not end: it is ${after}`)
  })
  control.stage(`Starting ${name}`)
  const { after } = await steps.powerVm.executeWithOptions({ ...ids.step('power-on', `Start ${name}`), ...soon }, [
    { ...at, want: 'running', limitMs: startMs },
  ])
  if (after !== 'running') throw workflowFailure('GuestRefused', `${name} was started and is ${after}`)
}
