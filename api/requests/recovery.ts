import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, RecoveryPlanView } from '../../catalog/index.ts'
import type { RecoverySpec } from '../../policy/index.ts'
import { recoveryWorkflow, recoveryWorkflowId, type RecoveryInput } from '../../workflows/recovery-plan/contract.ts'
import type { recoverySpecSchema, recoveryStartBody } from '../schemas/recovery-plans.ts'
import { planCheck } from '../views/recovery-plans.ts'
import type { StartPlan } from './start.ts'

/** As the catalog keeps it: a tier without a name has that of its key. */
export function recoverySpec(given: z.infer<typeof recoverySpecSchema>): RecoverySpec {
  return { ...given, tiers: given.tiers.map((tier) => ({ ...tier, name: tier.name || tier.key })) }
}

/** Refused where it could not come to its end, while another run of the plan is under way, and a run for real without the name. */
export function planRecovery(
  catalog: Catalog,
  plan: RecoveryPlanView,
  { mode, confirmName, untilMs, withoutPeople, patienceMs, beside, reason }: z.infer<typeof recoveryStartBody>,
  user: string,
  nowMs: number,
): StartPlan {
  const { id, name } = plan
  if (mode === 'run' && confirmName !== name)
    throw new HoldfastError('InvalidRequest', `running ${name} for real needs its name as confirmation`, {
      hint: `Give confirmName "${name}".`,
    })
  if (mode === 'run' && withoutPeople)
    throw new HoldfastError('InvalidRequest', 'a run for real does not skip what people have to do')
  const members = plan.tiers.flatMap((tier) => tier.members.map(({ vmId }) => vmId))
  const stranger = beside.find((vmId) => !members.includes(vmId))
  if (stranger !== undefined) throw new HoldfastError('InvalidRequest', `${stranger} is no VM of ${name}`)
  catalog.recoveryRuns.requireFree({ planId: id, planName: name, mode, spec: plan })
  const blocking = planCheck(catalog, plan).findings.find(({ severity }) => severity === 'blocking')
  if (blocking !== undefined) throw new HoldfastError('InvalidRequest', blocking.message, { hint: blocking.hint })
  const requestedBy = { user, reason }
  const title = mode === 'rehearse' ? `Rehearsal of ${name}` : `Recovery plan ${name}`
  const input: RecoveryInput = {
    v: 1,
    planId: id,
    planName: name,
    mode,
    untilMs,
    withoutPeople,
    patienceMs,
    beside,
    requestedBy,
  }
  return {
    workflowId: recoveryWorkflowId(id, nowMs),
    memo: { title, vmId: null, repositoryId: null, pointId: null, requestedBy },
    spec: () => ({
      ...{ workflow: recoveryWorkflow, input, summary: title, search: {} },
      priority: mode === 'rehearse' ? 4 : 1,
    }),
  }
}
