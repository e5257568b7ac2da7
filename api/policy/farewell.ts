import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { isSelected } from '../../policy/index.ts'
import type { planFarewellSchema } from '../schemas/plans.ts'
import { followersOf } from './followers.ts'

const listed = 20

/** What would follow from removing a plan. Throws NotFound. */
export function planFarewell(catalog: Catalog, name: string): z.infer<typeof planFarewellSchema> {
  const plan = catalog.plans.get(name)
  const all = catalog.plans.all()
  const others = all.filter((other) => other.name !== name)
  const unplanned = [...catalog.policy.candidates()].filter(
    (vm) => isSelected(plan.where, vm) && !others.some(({ where }) => isSelected(where, vm)),
  )
  const row = catalog.planRuns.latest(name)
  const run = row && catalog.runs.find(row.runId)
  return {
    unplanned: {
      total: unplanned.length,
      vms: unplanned.slice(0, listed).map(({ id, name: vm }) => ({ id, name: vm })),
    },
    followers: followersOf(name, all),
    run: run === undefined || run.endedMs !== null ? null : { runId: run.runId, workflowId: run.workflowId },
  }
}
