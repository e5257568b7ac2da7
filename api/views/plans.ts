import type { z } from '@hono/zod-openapi'
import type { Catalog, CategoryView } from '../../catalog/index.ts'
import { isSelected, nextOccurrences, type Plan } from '../../policy/index.ts'
import { startsInWords } from '../policy/index.ts'
import { categoryBody, planBody } from '../schemas/policy.ts'
import type { categorySchema, planSchema } from '../schemas/plans.ts'

type View = z.infer<typeof planSchema>

const week = 7 * 86_400_000
const mostMissed = 10

export function planView(catalog: Catalog, plan: Plan, nowMs: number): View {
  const [view] = planViews(catalog, [plan], nowMs)
  if (view === undefined) throw new RangeError('one plan has one view')
  return view
}

/** All at once: the VMs are read once, not once for each plan. */
export function planViews(catalog: Catalog, plans: readonly Plan[], nowMs: number): View[] {
  const taken = new Map<string, { vms: number; outsideRpo: number }>(
    plans.map(({ name }) => [name, { vms: 0, outsideRpo: 0 }]),
  )
  const late = catalog.statistics.idsOutsideRpo()
  for (const vm of catalog.policy.candidates()) {
    for (const { name, where } of plans) {
      const counts = taken.get(name)
      if (counts === undefined || !isSelected(where, vm)) continue
      counts.vms += 1
      if (late.has(vm.id)) counts.outsideRpo += 1
    }
  }
  return plans.map((plan) => {
    const { name, revision, createdMs, changedMs, ...spec } = plan
    const [next] = plan.paused ? [] : nextOccurrences(plan.schedule, plan.timeZone, nowMs, 1)
    return {
      // A copy, as requests have it: what is stored is never changed by who shows it.
      ...planBody.parse(spec),
      name,
      revision,
      createdMs,
      changedMs,
      words: startsInWords(catalog, plan, nowMs),
      nextMs: next?.atMs ?? null,
      last: lastRun(catalog, name),
      missed: missedStartsOf(catalog, name, nowMs),
      ...(taken.get(name) ?? { vms: 0, outsideRpo: 0 }),
    }
  })
}

/** Of the last week, newest first. */
export function missedStartsOf(catalog: Catalog, plan: string, nowMs: number): View['missed'] {
  return catalog.planStarts.missed(plan, nowMs - week, mostMissed).map(({ dueMs, kind }) => ({ dueMs, kind }))
}

export function lastRun({ planRuns, runs }: Catalog, plan: string): View['last'] {
  const row = planRuns.latest(plan)
  const run = row && runs.find(row.runId)
  if (row === undefined || run === undefined) return null
  const { completed, failed, ...rest } = planRuns.counts(row.id)
  const others = Object.values(rest).reduce((sum, n) => sum + n, 0)
  const vms = { done: completed + rest['completed-with-residue'], failed, total: completed + failed + others }
  const { runId, workflowId, state, endedMs, summary } = run
  const standsUntil = endedMs === null ? row.standsUntil : null
  return { runId, workflowId, state, trigger: row.trigger, startedMs: row.openedMs, endedMs, summary, vms, standsUntil }
}

/** A copy, as requests have it. */
export function categoryView({
  name,
  revision,
  createdMs,
  changedMs,
  vms,
  ...spec
}: CategoryView): z.infer<typeof categorySchema> {
  return { ...categoryBody.parse(spec), name, revision, createdMs, changedMs, vms }
}
