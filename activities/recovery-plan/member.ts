import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { Catalog, EndpointView, RecoveryRunRow, VmView } from '../../catalog/index.ts'
import { toQuestions } from '../../policy/index.ts'
import { drillWorkflowId } from '../../workflows/drill/contract.ts'
import { restoreWorkflowId } from '../../workflows/restore/contract.ts'
import { endpointOf, namesThere, repositoryRefOf } from '../../workflows/shared/targets.ts'
import { requireNoCopy } from './originals.ts'
import { pointToRead } from './point.ts'
import type { PlannedMember, RecoveryActivities } from './types.ts'

/** A VM that waits for a person holds its tier up: soon the run itself asks what is to become of it. */
const patienceMs = 10 * 60_000

export function planMember(
  catalog: Catalog,
  { runId, tier: key, vmId, attempt, atMs, requestedBy, beside }: Parameters<RecoveryActivities['planMember']>[0],
): PlannedMember {
  const run = catalog.recoveryRuns.get(runId)
  const { spec, mode, untilMs } = run
  const tier = spec.tiers.find((one) => one.key === key)
  const member = tier?.members.find((one) => one.vmId === vmId)
  if (tier === undefined || member === undefined)
    throw new HoldfastError('NotFound', `${vmId} is not in the tier ${key} of this run`)
  const vm = catalog.vms.get(vmId)
  const endpoint = catalog.endpoints.get(member.hypervisorId ?? spec.hypervisorId ?? vm.endpointId)
  const record = run.tiers.find((one) => one.key === key)?.members.find((one) => one.vmId === vmId)
  const { repositoryId, stem, pointId } = pointToRead(catalog, vm, endpoint, {
    ...{ pointId: record?.pointId ?? null, untilMs },
  })
  if (mode === 'run' && beside !== undefined && !beside.includes(vmId)) requireNoCopy(catalog, vm, pointId, untilMs)
  const asked = toQuestions(catalog.policy.drill(vm).checks.value, catalog.drills.countedLast(vmId))
  const usual = {
    ...{ v: 1 as const, repository: repositoryRefOf(catalog.repositories.get(repositoryId)), stem, requestedBy },
    tuning: { operatorWaitMs: patienceMs },
  }
  const names = namesThere(catalog.sites.mapBetween(catalog.endpoints.get(vm.endpointId).site, endpoint.site))
  const name = nameOf(run, member.name, vm, endpoint)
  const planned: PlannedMember =
    mode === 'rehearse'
      ? {
          ...{ workflow: 'restoreDrill', vmName: vm.name, workflowId: drillWorkflowId(vmId, timeOf(atMs)) },
          input: {
            ...{ ...usual, vmId, vmName: vm.name, endpoint: endpointOf(endpoint), site: endpoint.site },
            ...{ checks: asked, bootTimeoutMs: tier.bootTimeoutMs, member: { network: networkOf(runId) } },
          },
        }
      : {
          ...{ workflow: 'restoreVm', vmName: vm.name, workflowId: restoreWorkflowId(requestOf(runId, vmId, attempt)) },
          input: {
            ...{ ...usual, requestId: requestOf(runId, vmId, attempt), identity: spec.identity, powerOn: true },
            target: { kind: 'new', endpoint: endpointOf(endpoint), site: endpoint.site, name },
            ...names,
            // What the plan says goes before what is said of the sites.
            networks: { ...names.networks, ...Object.fromEntries(spec.networks.map(({ from, to }) => [from, to])) },
            // What makes a guest fit for isolation would harm one that is to work.
            member: { checks: asked.filter(({ prepares }) => !prepares), bootTimeoutMs: tier.bootTimeoutMs },
          },
        }
  catalog.recoveryRuns.noteMember(runId, key, vmId, {
    ...{ state: 'recovering', attempts: attempt, pointId, workflowId: planned.workflowId, verdict: null, why: '' },
    ...{ name: mode === 'run' ? name : null, restoreSeconds: null, bootSeconds: null, rtoSeconds: null },
  })
  return planned
}

function nameOf({ mode }: RecoveryRunRow, name: string | null, vm: VmView, endpoint: EndpointView): string {
  if (mode === 'rehearse') return vm.name
  return name ?? (endpoint.id === vm.endpointId ? `${vm.name.slice(0, 50)}-recovered` : vm.name)
}

/** One network for all VMs of a run, where the platform has such a thing. */
function networkOf(runId: string): string {
  return `recovery-${runId.replaceAll('-', '').slice(0, 8)}`
}

/** The same for a step that is repeated, another for another attempt. */
function requestOf(runId: string, vmId: string, attempt: number): string {
  return createHash('sha256').update(`${runId}/${vmId}/${attempt}`).digest('hex').slice(0, 32)
}

/** `20261121t073352`, UTC. */
function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase()
}
