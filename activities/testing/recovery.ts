import type { ChosenCopies, PlannedMember, RecoveryActivities } from '../recovery-plan/types.ts'
import { sampleEndpoint, sampleRepository, sampleRequester, sampleSite } from './samples.ts'

const stem = `snap/${'1'.repeat(32)}/0000000000000000-${'f'.repeat(32)}`
const check = {
  title: 'orders are whole',
  path: '/usr/bin/check',
  args: [],
  timeoutMs: 1000,
  expectExit: 0,
  count: null,
}
const usual = {
  ...{ v: 1 as const, repository: sampleRepository, stem, requestedBy: sampleRequester },
  tuning: { operatorWaitMs: 1_000, reprobeMs: 200 },
}

/** What brings a VM back in a rehearsal. */
export function rehearsedMember(vmId: string, attempt: number): PlannedMember {
  return {
    ...{ workflow: 'restoreDrill', workflowId: `drill/${vmId}/20261121t07334${attempt}`, vmName: vmId },
    input: {
      ...{ ...usual, vmId, vmName: vmId, endpoint: sampleEndpoint, site: sampleSite },
      ...{ checks: [check], bootTimeoutMs: 60_000, member: { network: 'recovery-1' } },
    },
  }
}

/** And for real. */
export function restoredMember(vmId: string, attempt: number): PlannedMember {
  const requestId = `${vmId}-${attempt}`
  return {
    ...{ workflow: 'restoreVm', workflowId: `restore/${requestId}`, vmName: vmId },
    input: {
      ...{ ...usual, requestId, identity: 'new', powerOn: true, networks: { lan: 'dr-lan' } },
      target: { kind: 'new', endpoint: sampleEndpoint, site: sampleSite, name: `${vmId}-recovered` },
      member: { checks: [check], bootTimeoutMs: 60_000 },
    },
  }
}

/** All VMs of the samples come back from one point. */
const chosen: ChosenCopies = { repository: sampleRepository, stems: [stem], after: stem }

/** Three tiers of one VM each, one after the other; before the second somebody has to do something. */
export function recoveryAnswers(): RecoveryActivities {
  return {
    openRecovery: async () => ({
      ...{ atOnce: 2, vms: 3 },
      tiers: [
        { key: 'db', after: [] },
        { key: 'app', after: ['db'] },
        { key: 'web', after: ['app'] },
      ],
    }),
    nextChosen: async ({ after }) => (after === null ? chosen : null),
    beginTier: async ({ tier }) => ({
      ...{ name: `Tier ${tier}`, delayMs: 0, then: [], needs: 'checks', members: [`${tier}-01`] },
      before: tier === 'app' ? [{ title: 'Switch the name servers', detail: 'to the other site' }] : [],
    }),
    planMember: async ({ vmId, attempt }) => rehearsedMember(vmId, attempt),
    admitRecovery: async () => ({ problems: [] }),
    isRecoveryOpen: async () => ({ state: 'open' }),
    noteTier: async () => undefined,
    noteMember: async () => undefined,
    closeRecovery: async () => ({ residue: [] }),
  }
}
