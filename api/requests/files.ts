import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../base/index.ts'
import {
  filesWorkflow,
  filesWorkflowId,
  restoreFilesWorkflow,
  restoreFilesWorkflowId,
  type FilesInput,
  type RestoreFilesInput,
} from '../../workflows/files/contract.ts'
import type { filesBody, restoreFilesBody } from '../schemas/files.ts'
import { newRequestId } from './restore.ts'
import type { StartPlan } from './start.ts'
import { readablePoint, repositoryRefOf, requireOneSite, tuningOf, vmTargetOf } from './targets.ts'

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

/** Throws InvalidRequest where something would be replaced and the name of the VM was not given. */
export function planFilesToGuest(
  catalog: Catalog,
  session: string,
  pointId: string,
  wish: z.infer<typeof restoreFilesBody>,
  user: string,
): StartPlan {
  const { point, repository, vm } = readablePoint(catalog, pointId)
  const target = vmTargetOf(catalog, vm)
  requireOneSite(vm.name, target.site, repository)
  if (wish.to.kind === 'replace' && wish.confirmName !== vm.name)
    throw new HoldfastError('InvalidRequest', `this replaces files in ${vm.name} and needs its name to begin`, {
      data: { confirmName: vm.name },
      hint: `Give confirmName "${vm.name}".`,
    })
  const requestedBy = { user, reason: wish.reason }
  const what = wish.paths.length === 1 ? (wish.paths[0] ?? '') : `${wish.paths.length} places`
  const title = `${what.slice(0, 80)} into ${vm.name}`
  return {
    workflowId: restoreFilesWorkflowId(newRequestId()),
    memo: { title, vmId: vm.id, repositoryId: repository.id, pointId: point.id, requestedBy },
    spec: (workflowId) => ({
      workflow: restoreFilesWorkflow,
      input: {
        v: 1,
        requestId: workflowId.slice(restoreFilesWorkflowId('').length),
        session,
        volume: wish.volume,
        paths: wish.paths,
        place: wish.to,
        vm: target,
        repository: repositoryRefOf(repository),
        stem: point.stem,
        requestedBy,
        tuning: tuningOf(wish.tuning),
      } satisfies RestoreFilesInput,
      summary: title,
      search: { vm: vm.id, repository: repository.id, site: target.site },
      priority: 1,
    }),
  }
}
