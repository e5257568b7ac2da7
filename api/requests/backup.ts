import type { z } from '@hono/zod-openapi'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, RepositoryView, VmView } from '../../catalog/index.ts'
import {
  backupSettings,
  keepFor,
  manualQuotaProblem,
  mostByHand,
  type KeepRules,
  type Plan,
} from '../../policy/index.ts'
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
  const plan = choosePlan(catalog, vm, wish.plan)
  const repository = chooseRepository(catalog, vmId, wish.repositoryId ?? plan?.targets[0]?.repository)
  const target = vmTargetOf(catalog, vm)
  requireOneSite(vm.name, target.site, repository)
  if (wish.stopBefore) refuseWithoutStop(catalog, vm)
  const policy = catalog.policy.effective(vm, plan)
  if (wish.origin === 'manual') refuseBeyondQuota(catalog, vm, repository, keepFor(policy, repository.id).value)
  const settings = backupSettings(policy)
  const requestedBy = { user, reason: wish.reason }
  const input: BackupInput = {
    ...settings,
    v: 1,
    vm: target,
    repository: repositoryRefOf(repository),
    origin: wish.origin,
    name: wish.name,
    description: wish.description,
    plan: plan?.name ?? null,
    ...(plan && { bandwidth: { limits: plan.bandwidth, timeZone: plan.timeZone } }),
    mode: wish.mode ?? settings.mode,
    want: wish.want ?? settings.want,
    onQuiesceFailure: wish.onQuiesceFailure ?? settings.onQuiesceFailure,
    compressionLevel: wish.compressionLevel ?? settings.compressionLevel,
    retentionClass: vm.category,
    ...(wish.stopBefore && { stopBefore: true }),
    ...(wish.takeOverFrom !== undefined && { takeOverFrom: wish.takeOverFrom }),
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

/** The one that was named; else the only one that takes the VM, or the first by name: they differ in more than time. */
function choosePlan(catalog: Catalog, vm: VmView, wanted: string | null | undefined): Plan | null {
  if (wanted === null) return null
  return wanted === undefined ? (catalog.policy.plansOf(vm)[0] ?? null) : catalog.plans.get(wanted)
}

/** As its last connection test has told; one that nobody has asked is asked by the preflight. */
function refuseWithoutStop(catalog: Catalog, vm: VmView): void {
  const { name, probe } = catalog.endpoints.get(vm.endpointId)
  if (probe?.capabilities?.['cleanStop'] !== false || vm.power === 'stopped') return
  throw new HoldfastError('Unsupported', `${name} cannot shut ${vm.name} down for its backup`, {
    hint: 'Back it up without the stop, or shut it down by hand before.',
  })
}

function refuseBeyondQuota(catalog: Catalog, vm: VmView, repository: RepositoryView, keep: KeepRules): void {
  const have = catalog.policy.manualPoints(vm.id, repository.id)
  const problem = manualQuotaProblem(vm.name, have, keep, mostByHand)
  if (problem !== null) throw new HoldfastError('QuotaFull', `${problem} in ${repository.name}`)
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
