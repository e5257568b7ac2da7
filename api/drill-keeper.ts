import { describeError } from '../base/index.ts'
import { windowAt, type Hours } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import { canDrillAt, drillAgenda, type AgendaEntry } from './drill-agenda.ts'
import { planDrill } from './requests/drill.ts'
import { startOnce } from './requests/start.ts'
import { drillBody } from './schemas/actions.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now' | 'log'>

/** Who begins drills: Holdfast when one is due, within these hours of the day if there are any, or only who asks. */
export type DrillPace = 'by-hand' | 'always' | (Hours & { readonly timeZone: string })

const lookEveryMs = 5 * 60_000
/** After a start that was refused. What a drill itself came to is in the catalog. */
const refusedForMs = 3_600_000

/**
 * Begins the drills that are due by their category: on each hypervisor one after the other, the one that is due first at
 * the head. What is due follows from the catalog, so nothing is lost with this process (ADR 0711).
 */
export function drillKeeper(deps: Deps, pace: DrillPace = 'always'): { tick(): Promise<void> } {
  const { catalog, now, log } = deps
  const refused = new Map<string, number>()
  let lookedMs = Number.NEGATIVE_INFINITY
  const isRefused = (vmId: string): boolean => now() - (refused.get(vmId) ?? Number.NEGATIVE_INFINITY) < refusedForMs
  const begin = async ({ vmId, vmName, category }: AgendaEntry): Promise<boolean> => {
    try {
      const wish = drillBody.parse({ vmId, reason: `due: category ${category}` })
      await startOnce(deps, planDrill(catalog, wish, 'holdfast', now()), { key: undefined, request: '' })
      refused.delete(vmId)
      return true
    } catch (error) {
      refused.set(vmId, now())
      log.warn({ vm: vmId, error: describeError(error) }, `the drill of ${vmName} could not be started`)
      return false
    }
  }
  return {
    async tick() {
      if (pace === 'by-hand' || now() - lookedMs < lookEveryMs) return
      lookedMs = now()
      if (pace !== 'always' && !windowAt(pace, pace.timeZone, now()).open) return
      for (const [endpointId, entries] of Map.groupBy(drillAgenda(deps), (entry) => entry.endpointId)) {
        if (!canDrillAt(catalog, endpointId) || entries.some(({ state }) => state === 'running')) continue
        for (const entry of entries) {
          if (entry.fromMs > now() || isRefused(entry.vmId)) continue
          if (await begin(entry)) break
        }
      }
    },
  }
}
