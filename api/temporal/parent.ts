import type { WorkflowExecutionInfo } from '@temporalio/client'
import type { RunHandle } from '../orchestrator.ts'

/** The run that started this one; null: no run did. */
export function parentOf({ parentExecution }: Pick<WorkflowExecutionInfo, 'parentExecution'>): RunHandle | null {
  const { workflowId, runId } = parentExecution ?? {}
  return workflowId && runId ? { workflowId, runId } : null
}
