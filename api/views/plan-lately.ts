import type { z } from '@hono/zod-openapi'
import type { Catalog } from '../../catalog/index.ts'
import { fullReasons, isFullReason } from '../../workflows/shared/summaries.ts'
import type { planLatelySchema } from '../schemas/plans.ts'

const week = 7 * 86_400_000
const most = 1000

/** Throws NotFound. */
export function planLatelyView(catalog: Catalog, name: string, nowMs: number): z.infer<typeof planLatelySchema> {
  const plan = catalog.plans.get(name)
  const sinceMs = nowMs - week
  const runs = catalog.planRuns.endedSince(name, sinceMs, most).filter(({ again }) => again === null)
  const took = runs.map(({ endedMs, openedMs }) => endedMs - openedMs).sort((a, b) => a - b)
  const { unexpected, ...made } = catalog.planLately.since(plan, sinceMs)
  return {
    sinceMs,
    runs: runs.length,
    failedRuns: runs.filter(({ state }) => state === 'failed' || state === 'terminated').length,
    usualMs: took[Math.floor((took.length - 1) / 2)] ?? null,
    ...made,
    unexpected: unexpected.map(({ why, points }) => ({ why: isFullReason(why) ? fullReasons[why] : why, points })),
  }
}
