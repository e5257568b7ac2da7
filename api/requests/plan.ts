import { HoldfastError } from '../../base/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { followingRunId, planWorkflow, planWorkflowId, type PlanRunInput } from '../../workflows/plan/contract.ts'
import type { Requester } from '../../workflows/shared/contract.ts'
import type { StartPlan } from './start.ts'

/** A run of the plan now, whatever its schedule says, also of a paused one. Throws NotFound, AlreadyRunning. */
export function planRunOf(
  catalog: Catalog,
  asked: { readonly name: string; readonly requestedBy: Requester; readonly key: string | undefined },
  nowMs: number,
): StartPlan {
  const { name, requestedBy, key } = asked
  const plan = catalog.plans.get(name)
  requireNoRunOf(catalog, name, key)
  const input: PlanRunInput = { v: 1, plan: plan.name, trigger: 'hand', again: null, requestedBy, part: 0 }
  const title = `Plan ${plan.name}`
  return {
    workflowId: planWorkflowId(plan.name, nowMs),
    memo: { title, vmId: null, repositoryId: null, pointId: null, requestedBy },
    spec: () => ({ workflow: planWorkflow, input, summary: `${title}, now`, search: {}, priority: 3 }),
  }
}

/** Two runs of one plan would take the same VMs. `key`: of a request that is repeated. Throws AlreadyRunning. */
export function requireNoRunOf(catalog: Catalog, name: string, key: string | undefined): void {
  const [open] = catalog.runs.list({ limit: 1 }, { plan: name, state: 'open' }).items
  // A request that is repeated finds the run that its first attempt has started.
  if (open !== undefined && (key === undefined || open.idempotencyKey !== key)) {
    const { workflowId, runId } = open
    throw new HoldfastError('AlreadyRunning', `a run of the plan ${name} is under way already`, {
      data: { workflowId, runId },
      hint: `Watch it with \`holdfast run watch ${workflowId}\`, or cancel it first.`,
    })
  }
}

/** The run of a plan that comes after another one, of which this run has ended. */
export function followingRunOf(
  name: string,
  before: { readonly id: string; readonly plan: string; readonly openedMs: number },
): StartPlan {
  const requestedBy = { user: `plan ${name}`, reason: `after the run ${before.id} of ${before.plan}` }
  const input: PlanRunInput = { v: 1, plan: name, trigger: 'after', again: null, requestedBy, part: 0 }
  const title = `Plan ${name}`
  return {
    workflowId: followingRunId(name, before.openedMs),
    memo: { title, vmId: null, repositoryId: null, pointId: null, requestedBy },
    spec: () => ({ workflow: planWorkflow, input, summary: `${title}, after ${before.plan}`, search: {}, priority: 3 }),
  }
}
