/** Replication at the control plane: the state of each pair, and which run acts on it. */
import type { Catalog } from '../../catalog/index.ts'
import type { VmRef } from '../../drivers/values.ts'
import type { ReplicationRecordActivities } from './types.ts'

export function createReplicationRecordActivities({ replications }: Catalog): ReplicationRecordActivities {
  return {
    beginReplication: async ({ id, act, runId, atMs, aside = act === 'failover' }) => {
      const { state, was, headMs, standby } = replications.begin(id, act, runId, atMs, aside)
      return { state, was, headMs, standby: standby as VmRef | null }
    },
    recordState: async ({ id, runId, made, bytes, durationMs, atMs }) =>
      replications.cycled(id, runId, { ...made, bytes, durationMs, endedMs: atMs }),
    endReplication: async ({ id, runId, ...end }) => replications.ended(id, runId, end),
    recordStandbyTest: async ({ id, ...test }) => replications.tested(id, test),
    forgetReplication: async ({ id }) => replications.remove(id),
  }
}
