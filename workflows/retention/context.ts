import { workflowInfo } from '@temporalio/workflow'
import type { RetentionRecordActivities } from '../../activities/retention/types.ts'
import type { RunControl } from '../shared/control.ts'
import { controlSteps } from '../shared/options.ts'
import type { StepIds } from '../shared/steps.ts'
import type { SweepInput } from './contract.ts'

/** What every part of a sweep needs to know. */
export interface SweepContext {
  readonly input: SweepInput
  readonly control: RunControl
  readonly ids: StepIds
  readonly actor: string
}

type State = Parameters<RetentionRecordActivities['recordSweepState']>[0]['state']

/** What the list of sweeps shows. */
export async function record(
  { ids }: SweepContext,
  state: State,
  more: Partial<Parameters<RetentionRecordActivities['recordSweepState']>[0]>,
): Promise<void> {
  const { runId } = workflowInfo()
  const { recordSweepState } = controlSteps<RetentionRecordActivities>('record')
  await recordSweepState.executeWithOptions(ids.step('record-sweep', `Write down: ${state}`), [
    { ...more, runId, state },
  ])
}
