import { uuid4 } from '@temporalio/workflow'
import type { ReplicationRecordActivities } from '../../activities/replication/types.ts'
import type { RestoreActivities } from '../../activities/restore/types.ts'
import type { Compensations } from '../shared/compensation.ts'
import type { VmTarget } from '../shared/contract.ts'
import { workflowFailure } from '../shared/failures.ts'
import { siteSteps } from '../shared/options.ts'
import { hex32 } from '../shared/steps.ts'
import type { FailoverInput, FailoverResult } from './contract.ts'
import { runRound, type Round, type RoundContext } from './round.ts'

/** What both directions have in common: who runs is stopped, who shall run is started, and all of it can be undone. */
const shutdownMs = 180_000
export const startMs = 120_000
const plugMs = 30_000

export interface MoveContext extends RoundContext {
  readonly input: FailoverInput
  readonly undo: Compensations
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

/** Asks the guest, then pulls the plug; a failover that ends badly starts it again if it ran. */
export async function shutDown(ctx: MoveContext, vm: VmTarget): Promise<void> {
  const { control, ids, undo } = ctx
  const steps = siteSteps<RestoreActivities>(vm.site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(vm.site, 'cleanup')
  const at = { endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }
  control.stage(`Shutting ${vm.ref.name} down`)
  const { state } = await steps.readPower.executeWithOptions(ids.step('read-power', `Does ${vm.ref.name} run now?`), [
    at,
  ])
  if (state === 'stopped') return
  const hint = `Start ${vm.ref.name} by hand: it ran before.`
  undo.push({ kind: 'stopped-vm', id: vm.ref.name, hint }, async () => {
    await cleanup.powerVm.executeWithOptions(ids.undo('power-off', 'start', `Start ${vm.ref.name} again`), [
      { ...at, want: 'running', limitMs: startMs },
    ])
    return []
  })
  const { after } = await control.patiently('shutting the VM down', () =>
    steps.powerVm.executeWithOptions(ids.step('power-off', `Shut ${vm.ref.name} down`), [
      { ...at, want: 'stopped', limitMs: shutdownMs },
    ]),
  )
  if (after !== 'stopped') throw workflowFailure('GuestRefused', `${vm.ref.name} does not end: it is ${after}`)
}

export async function powerUp({ control, ids, undo }: MoveContext, vm: VmTarget): Promise<void> {
  const steps = siteSteps<RestoreActivities>(vm.site, 'hypervisor')
  const cleanup = siteSteps<RestoreActivities>(vm.site, 'cleanup')
  const at = { endpoint: vm.endpoint, operation: hex32(uuid4()), vm: vm.ref }
  undo.push({ kind: 'running-vm', id: vm.ref.name, hint: `Switch ${vm.ref.name} off by hand.` }, async () => {
    await cleanup.powerVm.executeWithOptions(ids.undo('power-on', 'off', `Switch ${vm.ref.name} off`), [
      { ...at, want: 'off', limitMs: plugMs },
    ])
    return []
  })
  control.stage(`Starting ${vm.ref.name}`)
  const { after } = await control.patiently('starting the VM', () =>
    steps.powerVm.executeWithOptions(ids.step('power-on', `Start ${vm.ref.name}`), [
      { ...at, want: 'running', limitMs: startMs },
    ]),
  )
  if (after !== 'running') throw workflowFailure('GuestRefused', `${vm.ref.name} was started and is ${after}`)
}
