/** Slots across all plans: what a run needs, and whether it may begin. */
import type { Catalog } from '../../catalog/index.ts'
import type { CapacityActivities } from './types.ts'

export type * from './types.ts'

export function createCapacityActivities(catalog: Catalog): CapacityActivities {
  return {
    claimSlots: async ({ runId, workflowId, kind, title, priority, hostId, repositoryId, site }) => {
      const needs = [`host/${hostId}`, `repository/${repositoryId}`, `link/${site}`]
      return catalog.slots.claim({ runId, workflowId, kind, title, priority, needs })
    },
  }
}
