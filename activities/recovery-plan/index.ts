/** Runs of recovery plans at the control plane: what they do, what brings each VM back, how far they are. */
import { HoldfastError } from '../../base/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { tiersBefore } from '../../policy/index.ts'
import { planMember } from './member.ts'
import type { RecoveryActivities } from './types.ts'

export type * from './types.ts'

/** A result is small; who wants more asks the runs. */
const mostResidue = 20

export function createRecoveryActivities(catalog: Catalog): RecoveryActivities {
  const { recoveryPlans, recoveryRuns } = catalog
  return {
    openRecovery: async ({ workflowId, runId, startedMs, input }) => {
      const { id, name, revision: _, createdMs: __, changedMs: ___, ...spec } = recoveryPlans.get(input.planId)
      const { mode, untilMs, withoutPeople, requestedBy } = input
      const vms = spec.tiers.flatMap(({ members }) => members)
      const vmNames = new Map(vms.map(({ vmId }) => [vmId, catalog.vms.find(vmId)?.name ?? vmId]))
      const { spec: opened } = recoveryRuns.open({
        ...{ runId, workflowId, planId: id, planName: name, mode, spec, untilMs, withoutPeople, vmNames, startedMs },
        requestedUser: requestedBy.user,
      })
      return {
        atOnce: opened.atOnce,
        vms: opened.tiers.flatMap(({ members }) => members).length,
        tiers: opened.tiers.map(({ key }, index) => ({ key, after: tiersBefore(opened.tiers, index) })),
      }
    },
    beginTier: async ({ runId, tier: key, atMs }) => {
      const run = recoveryRuns.get(runId)
      const tier = run.spec.tiers.find((one) => one.key === key)
      if (tier === undefined) throw new HoldfastError('NotFound', `the run has no tier ${key}`)
      const { name, delayMs, needs, members } = tier
      recoveryRuns.noteTier(runId, key, { state: delayMs > 0 ? 'delayed' : 'running', startedMs: atMs }, atMs)
      const [before, then] = run.withoutPeople ? [[], []] : [tier.before, tier.then]
      return { name, delayMs, before, then, needs, members: members.map(({ vmId }) => vmId) }
    },
    planMember: async (of) => planMember(catalog, of),
    noteTier: async ({ runId, tier, change, atMs }) => recoveryRuns.noteTier(runId, tier, change, atMs),
    noteMember: async ({ runId, tier, vmId, change }) => recoveryRuns.noteMember(runId, tier, vmId, change),
    closeRecovery: async ({ runId, state, why, atMs, members }) => {
      recoveryRuns.close(runId, { state, why, endedMs: atMs })
      const residue = members.flatMap((workflowId) => catalog.runs.latest(workflowId)?.residue ?? [])
      return { residue: residue.slice(0, mostResidue) }
    },
  }
}
