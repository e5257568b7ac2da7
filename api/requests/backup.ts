import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, RepositoryView } from '../../catalog/index.ts'
import { backupWorkflow, backupWorkflowId, type BackupInput } from '../../workflows/backup/contract.ts'
import type { backupBody } from '../schemas/actions.ts'
import { defaultRepositoryOf } from '../views/vms.ts'
import type { StartPlan } from './start.ts'
import { repositoryRefOf, requireOneSite, tuningOf, vmTargetOf } from './targets.ts'

/** Which disks are read in full, and from which parent, is for the site to decide: it sees the disks. */
export function planBackup(catalog: Catalog, vmId: string, wish: z.infer<typeof backupBody>, user: string): StartPlan {
  const vm = catalog.vms.get(vmId)
  if (vm.goneMs !== null) {
    throw new HoldfastError('NotFound', `${vm.name} is no longer listed by ${vm.endpointName}`, {
      hint: `Discover ${vm.endpointName} again if it is back; its points can still be restored as a new VM.`,
    })
  }
  const repository = chooseRepository(catalog, vmId, wish.repositoryId)
  const target = vmTargetOf(catalog, vm)
  requireOneSite(vm.name, target.site, repository)
  const { quiesce } = vm.promised
  const requestedBy = { user, reason: wish.reason }
  const input: BackupInput = {
    v: 1,
    vm: target,
    repository: repositoryRefOf(repository),
    origin: wish.origin,
    name: wish.name,
    description: wish.description,
    mode: wish.mode,
    want: wish.want ?? (quiesce === 'none' ? 'crash' : 'filesystem'),
    onQuiesceFailure: wish.onQuiesceFailure ?? (quiesce === 'required' ? 'fail' : 'degrade'),
    compressionLevel: wish.compressionLevel,
    requestedBy,
    tuning: tuningOf(wish.tuning),
  }
  return {
    workflowId: backupWorkflowId(vmId),
    memo: { title: `Backup of ${vm.name}`, vmId, repositoryId: repository.id, pointId: null, requestedBy },
    spec: () => ({
      workflow: backupWorkflow,
      input,
      summary: `Backup of ${vm.name} to ${repository.name}`,
      search: { vm: vmId, repository: repository.id, site: target.site },
      priority: 3,
    }),
  }
}

function chooseRepository(catalog: Catalog, vmId: string, wanted: string | undefined): RepositoryView {
  const id = wanted ?? defaultRepositoryOf(catalog, vmId)
  if (id !== null) return catalog.repositories.get(id)
  const { total } = catalog.repositories.list({ limit: 1 })
  throw new HoldfastError(
    'InvalidRequest',
    total === 0 ? 'there is no repository to back up to' : `there are ${total} repositories and none was named`,
    {
      hint:
        total === 0
          ? 'Make one with `holdfast repo init`, then register it with `holdfast repository add`.'
          : 'Name one with repositoryId or --repository.',
    },
  )
}
