import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, PointView } from '../../catalog/index.ts'
import { drillWorkflow, drillWorkflowId, type DrillInput } from '../../workflows/drill/contract.ts'
import { toQuestions } from '../../policy/index.ts'
import type { drillBody } from '../schemas/actions.ts'
import type { StartPlan } from './start.ts'
import { endpointOf, repositoryRefOf, requireOneSite, tuningOf } from './targets.ts'

/** `20261121t073352`, UTC: keeps to the characters of workflow ids. */
export function drillTime(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()
}

export function planDrill(catalog: Catalog, wish: z.infer<typeof drillBody>, user: string, nowMs: number): StartPlan {
  const point = choosePoint(catalog, wish)
  const vm = catalog.vms.get(point.vmId)
  const repository = catalog.repositories.get(point.repositoryId)
  const endpoint = catalog.endpoints.get(wish.hypervisorId ?? vm.endpointId)
  requireOneSite(endpoint.name, endpoint.site, repository)
  const said = catalog.policy.drill(vm)
  const requestedBy = { user, reason: wish.reason }
  const input: DrillInput = {
    v: 1,
    vmId: vm.id,
    vmName: vm.name,
    repository: repositoryRefOf(repository),
    stem: point.stem,
    endpoint: endpointOf(endpoint),
    site: endpoint.site,
    checks: toQuestions(wish.checks ?? said.checks.value, catalog.drills.countedLast(vm.id)),
    ...(wish.from === 'repository' && { from: wish.from }),
    bootTimeoutMs: wish.bootTimeoutMs ?? said.bootTimeoutMs.value,
    requestedBy,
    tuning: tuningOf(wish.tuning),
  }
  return {
    workflowId: drillWorkflowId(vm.id, drillTime(nowMs)),
    memo: { title: `Drill of ${vm.name}`, vmId: vm.id, repositoryId: repository.id, pointId: point.id, requestedBy },
    spec: () => ({
      workflow: drillWorkflow,
      input,
      summary: `Drill of ${vm.name} on ${endpoint.name}`,
      search: { vm: vm.id, repository: repository.id, site: endpoint.site },
      priority: 4,
    }),
  }
}

function choosePoint(catalog: Catalog, wish: z.infer<typeof drillBody>): PointView {
  if (wish.pointId !== undefined) {
    const point = catalog.points.get(wish.pointId)
    if (wish.vmId !== undefined && point.vmId !== wish.vmId) {
      throw new HoldfastError('InvalidRequest', `the point ${point.id} is of ${point.vmId}, not of ${wish.vmId}`)
    }
    if (point.validatedMs === null)
      throw new HoldfastError('PointNotRestorable', `the point ${point.id} is not validated`)
    return point
  }
  if (wish.vmId === undefined) throw new HoldfastError('InvalidRequest', 'neither a point nor a VM was named')
  const vm = catalog.vms.get(wish.vmId)
  const newest = catalog.points.newestValidated(vm.id)
  if (!newest)
    throw new HoldfastError('PointNotRestorable', `${vm.name} has no validated point to drill`, {
      hint: 'Back it up first.',
    })
  return newest
}
