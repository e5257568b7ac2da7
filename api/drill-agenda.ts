import type { Catalog, DrillCandidate } from '../catalog/index.ts'
import { drillTimes, type DrillTimes } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'

/** `coming`: not yet; `ready`: may begin; `overdue`: the promise is broken. */
export type DrillState = 'running' | 'overdue' | 'ready' | 'coming'

/** Why Holdfast does not begin it: nothing is asked of the guest, or its hypervisor cannot boot and ask one; null: it does. */
export type DrillHindrance = 'no-checks' | 'hypervisor' | null

/** A VM with a point to which drills are promised, and when its next one is. */
export interface AgendaEntry extends DrillCandidate, DrillTimes {
  readonly state: DrillState
}

/** The next drill of every VM, the one that is due first at the head. */
export function drillAgenda({ catalog, now }: Pick<ApiDeps, 'catalog' | 'now'>): AgendaEntry[] {
  const nowMs = now()
  return catalog.drills
    .candidates()
    .flatMap((vm) => {
      const times = drillTimes(vm)
      return times === null ? [] : [{ ...vm, ...times, state: stateOf(vm, times, nowMs) }]
    })
    .toSorted((a, b) => a.dueMs - b.dueMs || (a.vmId < b.vmId ? -1 : 1))
}

function stateOf({ isRunning }: DrillCandidate, { dueMs, fromMs }: DrillTimes, nowMs: number): DrillState {
  if (isRunning) return 'running'
  if (nowMs > dueMs) return 'overdue'
  return nowMs >= fromMs ? 'ready' : 'coming'
}

/** What nobody has tested is not begun unasked either. To be asked of many VMs: each hypervisor is looked up once. */
export function hindrances(catalog: Catalog): (vm: Pick<DrillCandidate, 'hasChecks' | 'endpointId'>) => DrillHindrance {
  const able = new Map<string, boolean>()
  const isAble = (endpointId: string): boolean => {
    const { restore, guestCommand } = catalog.endpoints.find(endpointId)?.probe?.capabilities ?? {}
    return restore === true && guestCommand !== undefined && guestCommand !== 'none'
  }
  return ({ hasChecks, endpointId }) => {
    if (!able.has(endpointId)) able.set(endpointId, isAble(endpointId))
    return able.get(endpointId) === true ? (hasChecks ? null : 'no-checks') : 'hypervisor'
  }
}
