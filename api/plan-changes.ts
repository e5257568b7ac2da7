import { describeError } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import { planChangedSignal } from '../workflows/shared/contract.ts'
import type { ApiDeps } from './deps.ts'

/** Changes come in swarms, as of a policy file; one look serves all. */
const quietMs = 100

type News = ReturnType<Catalog['events']['after']>[number]
const isOfPlan = ({ type, subject }: News): boolean => type === 'policy' && subject?.startsWith('plan/') === true

/** Resolves soon after a plan, or what `concerns` says, has changed, after `paceMs`, or with the signal. */
export function nextChange(
  catalog: Catalog,
  signal: AbortSignal,
  paceMs: number,
  concerns: (news: News) => boolean = isOfPlan,
): Promise<void> {
  return new Promise((resolve) => {
    let seq = catalog.events.newest()
    let soon: NodeJS.Timeout | undefined
    const end = (): void => {
      clearTimeout(timer)
      clearTimeout(soon)
      unsubscribe()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, paceMs)
    const unsubscribe = catalog.events.subscribe(() => {
      const news = catalog.events.after(seq, 1000)
      seq = news.at(-1)?.seq ?? seq
      if (news.some(concerns)) soon ??= setTimeout(end, quietMs)
    })
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

/** So that a changed window counts at once. A run that does not hear it looks by itself half an hour later. */
export async function tellRunsOf(
  { catalog, orchestrator, log }: Pick<ApiDeps, 'catalog' | 'orchestrator' | 'log'>,
  plans: readonly string[],
): Promise<void> {
  for (const plan of plans) {
    const row = catalog.planRuns.latest(plan)
    const run = row && catalog.runs.find(row.runId)
    if (run === undefined || run.endedMs !== null) continue
    try {
      await orchestrator.signal(run, planChangedSignal, null)
    } catch (error) {
      log.warn({ plan, error: describeError(error) }, 'a run of the plan was not told that the plan has changed')
    }
  }
}
