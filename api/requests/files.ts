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
  const title = wish.view === 'disks' ? `Disks of ${vm.name} as images` : `Files of ${vm.name}`
  return {
    workflowId: filesWorkflowId(newRequestId()),
    memo: { title, vmId: vm.id, repositoryId: repository.id, pointId: point.id, requestedBy },
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
        ...(wish.view === 'disks' && { view: wish.view }),
        idleMs: wish.idleMinutes * 60_000,
        requestedBy,
        tuning: tuningOf(wish.tuning),
      } satisfies FilesInput,
      summary: title,
      search: { vm: vm.id, repository: repository.id, site: repository.site },
      priority: 1,
    }),
  }
}
