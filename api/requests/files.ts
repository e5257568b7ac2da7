import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { filesWorkflow, filesWorkflowId, type FilesInput } from '../../workflows/files/contract.ts'
import type { filesBody } from '../schemas/files.ts'
import { newRequestId } from './restore.ts'
import type { StartPlan } from './start.ts'
import { readablePoint, repositoryRefOf, tuningOf } from './targets.ts'

export function planFiles(catalog: Catalog, wish: z.infer<typeof filesBody>, user: string): StartPlan {
  const { point, repository, vm } = readablePoint(catalog, wish.pointId)
  const requestedBy = { user, reason: wish.reason }
  return {
    workflowId: filesWorkflowId(newRequestId()),
    memo: { title: `Files of ${vm.name}`, vmId: vm.id, repositoryId: repository.id, pointId: point.id, requestedBy },
    spec: (workflowId) => ({
      workflow: filesWorkflow,
      input: {
        v: 1,
        requestId: workflowId.slice(filesWorkflowId('').length),
        repository: repositoryRefOf(repository),
        stem: point.stem,
        vmId: vm.id,
        vmName: vm.name,
        site: repository.site,
        disks: wish.disks,
        idleMs: wish.idleMinutes * 60_000,
        requestedBy,
        tuning: tuningOf(wish.tuning),
      } satisfies FilesInput,
      summary: `Files of ${vm.name}`,
      search: { vm: vm.id, repository: repository.id, site: repository.site },
      priority: 1,
    }),
  }
}
