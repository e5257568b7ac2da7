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

/** What nobody has tested is not begun unasked either. */
export function hindranceOf(
  catalog: Catalog,
  { hasChecks, endpointId }: Pick<DrillCandidate, 'hasChecks' | 'endpointId'>,
): DrillHindrance {
  const { restore, guestCommand } = catalog.endpoints.find(endpointId)?.probe?.capabilities ?? {}
  if (restore !== true || guestCommand === undefined || guestCommand === 'none') return 'hypervisor'
  return hasChecks ? null : 'no-checks'
}
