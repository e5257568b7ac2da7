/** Runs of recovery plans at the control plane: what they do, what brings each VM back, how far they are. */
import { HoldfastError } from '../../base/index.ts'
import { planSpecOf, type Catalog } from '../../catalog/index.ts'
import { tiersBefore } from '../../policy/index.ts'
import { nextChosen, siteOf } from './chosen.ts'
import { leftBy, leftWords } from './left.ts'
import { planMember } from './member.ts'
import { admit, originalsOf } from './originals.ts'
import { newestAt } from './point.ts'
import type { MemberEnd, RecoveryActivities } from './types.ts'

export type * from './types.ts'

/** A result is small; who wants more asks the runs. */
const mostResidue = 20

export function createRecoveryActivities(catalog: Catalog): RecoveryActivities {
  const { recoveryPlans, recoveryRuns } = catalog
  return {
    openRecovery: async ({ workflowId, runId, startedMs, input }) => {
      const plan = recoveryPlans.get(input.planId)
      const { id, name } = plan
      const spec = planSpecOf(plan)
      const { mode, untilMs, withoutPeople, requestedBy } = input
      const vms = spec.tiers.flatMap(({ members }) => members)
      const vmNames = new Map(vms.map(({ vmId }) => [vmId, catalog.vms.find(vmId)?.name ?? vmId]))
      // All at once, so that tiers that come hours later are of the same time; retention keeps them until the run ends.
      const points = new Map(
        vms.flatMap((one) => {
          const site = siteOf(catalog, spec, one)
          const found = site === undefined ? undefined : newestAt(catalog, one.vmId, site, untilMs)
          return found === undefined ? [] : [[one.vmId, found.pointId] as const]
        }),
      )
      const { spec: opened } = recoveryRuns.open({
        ...{
          runId,
          workflowId,
          planId: id,
          planName: name,
          mode,
          spec,
          untilMs,
          withoutPeople,
          vmNames,
          points,
          startedMs,
        },
        requestedUser: requestedBy.user,
      })
      return {
        atOnce: opened.atOnce,
        vms: opened.tiers.flatMap(({ members }) => members).length,
        tiers: opened.tiers.map(({ key }, index) => ({ key, after: tiersBefore(opened.tiers, index) })),
        originals: mode === 'run' ? originalsOf(catalog, opened) : [],
      }
    },
    nextChosen: async ({ runId, after }) => nextChosen(catalog, runId, after),
    beginTier: async ({ runId, tier: key, atMs }) => {
      const run = recoveryRuns.get(runId)
      const tier = run.spec.tiers.find((one) => one.key === key)
      if (tier === undefined) throw new HoldfastError('NotFound', `the run has no tier ${key}`)
      const { name, delayMs, needs, members } = tier
      recoveryRuns.noteTier(runId, key, { state: delayMs > 0 ? 'delayed' : 'running', startedMs: atMs }, atMs)
      const [before, then] = run.withoutPeople ? [[], []] : [tier.before, tier.then]
      return { name, delayMs, before, then, needs, members: members.map(({ vmId }) => vmId) }
    },
    admitRecovery: async (of) => admit(catalog, of),
    planMember: async (of) => planMember(catalog, of),
    noteTier: async ({ runId, tier, change, atMs }) => recoveryRuns.noteTier(runId, tier, change, atMs),
    noteMember: async ({ runId, tier, vmId, change, end }) => {
      const left = end === undefined ? [] : leftBy(catalog, end)
      const isLeft = change.state === 'removed' && left.length > 0
      const said = isLeft ? { ...change, state: 'left' as const, residue: left.slice(0, mostResidue) } : change
      recoveryRuns.noteMember(runId, tier, vmId, said)
    },
    isRecoveryOpen: async ({ runId }) => {
      const run = recoveryRuns.find(runId)
      if (run === undefined) return { state: 'unknown' }
      return {
        state: run.endedMs === null && recoveryRuns.openRuns().some((one) => one.runId === runId) ? 'open' : 'ended',
      }
    },
    closeRecovery: async ({ runId, state, why, whyLeft = why, atMs, members, ends }) => {
      // Of a run that began before each of them said its VM.
      const all: readonly MemberEnd[] =
        ends ?? members.map((workflowId) => ({ tier: '', vmId: '', workflowId, residue: null }))
      const left = all.map((end) => ({ ...end, residue: leftBy(catalog, end) })).filter((end) => end.residue.length > 0)
      const residue = left.flatMap((end) => end.residue)
      for (const [vmId, own] of Map.groupBy(left, (end) => end.vmId)) {
        const [{ tier } = { tier: '' }] = own
        const member = recoveryRuns
          .get(runId)
          .tiers.find((one) => one.key === tier)
          ?.members.find((one) => one.vmId === vmId)
        if (member === undefined) continue
        const isGone = member.state === 'removed' || member.state === 'recovering'
        recoveryRuns.noteMember(runId, tier, vmId, {
          ...(isGone && { state: 'left' }),
          residue: own.flatMap((end) => end.residue).slice(0, mostResidue),
        })
      }
      const said = residue.length === 0 ? why : `${whyLeft}; ${leftWords(residue)}`
      recoveryRuns.close(runId, { state, why: said, endedMs: atMs })
      return { residue: residue.slice(0, mostResidue), why: said }
    },
  }
}
