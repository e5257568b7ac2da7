import type { z } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, ReplicationView } from '../../catalog/index.ts'
import { pairRefusal, type ReplicationAct } from '../../policy/index.ts'
import type { Requester } from '../../workflows/shared/contract.ts'
import {
  failoverWorkflow,
  failoverWorkflowId,
  replicationWorkflow,
  replicationWorkflowId,
  standbyTestWorkflow,
  standbyTestWorkflowId,
  type FailoverInput,
  type ReplicationInput,
  type ReplicationPair,
  type StandbyTestInput,
} from '../../workflows/replication/contract.ts'
import type { cycleBody, moveBody, replicationBody, standbyTestBody } from '../schemas/replications.ts'
import type { StartPlan } from './start.ts'
import { endpointOf, namesThere, tuningOf, vmTargetOf } from './targets.ts'

/** Throws InvalidRequest for a standby beside its source, Unsupported for a platform that keeps none. */
export function addReplication(catalog: Catalog, wish: z.infer<typeof replicationBody>): ReplicationView {
  const vm = catalog.vms.get(wish.vmId)
  const endpoint = catalog.endpoints.get(wish.hypervisorId)
  if (vm.endpointId === endpoint.id)
    throw new HoldfastError('InvalidRequest', `${vm.name} is on ${endpoint.name} itself`, {
      hint: 'A standby on the same hypervisor falls with it: choose another one.',
    })
  for (const platform of [endpoint.platform, catalog.endpoints.get(vm.endpointId).platform])
    if (platform !== 'qemu')
      throw new HoldfastError('Unsupported', `replication works between hypervisors of kind qemu, not ${platform}`)
  const name = wish.name ?? `${vm.name.slice(0, 54)}-standby`
  const id = randomUUID().replaceAll('-', '')
  return catalog.replications.add({ id, vmId: vm.id, endpointId: endpoint.id, name, rpoMs: wish.rpoMs })
}

function pairOf(catalog: Catalog, row: ReplicationView): ReplicationPair {
  const endpoint = catalog.endpoints.get(row.endpointId)
  const source = vmTargetOf(catalog, catalog.vms.get(row.vmId))
  const { networks } = namesThere(catalog.sites.mapBetween(source.site, endpoint.site))
  return {
    ...{ id: row.id, source, endpoint: endpointOf(endpoint), site: endpoint.site, name: row.name },
    ...(networks !== undefined && { networks }),
  }
}

export function planCycle(
  catalog: Catalog,
  row: ReplicationView,
  wish: z.infer<typeof cycleBody>,
  user: string,
): StartPlan {
  requireAllowed(row, 'cycle')
  const requestedBy = { user, reason: wish.reason }
  const pair = pairOf(catalog, row)
  return planOf(row, pair, requestedBy, {
    workflowId: replicationWorkflowId(row.id),
    title: `Replication of ${row.vmName}`,
    workflow: replicationWorkflow,
    priority: 3,
    input: { v: 1, pair, requestedBy, tuning: tuningOf(wish.tuning), full: wish.full } satisfies ReplicationInput,
  })
}

export function planMove(
  catalog: Catalog,
  row: ReplicationView,
  wish: z.infer<typeof moveBody>,
  user: string,
): StartPlan {
  const { move } = wish
  if (wish.confirmName !== row.vmName)
    throw new HoldfastError('InvalidRequest', `${words[move]} of ${row.vmName} needs its name as confirmation`, {
      hint: `Give confirmName "${row.vmName}".`,
    })
  requireAllowed(row, move === 'planned' || move === 'unplanned' ? 'failover' : move)
  const requestedBy = { user, reason: wish.reason }
  const pair = pairOf(catalog, row)
  return planOf(row, pair, requestedBy, {
    workflowId: failoverWorkflowId(row.id),
    title: `${words[move]} of ${row.vmName}`,
    workflow: failoverWorkflow,
    priority: 1,
    input: { v: 1, pair, move, requestedBy, tuning: tuningOf(wish.tuning) } satisfies FailoverInput,
  })
}

export function planStandbyTest(
  catalog: Catalog,
  row: ReplicationView,
  { holdMs, limitMs, reason, tuning }: z.infer<typeof standbyTestBody>,
  user: string,
): StartPlan {
  requireAllowed(row, 'test')
  const requestedBy = { user, reason }
  const pair = pairOf(catalog, row)
  return planOf(row, pair, requestedBy, {
    workflowId: standbyTestWorkflowId(row.id),
    title: `Test failover of ${row.vmName}`,
    workflow: standbyTestWorkflow,
    priority: 4,
    input: { v: 1, pair, holdMs, limitMs, requestedBy, tuning: tuningOf(tuning) } satisfies StandbyTestInput,
  })
}

const words = {
  planned: 'Planned failover',
  unplanned: 'Unplanned failover',
  failback: 'Failback',
  accept: 'End of the standby',
  remove: 'Removal of the standby',
} as const

/** Refused before a run is made of it; the run asks once more. */
function requireAllowed(row: ReplicationView, act: ReplicationAct): void {
  const refusal = pairRefusal(row, act)
  if (refusal !== null) throw new HoldfastError('ReplicationRefused', `no ${act} of ${row.vmName}: ${refusal}`)
}

function planOf(
  row: ReplicationView,
  pair: ReplicationPair,
  requestedBy: Requester,
  {
    workflowId,
    title,
    ...start
  }: {
    readonly workflowId: string
    readonly title: string
    readonly workflow: string
    readonly input: object
    readonly priority: 1 | 3 | 4
  },
): StartPlan {
  return {
    workflowId,
    memo: { title, vmId: row.vmId, repositoryId: null, pointId: null, requestedBy },
    spec: () => ({ ...start, summary: `${title}, ${pair.name}`, search: { vm: row.vmId, site: pair.site } }),
  }
}
