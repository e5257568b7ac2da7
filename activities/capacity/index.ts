/** Slots across all plans: what a run needs, and whether it may begin. */
import type { Catalog } from '../../catalog/index.ts'
import type { CapacityActivities, SlotNeeds } from './types.ts'

export type * from './types.ts'

export function createCapacityActivities(catalog: Catalog): CapacityActivities {
  return {
    claimSlots: async ({ runId, workflowId, kind, title, priority, ...wish }) =>
      catalog.slots.claim({ runId, workflowId, kind, title, priority, needs: needsOf(catalog, wish) }),
  }
}

function needsOf(catalog: Catalog, { hostId, repositoryId, otherRepositoryId, site, vmId }: SlotNeeds): string[] {
  const disks = (typeof vmId === 'string' ? catalog.vms.find(vmId) : undefined)?.disks ?? []
  const needs = [
    ...(hostId === null ? [] : [`host/${hostId}`]),
    ...disks.flatMap(({ datastore, skip }) =>
      datastore === undefined || skip !== null ? [] : [`datastore/${datastore}`],
    ),
    `repository/${repositoryId}`,
    ...(otherRepositoryId === undefined ? [] : [`repository/${otherRepositoryId}`]),
    `link/${site}`,
  ]
  return [...new Set(needs)]
}
