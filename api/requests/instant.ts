import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { instantWorkflow, instantWorkflowId, type InstantInput } from '../../workflows/instant/contract.ts'
import type { instantBody } from '../schemas/instants.ts'
import { newRequestId } from './restore.ts'
import type { StartPlan } from './start.ts'
import { endpointOf, namesAt, readablePoint, repositoryRefOf, requireOneSite, tuningOf } from './targets.ts'

export function planInstant(catalog: Catalog, wish: z.infer<typeof instantBody>, user: string): StartPlan {
  const { point, repository, vm } = readablePoint(catalog, wish.pointId)
  const endpoint = catalog.endpoints.get(wish.hypervisorId)
  requireOneSite(endpoint.name, endpoint.site, repository)
  const requestedBy = { user, reason: wish.reason }
  const { name, network, identity } = wish
  const boot = catalog.bootLists.of(vm.id)
  return {
    workflowId: instantWorkflowId(newRequestId()),
    memo: {
      title: `Instant restore of ${vm.name}`,
      vmId: vm.id,
      repositoryId: repository.id,
      pointId: point.id,
      requestedBy,
    },
    spec: (workflowId) => ({
      workflow: instantWorkflow,
      input: {
        v: 1,
        requestId: workflowId.slice(instantWorkflowId('').length),
        repository: repositoryRefOf(repository),
        stem: point.stem,
        vmId: vm.id,
        vmName: vm.name,
        endpoint: endpointOf(endpoint),
        site: endpoint.site,
        name,
        network,
        ...namesAt(catalog, vm, endpoint.site),
        identity,
        ...(boot !== null && { boot }),
        requestedBy,
        tuning: tuningOf(wish.tuning),
      } satisfies InstantInput,
      summary: `Instant restore of ${vm.name} as ${name} on ${endpoint.name}`,
      search: { vm: vm.id, repository: repository.id, site: repository.site },
      priority: 1,
    }),
  }
}
