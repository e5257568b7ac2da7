import type { Handler } from 'hono'
import { requireMonitor, type ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { readEngineWithin } from '../facts.ts'
import { expose } from './exposition.ts'
import { mirrorFamilies } from './mirrors.ts'
import { recoveryPlanFamilies } from './recovery-plans.ts'
import { replicationFamilies } from './replications.ts'
import { retentionFamilies } from './retention.ts'
import { runFamilies } from './runs.ts'
import { slotFamilies } from './slots.ts'
import { ownFamilies, repositoryFamilies, vmFamilies } from './state.ts'

export { largestVms } from './state.ts'

/** A scrape is given ten seconds by default. */
const engineWithinMs = 3_000
/** Whoever asks more often is told the same: one look at ten thousand VMs is no small matter. */
const freshMs = 5_000

/** Needs a token in the header: the administrator's, or the one that opens nothing else. */
export function metricsRoute(deps: ApiDeps): Handler<ApiEnv> {
  const { catalog, now, version } = deps
  let last: { readonly ms: number; readonly made: ReturnType<typeof expose> } | undefined
  const make = async (): ReturnType<typeof expose> => {
    const engine = await readEngineWithin(deps, engineWithinMs)
    return expose([
      ...ownFamilies(catalog, engine, version),
      ...vmFamilies(catalog),
      ...repositoryFamilies(catalog, now()),
      ...mirrorFamilies(catalog, now()),
      ...recoveryPlanFamilies(catalog, now()),
      ...replicationFamilies(catalog, now()),
      ...retentionFamilies(catalog),
      ...slotFamilies(catalog, now()),
      ...runFamilies(catalog, now()),
    ])
  }
  return async (context) => {
    requireMonitor(deps, context)
    if (last === undefined || Math.abs(now() - last.ms) >= freshMs) last = { ms: now(), made: make() }
    try {
      const { text, type } = await last.made
      return context.body(text, 200, { 'content-type': type, 'cache-control': 'no-store' })
    } catch (error) {
      last = undefined
      throw error
    }
  }
}
