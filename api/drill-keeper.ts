import { describeError } from '../base/index.ts'
import { isWithin, windowAt, type Hours } from '../policy/index.ts'
import type { ApiDeps } from './deps.ts'
import { drillAgenda, hindrances, type AgendaEntry } from './drill-agenda.ts'
import { planDrill } from './requests/drill.ts'
import { startOnce, type StartPlan } from './requests/start.ts'
import { drillBody } from './schemas/actions.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'orchestrator' | 'live' | 'now' | 'log'>

/** Who begins drills: Holdfast when one is due, within these hours of the day if there are any, or only who asks. */
export type DrillPace = 'by-hand' | 'always' | (Hours & { readonly timeZone: string })

const lookEveryMs = 5 * 60_000
/** After a start that was refused before anything happened. What a drill itself came to is in the catalog. */
const refusedForMs = 3_600_000

/**
 * Begins the drills that are due by their category: on each hypervisor one after the other, the one that waits longest at
 * the head. What is due follows from the catalog, so nothing is lost with this process (ADR 0712).
 */
export function drillKeeper(deps: Deps, pace: DrillPace = 'always'): { tick(): Promise<void> } {
  const { catalog, now, log } = deps
  const refused = new Map<string, number>()
  let lookedMs = Number.NEGATIVE_INFINITY
  const isRefused = (vmId: string): boolean =>
    isWithin(refused.get(vmId) ?? Number.NEGATIVE_INFINITY, refusedForMs, now())
  /** Null: this VM cannot be drilled as it is, and nothing was asked of the engine. */
  const planOf = ({ vmId, vmName, category }: AgendaEntry): StartPlan | null => {
    try {
      return planDrill(catalog, drillBody.parse({ vmId, reason: `due: category ${category}` }), 'holdfast', now())
    } catch (error) {
      refused.set(vmId, now())
      log.warn({ vm: vmId, error: describeError(error) }, `no drill of ${vmName} can be started`)
      return null
    }
  }
  const beginAt = async (entries: readonly AgendaEntry[]): Promise<void> => {
    if (entries.some(({ state }) => state === 'running')) return
    const hindranceOf = hindrances(catalog)
    for (const entry of entries.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (entry.fromMs > now() || isRefused(entry.vmId) || hindranceOf(entry) !== null) continue
      const plan = planOf(entry)
      if (plan === null) continue
      // Also if the engine does not take it: the next look begins with another VM.
      refused.set(entry.vmId, now())
      await startOnce(deps, plan, { key: undefined, request: '' })
      refused.delete(entry.vmId)
      return
    }
  }
  return {
    async tick() {
      if (pace === 'by-hand' || isWithin(lookedMs, lookEveryMs, now())) return
      lookedMs = now()
      if (pace !== 'always' && !windowAt(pace, pace.timeZone, now()).open) return
      const byHypervisor = Map.groupBy(drillAgenda(deps), (entry) => entry.endpointId)
      try {
        for (const entries of byHypervisor.values()) await beginAt(entries)
      } catch (error) {
        // The engine may have begun it all the same: nothing more is begun until the next look, which sees that.
        log.warn({ error: describeError(error) }, 'a drill that is due could not be started')
      }
    },
  }
}
