import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { ChildWorkflowCancellationType, ParentClosePolicy, executeChild } from '@temporalio/workflow'
import type { VmTarget } from '../shared/contract.ts'
import { workflowFailure } from '../shared/failures.ts'
import { controlQueue } from '../shared/queues.ts'
import { backupWorkflow, backupWorkflowId } from '../backup/contract.ts'
import type { BackupInput, BackupResult } from '../backup/contract.ts'
import type { RestoreContext } from './target.ts'
import type { RestoreInput } from './contract.ts'

/** What can be refused without touching anything is refused first. */
export function checkedRequest({ target }: RestoreInput): void {
  if (target.kind === 'original' && target.confirmName !== target.vm.ref.name) {
    throw workflowFailure(
      'InvalidRequest',
      `the name does not match: this replaces the disks of ${target.vm.ref.name}`,
      {
        hint: 'Type the name of the VM to confirm that its disks are replaced.',
      },
    )
  }
}

/** The state that is about to be replaced becomes a point of its own; without it nothing is replaced. */
export async function takeSafetyPoint(input: RestoreInput, vm: VmTarget, ctx: RestoreContext): Promise<string> {
  const backup: BackupInput = {
    v: 1,
    vm,
    repository: input.repository,
    origin: 'safety',
    name: null,
    description: `before the restore of ${input.stem}`,
    mode: 'auto',
    want: 'filesystem',
    onQuiesceFailure: 'degrade',
    compressionLevel: 1,
    requestedBy: input.requestedBy,
    tuning: input.tuning,
  }
  ctx.control.stage('Taking the safety point')
  await ctx.control.gate()
  try {
    const result = await executeChild<(input: BackupInput) => Promise<BackupResult>>(backupWorkflow, {
      workflowId: backupWorkflowId(vm.id),
      taskQueue: controlQueue,
      args: [backup],
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      // A terminated restore must not terminate the backup: only a cancel lets it thaw the guest and drop its snapshot.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `Safety point of ${vm.ref.name} before a restore`,
    })
    return result.pointId
  } catch (thrown) {
    if (!(thrown instanceof WorkflowExecutionAlreadyStartedError)) throw thrown
    throw workflowFailure('AlreadyRunning', `a backup of ${vm.ref.name} is under way`, {
      hint: 'Wait until it ends or cancel it, then start the restore again: it takes its safety point itself.',
    })
  }
}
