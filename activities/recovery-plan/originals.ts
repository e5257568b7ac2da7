import { HoldfastError } from '../../base/index.ts'
import { originalFacts, type Catalog, type VmView } from '../../catalog/index.ts'
import {
  originalProblems,
  originalWords,
  type OriginalFacts,
  type RecoverySpec,
  type SeenOriginal,
} from '../../policy/index.ts'
import { targetOf } from '../../workflows/shared/targets.ts'
import type { Original, RecoveryActivities } from './types.ts'

/** Where the VMs of a plan live: each is looked at there before another one is made of it. */
export function originalsOf(catalog: Catalog, { tiers }: Pick<RecoverySpec, 'tiers'>): Original[] {
  return tiers.flatMap(({ members }) =>
    members.flatMap(({ vmId }): Original[] => {
      const vm = catalog.vms.find(vmId)
      const endpoint = vm && catalog.endpoints.find(vm.endpointId)
      return vm === undefined || endpoint === undefined || vm.goneMs !== null
        ? []
        : [{ target: targetOf(vm, endpoint) }]
    }),
  )
}

/** Writes down where each original is, and says what somebody has to have accepted and has not. */
export function admit(
  catalog: Catalog,
  { runId, seen, beside }: Parameters<RecoveryActivities['admitRecovery']>[0],
): { readonly problems: readonly string[] } {
  const { tiers, untilMs } = catalog.recoveryRuns.get(runId)
  const looked = new Map(seen.map((one) => [one.vmId, one.seen]))
  const problems: string[] = []
  for (const { key, members } of tiers)
    for (const { vmId, pointId } of members) {
      const vm = catalog.vms.find(vmId)
      if (vm === undefined) continue
      const facts = factsOfMember(catalog, vm, looked.get(vmId) ?? { state: 'gone' }, pointId, untilMs)
      const found = originalProblems(facts)
      const copies = originalProblems({ ...facts, seen: { state: 'gone' } })
      const original = [originalWords(facts), ...copies].join('; ')
      catalog.recoveryRuns.noteMember(runId, key, vmId, { original })
      if (found.length > 0 && !beside.includes(vmId)) problems.push(`${vmId}: ${found.join('; ')}`)
    }
  return { problems }
}

/** Hours may have passed since it was looked for: a standby may have taken over. Throws RecoveryRefused. */
export function requireNoCopy(
  catalog: Catalog,
  vm: Pick<VmView, 'id' | 'name' | 'endpointName'>,
  pointId: string,
  untilMs: number | null,
): void {
  const [problem] = originalProblems(factsOfMember(catalog, vm, { state: 'gone' }, pointId, untilMs))
  if (problem === undefined) return
  throw new HoldfastError('RecoveryRefused', `${vm.name} is not brought back a second time: ${problem}`)
}

function factsOfMember(
  catalog: Catalog,
  vm: Pick<VmView, 'id' | 'name' | 'endpointName'>,
  seen: SeenOriginal,
  pointId: string | null,
  untilMs: number | null,
): OriginalFacts {
  const pointMs = (pointId === null ? undefined : catalog.points.find(pointId)?.createdMs) ?? null
  return originalFacts(catalog, vm, { seen, pointMs, isOfThePast: untilMs !== null })
}
