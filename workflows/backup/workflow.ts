import { uuid4 } from '@temporalio/workflow'
import { formatBytes, formatDuration } from '../../base/index.ts'
import type { PointId } from '../../drivers/values.ts'
import { errorOf } from '../shared/failures.ts'
import { conduct } from '../shared/lifecycle.ts'
import type { RunFigures } from '../shared/lifecycle.ts'
import { RunControl } from '../shared/control.ts'
import { StepIds, hex32 } from '../shared/steps.ts'
import type { Compensations } from '../shared/compensation.ts'
import { firstRound, nextRound } from './rounds.ts'
import { runRound } from './round.ts'
import { concludeRound } from './conclude.ts'
import type { BackupInput, BackupResult } from './contract.ts'

/**
 * One backup of one VM: look, freeze and snapshot, copy, commit, prove, clean up (docs/architecture.md, "A backup").
 * Its id is the lock of the VM. Cancelled or failed, it leaves nothing on the hypervisor, or says exactly what.
 */
export async function backupVm(input: BackupInput): Promise<BackupResult> {
  const control = new RunControl(input.tuning)
  const ids = new StepIds()
  return conduct(
    {
      kind: 'backup',
      vmId: input.vm.id,
      vmName: input.vm.ref.name,
      repositoryId: input.repository.id,
      stem: null,
      site: input.vm.site,
      requestedBy: input.requestedBy,
    },
    // A safety point works in the room that its restore holds already; it would wait for it for ever.
    input.origin === 'safety' ? null : { hostId: input.vm.endpoint.id, priority: input.priority ?? 3 },
    { control, ids },
    (undo) => rounds(input, control, ids, undo),
    figures,
  )
}

async function rounds(
  input: BackupInput,
  control: RunControl,
  ids: StepIds,
  undo: Compensations,
): Promise<BackupResult> {
  for (let history = firstRound; ;) {
    const ctx = { input, control, ids, undo, history, pointId: hex32(uuid4()) as PointId, session: hex32(uuid4()) }
    try {
      const committed = await runRound(ctx)
      return await concludeRound(ctx, committed)
    } catch (thrown) {
      const error = errorOf(thrown)
      const next = error === undefined ? null : nextRound(history, error)
      if (next === null) throw thrown
      history = next
      control.reopen()
      const wasGivenBack = error?.data?.['givenBack'] === true
      const what = error?.code === 'Busy' ? 'could not be opened' : wasGivenBack ? 'was given back' : 'was lost'
      control.stage(`The point in time ${what}; opening a new one`)
      await undo.unwind()
    }
  }
}

function figures(result: BackupResult): RunFigures {
  const bytesRead = result.disks.reduce((sum, disk) => sum + disk.readBytes, 0)
  const bytesStored = result.disks.reduce((sum, disk) => sum + disk.newBytes, 0)
  const down = result.downMs === undefined ? '' : `, shut down for ${formatDuration(result.downMs)}`
  const frozen = result.freezeDurationMs === null ? '' : `, frozen for ${formatDuration(result.freezeDurationMs)}`
  const summary = `${formatBytes(bytesRead)} read, ${formatBytes(bytesStored)} stored, ${result.consistency} consistent${frozen}${down}`
  const { pointId, spotCheckedChunks } = result
  return { summary, bytesRead, bytesStored, made: { pointId, spotCheckedChunks } }
}
