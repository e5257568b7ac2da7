import type { z } from '@hono/zod-openapi'
import { formatDuration } from '../base/index.ts'
import type { Catalog } from '../catalog/index.ts'
import { attention, mostNeedingYou } from './attention.ts'
import { drillAgenda } from './drill-agenda.ts'
import type { ApiDeps } from './deps.ts'
import { readEngine } from './facts.ts'
import type { overviewSchema } from './schemas/overview.ts'
import { upcoming } from './upcoming.ts'
import { planStrips } from './views/plan-strips.ts'
import { repositoryView } from './views/repositories.ts'
import { runView } from './views/runs.ts'
import { postureView } from './views/vms.ts'

type Overview = z.infer<typeof overviewSchema>

/** The page that opens in the morning: one sentence, then what to do, then the numbers. */
export async function readOverview(deps: ApiDeps): Promise<Overview> {
  const { catalog, now } = deps
  const engine = await readEngine(deps)
  const { total, by, outside } = catalog.statistics.posturesWithOutside(mostNeedingYou)
  const stored = [...catalog.repositories.all()]
  const repositories = stored.map((row) => repositoryView(catalog, row))
  const agenda = drillAgenda(deps)
  const needsYou = attention(deps, engine, repositories, {
    agenda,
    outside: { total: by.late + by.overdue + by.failed + by.unprotected, ids: outside },
  })
  const running = catalog.runs.list({ limit: 50 }, { state: 'open' }).items.map((run) => runView(run, now()))
  const coming = upcoming(deps, { agenda, repositories: stored })
  const counts: Overview['counts'] = {
    vms: total,
    protected: by.protected,
    atRisk: by.late + by.overdue + by.failed,
    unprotected: by.unprotected,
    excluded: by.excluded,
    proven: catalog.statistics.provenVms(),
    points: catalog.points.countAll(),
  }
  const late = by.late === 1 ? needsYou.items.find(({ kind }) => kind === 'late') : undefined
  return {
    ...sentenceOf(counts, needsYou.total, { up: engine.up, late: lateOf(deps, late?.subject?.id) }),
    readMs: now(),
    lookedMs: lookedMs(
      stored.map(({ id }) => id),
      catalog,
    ),
    engine: engine.up ? { up: true, detail: 'Temporal answers' } : { up: false, detail: engine.detail },
    counts,
    needsYou: needsYou.items,
    needsYouTotal: needsYou.total,
    running,
    recent: catalog.runs.recentlyEnded(10).map((run) => runView(run, now())),
    days: catalog.statistics.days(30),
    ...planStrips(catalog, now()),
    upcoming: coming.items,
    upcomingTotal: coming.total,
    repositories: repositories.slice(0, 20),
    setup: {
      repository: repositories.length > 0,
      hypervisor: catalog.endpoints.list({ limit: 1 }).total > 0,
      firstPoint: counts.points > 0,
      firstProof: counts.proven > 0,
    },
  }
}

/** The oldest of the last looks that came to their end; null: of one there is none. */
function lookedMs(repositories: readonly string[], catalog: Catalog): number | null {
  const looks = repositories.map((id) => catalog.watches.find(id)?.lookedMs ?? null)
  if (looks.length === 0 || looks.includes(null)) return null
  return Math.min(...looks.flatMap((ms) => ms ?? []))
}

interface Late {
  readonly id: string
  readonly name: string
  readonly byMs: number
}

function lateOf({ catalog }: ApiDeps, id: string | undefined): Late | null {
  const vm = id === undefined ? undefined : catalog.vms.find(id)
  const ageMs = vm === undefined ? null : postureView(vm).ageMs
  return vm !== undefined && ageMs !== null
    ? { id: vm.id, name: vm.name, byMs: Math.max(0, ageMs - vm.promised.rpoMs) }
    : null
}

function sentenceOf(
  counts: Overview['counts'],
  needsYou: number,
  { up, late }: { readonly up: boolean; readonly late: Late | null },
): Pick<Overview, 'sentence' | 'lead' | 'leadVms' | 'state'> {
  const promised = counts.vms - counts.excluded
  const outside = counts.atRisk + counts.unprotected
  const inside = `${counts.protected} of ${promised} ${promised === 1 ? 'VM is' : 'VMs are'} inside ${promised === 1 ? 'its' : 'their'} RPO.`
  const more =
    needsYou === 0
      ? 'Nothing waits for you.'
      : `${needsYou} ${needsYou === 1 ? 'thing wants' : 'things want'} a decision.`
  const leadVms: Overview['leadVms'] = []
  if (counts.vms === 0)
    return {
      sentence: 'No VM is known yet.',
      lead: 'Connect a hypervisor and discover its VMs.',
      leadVms,
      state: 'idle',
    }
  if (!up)
    return {
      sentence: 'The engine does not answer.',
      lead: `Runs continue when it is back. At the last look, ${inside}`,
      leadVms,
      state: 'unknown',
    }
  if (outside > 0)
    return {
      sentence: `${outside} ${outside === 1 ? 'VM needs' : 'VMs need'} you.`,
      lead: `${inside} ${late ? `${late.name} is ${formatDuration(late.byMs)} late and its backup is running. ` : ''}${more}`,
      leadVms: late ? [{ id: late.id, name: late.name }] : leadVms,
      state: 'failed',
    }
  const sentence =
    promised === 0
      ? 'No VM is to be protected.'
      : promised === 1
        ? 'The one VM is inside its RPO.'
        : `All ${promised} VMs are inside their RPO.`
  return { sentence, lead: more, leadVms, state: needsYou > 0 ? 'attention' : 'ok' }
}
