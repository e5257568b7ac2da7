import type { z } from '@hono/zod-openapi'
import { formatBytes } from '../base/index.ts'
import type { RepositoryView } from '../catalog/index.ts'
import { nextOccurrences, nextScrubMs, nextSweepMs, windowAt } from '../policy/index.ts'
import { sweepWorkflowId } from '../workflows/retention/contract.ts'
import { verifyWorkflowId } from '../workflows/verify/contract.ts'
import type { ApiDeps } from './deps.ts'
import { drillAgenda, hindrances, type AgendaEntry } from './drill-agenda.ts'
import { rehearsalsOf } from './rehearsals.ts'
import type { upcomingSchema } from './schemas/overview.ts'

type Upcoming = z.infer<typeof upcomingSchema>
type Deps = Pick<ApiDeps, 'catalog' | 'now' | 'byItself'>

export const upcomingMs = 12 * 3_600_000
/** A plan that starts every few minutes would be all there is to see. */
const startsOfOne = 3
const mostDrills = 5
const most = 40

/** What begins by itself in the next twelve hours, or waits for a word to go on, soonest first; what is due already is due now. */
export function upcoming(
  deps: Deps,
  {
    agenda = drillAgenda(deps),
    repositories = [...deps.catalog.repositories.all()],
  }: { readonly agenda?: readonly AgendaEntry[]; readonly repositories?: readonly RepositoryView[] } = {},
): { readonly items: Upcoming[]; readonly total: number } {
  const nowMs = deps.now()
  const all = [
    ...planStarts(deps, nowMs),
    ...repositories.flatMap((repository) => [...sweepOf(deps, repository, nowMs), ...scrubOf(deps, repository, nowMs)]),
    ...drills(deps, agenda, nowMs),
    ...rehearsals(deps),
  ]
  const items = all
    .map((one) => ({ ...one, atMs: Math.max(nowMs, one.atMs) }))
    .filter(({ atMs, state }) => atMs <= nowMs + upcomingMs || state === 'held')
    .toSorted((a, b) => a.atMs - b.atMs || (a.title < b.title ? -1 : 1))
  return { items: items.slice(0, most), total: items.length }
}

function planStarts({ catalog }: Deps, nowMs: number): Upcoming[] {
  return catalog.plans.all().flatMap((plan): Upcoming[] => {
    if (plan.paused) return []
    const last = catalog.planRuns.latest(plan.name)
    const took = last === undefined ? 0 : Object.values(catalog.planRuns.counts(last.id)).reduce((a, b) => a + b, 0)
    const starts = nextOccurrences(plan.schedule, plan.timeZone, nowMs, startsOfOne + 1).filter(
      ({ atMs }) => atMs <= nowMs + upcomingMs,
    )
    return starts.slice(0, startsOfOne).map(({ atMs }, index) => ({
      ...{ atMs, kind: 'plan', title: plan.name, subject: { kind: 'plan', id: plan.name }, state: 'planned' },
      detail: took === 0 ? '' : `${took} ${took === 1 ? 'VM' : 'VMs'}`,
      goesOn: index === startsOfOne - 1 && starts.length > startsOfOne,
    }))
  })
}

/** One that waits for an approval keeps the next from beginning. */
function sweepOf({ catalog, byItself }: Deps, { id, name, createdMs }: RepositoryView, nowMs: number): Upcoming[] {
  const base = { kind: 'retention', title: `retention ${name}`, goesOn: false } as const
  const subject = { kind: 'repository', id } as const
  // Dry runs may be newer.
  const waiting = catalog.sweeps
    .list({ limit: 10 }, { repositoryId: id })
    .items.find(({ state }) => state === 'waiting')
  if (waiting !== undefined) {
    const points = `${waiting.going} ${waiting.going === 1 ? 'point' : 'points'}`
    if (waiting.waitsFor === 'approval')
      return [{ ...base, subject, atMs: nowMs, state: 'held', detail: `${points} wait for you` }]
    return [{ ...base, subject, atMs: waiting.waitsUntilMs ?? nowMs, state: 'planned', detail: `${points} go` }]
  }
  const run = catalog.runs.latest(sweepWorkflowId(id))
  if (byItself.sweeps === 'by-hand' || (run !== undefined && run.endedMs === null)) return []
  const facts = { nowMs, lastMs: catalog.sweeps.lastSweptMs(id) ?? createdMs, triedMs: run?.startedMs ?? null }
  return [{ ...base, subject, atMs: nextSweepMs(facts), state: 'planned', detail: 'looks what goes' }]
}

function scrubOf({ catalog }: Deps, { id, name }: RepositoryView, nowMs: number): Upcoming[] {
  const { level = null, budgetBytes = null, changedMs = null, countedMs = null } = catalog.scrubs.find(id) ?? {}
  if (level === null || budgetBytes === null) return []
  const run = catalog.runs.latest(verifyWorkflowId(id))
  if (run !== undefined && run.endedMs === null) return []
  const atMs = nextScrubMs({ nowMs, setMs: changedMs ?? 0, countedMs, triedMs: catalog.scrubs.lastMs(id) })
  return [
    {
      ...{ atMs, kind: 'verify', title: `verify ${name}`, subject: { kind: 'repository', id }, state: 'planned' },
      ...{ detail: `${formatBytes(budgetBytes)} at most`, goesOn: false },
    },
  ]
}

/** One at a time on each hypervisor: of those that may begin it is known who, and not when. */
function drills(deps: Deps, agenda: readonly AgendaEntry[], nowMs: number): Upcoming[] {
  const { drills: pace } = deps.byItself
  if (pace === 'by-hand') return []
  const hours = pace === 'always' ? null : windowAt(pace, pace.timeZone, nowMs)
  const opensMs = hours === null || hours.open ? nowMs : hours.opensMs
  const hindranceOf = hindrances(deps.catalog)
  const own = agenda.filter((entry) => entry.state !== 'running' && hindranceOf(entry) === null)
  const waiting = own.filter(({ fromMs }) => fromMs <= opensMs)
  const coming = own.filter(({ fromMs }) => fromMs > opensMs).toSorted((a, b) => a.fromMs - b.fromMs)
  const base = { kind: 'drill', state: 'planned', goesOn: false } as const
  const [first] = waiting
  const queue: Upcoming[] =
    first === undefined
      ? []
      : waiting.length === 1
        ? [
            {
              ...base,
              atMs: opensMs,
              title: `drill ${first.vmName}`,
              subject: { kind: 'vm', id: first.vmId },
              detail: '',
            },
          ]
        : [{ ...base, atMs: opensMs, title: `${waiting.length} drills`, subject: null, detail: 'in turn on each host' }]
  return [
    ...queue,
    ...coming.slice(0, mostDrills).map(({ vmId, vmName, fromMs }): Upcoming => ({
      ...{ ...base, atMs: fromMs, title: `drill ${vmName}`, subject: { kind: 'vm', id: vmId }, detail: '' },
    })),
  ]
}

/** Nobody begins them but people: what is told is when the promise breaks. One that is broken waits among what needs somebody. */
function rehearsals({ catalog, now }: Deps): Upcoming[] {
  return catalog.recoveryPlans.list().flatMap((plan): Upcoming[] => {
    const { dueMs } = rehearsalsOf(catalog, plan)
    if (dueMs === null || dueMs < now()) return []
    const base = { kind: 'rehearsal', state: 'planned', goesOn: false } as const
    const subject = { kind: 'recovery-plan', id: plan.id } as const
    return [{ ...base, subject, atMs: dueMs, title: `rehearse ${plan.name}`, detail: 'due by then' }]
  })
}
