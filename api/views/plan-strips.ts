import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { nextOccurrences } from '../../policy/index.ts'
import { startsInWords } from '../policy/index.ts'
import type { overviewSchema } from '../schemas/overview.ts'

const most = 50
const days = 30

/** Thirty days of each plan. Cheap enough for the first page: VMs are counted by what the newest run took. */
export function planStrips(
  catalog: Catalog,
  nowMs: number,
): Pick<z.infer<typeof overviewSchema>, 'plans' | 'plansTotal'> {
  const all = catalog.plans.all()
  const plans = all.slice(0, most).map((plan) => {
    const { name, paused, schedule, timeZone } = plan
    const [next] = paused ? [] : nextOccurrences(schedule, timeZone, nowMs, 1)
    const newest = catalog.planRuns.latest(name)
    const took = newest && Object.values(catalog.planRuns.counts(newest.id)).reduce((sum, n) => sum + n, 0)
    return {
      ...{ name, paused, words: startsInWords(catalog, plan, nowMs), nextMs: next?.atMs ?? null, vms: took ?? null },
      days: catalog.planDays.of(name, days),
    }
  })
  return { plans, plansTotal: all.length }
}
