import type { z } from '@hono/zod-openapi'
import type { Catalog, SlotClaimRow } from '../../catalog/index.ts'
import { slotKindOf } from '../../policy/index.ts'
import type { slotHolderSchema, slotResourceSchema } from '../schemas/slots.ts'

type Resource = z.infer<typeof slotResourceSchema>
type Holder = z.infer<typeof slotHolderSchema>

/** By name; runs that work first, then those that wait in the order of their turn. */
export function slotsView(catalog: Catalog): Resource[] {
  const claims = catalog.slots.list()
  const own = new Set(catalog.slots.limits().map(({ resource }) => resource))
  const resources = new Set([...own, ...claims.flatMap(({ needs }) => needs)])
  return [...resources].sort().flatMap((resource) => {
    const kind = slotKindOf(resource)
    if (kind === undefined) return []
    const runs = claims.filter(({ needs }) => needs.includes(resource)).map(holder)
    runs.sort((a, b) => rank(a) - rank(b) || a.priority - b.priority || a.sinceMs - b.sinceMs)
    const count = (state: Holder['state']): number => runs.filter((run) => run.state === state).length
    const slots = catalog.slots.limitOf(resource)
    return [
      {
        resource,
        kind,
        slots,
        isDefault: !own.has(resource),
        working: count('working'),
        waiting: count('waiting'),
        runs,
      },
    ]
  })
}

const rank = ({ state }: Holder): number => ['working', 'waiting', 'parked'].indexOf(state)

function holder({ runId, workflowId, title, kind, priority, grantedMs, requestedMs, parked }: SlotClaimRow): Holder {
  const state = grantedMs === null ? 'waiting' : parked ? 'parked' : 'working'
  return { runId, workflowId, title, kind, priority, state, sinceMs: grantedMs ?? requestedMs }
}
