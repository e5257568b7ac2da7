import type { SlotWish } from '../../workflows/shared/capacity.ts'

export interface SlotAnswer {
  readonly granted: boolean
  /** What is full, as `host/lab`. */
  readonly waitsFor: readonly string[]
}

/** What a run takes a slot of. */
export type SlotNeeds = Pick<SlotWish, 'hostId' | 'repositoryId' | 'otherRepositoryId' | 'site' | 'vmId'>

/** The capacity governor keeps its state in the catalog: one writer, durable, the same for every plan. */
export interface CapacityActivities {
  /** Idempotent by run: who asks again keeps the place in line. */
  readonly claimSlots: (
    claim: SlotWish & { readonly workflowId: string; readonly runId: string },
  ) => Promise<SlotAnswer>
}
