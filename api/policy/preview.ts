import type { z } from '@hono/zod-openapi'
import type { Candidate, Catalog } from '../../catalog/index.ts'
import {
  brokenRules,
  checkSchedule,
  isSelected,
  momentInWords,
  nextOccurrences,
  planProblems,
  planWindowAt,
  type PlanSpec,
  type Copies,
} from '../../policy/index.ts'
import type { planPreviewSchema } from '../schemas/plans.ts'
import { memberChanges } from './difference.ts'
import { simulateTargets, startsOfYear } from './simulation.ts'
import { knownNames } from './state.ts'
import { startsInWords } from './usual.ts'

export type PlanPreview = z.infer<typeof planPreviewSchema>
export interface PreviewWish {
  /** How much of a disk changes in a day, where nothing was measured; a share. */
  readonly changeShare: number
}

const listed = 20

/** What follows from a plan, before it is saved. Asks nothing but the catalog. */
export function previewPlan(catalog: Catalog, plan: PlanSpec, nowMs: number, wish: PreviewWish): PlanPreview {
  const saved = catalog.plans.find(plan.name) ?? null
  const { match, taken } = matchOf(catalog, plan, saved)
  const isSound = checkSchedule(plan.schedule, plan.timeZone).length === 0
  const starts = isSound ? startsOfYear(plan.schedule, plan.timeZone, nowMs) : []
  return {
    problems: planProblems(plan, knownNames(catalog, { version: 1 })).map(({ path, message, hint }) => ({
      path: path.join('.'),
      message,
      hint,
    })),
    remarks: remarksOf(catalog, plan, taken, starts, nowMs),
    match,
    schedule: {
      words: isSound ? startsInWords(catalog, plan, nowMs) : null,
      next: isSound ? nextOccurrences(plan.schedule, plan.timeZone, nowMs, 10) : [],
    },
    targets: simulateTargets(catalog, plan, saved, taken, { starts, nowMs, ...wish }),
    changes: saved === null ? [] : memberChanges(specOf(saved), specOf(plan)),
    revision: saved?.revision ?? 0,
  }
}

function specOf({
  name: _n,
  ...rest
}: PlanSpec & { revision?: number; createdMs?: number; changedMs?: number }): object {
  const { revision: _r, createdMs: _c, changedMs: _m, ...spec } = rest
  return spec
}

function matchOf(
  catalog: Catalog,
  plan: PlanSpec,
  saved: PlanSpec | null,
): { readonly match: PlanPreview['match']; readonly taken: readonly Candidate[] } {
  const taken: Candidate[] = []
  const near: PlanPreview['match']['nearMisses'] = []
  const [added, removed]: [string[], string[]] = [[], []]
  let excluded = 0
  for (const vm of catalog.policy.candidates()) {
    const isTaken = isSelected(plan.where, vm)
    if (isTaken) taken.push(vm)
    if (saved !== null && isTaken !== isSelected(saved.where, vm)) (isTaken ? added : removed).push(vm.id)
    if (isTaken) continue
    const broken = brokenRules(plan.where, vm)
    const [only, more] = broken
    if (only === undefined) excluded += 1
    else if (more === undefined && near.length < listed && plan.where.length > 1)
      near.push({ id: vm.id, name: vm.name, field: only.field })
  }
  const rates = catalog.policy.changeRates()
  const measured = taken.flatMap(({ id }) => rates.get(id) ?? [])
  return {
    taken,
    match: {
      total: taken.length,
      sizeBytes: taken.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      changedPerDay:
        measured.length === 0 ? null : Math.round(measured.reduce((sum, { readPerDay }) => sum + readPerDay, 0)),
      vms: taken
        .slice(0, listed)
        .map(({ id, name, sizeBytes, category, site }) => ({ id, name, sizeBytes, category, site })),
      nearMisses: near,
      excluded,
      added: { total: added.length, ids: added.slice(0, listed) },
      removed: { total: removed.length, ids: removed.slice(0, listed) },
    },
  }
}

/** What is allowed and yet worth knowing before it is saved. */
function remarksOf(
  catalog: Catalog,
  plan: PlanSpec,
  taken: readonly Candidate[],
  starts: readonly number[],
  nowMs: number,
): string[] {
  const out: string[] = []
  if (taken.length === 0) out.push('No VM matches now.')
  const longest = starts.slice(1).reduce((most, at, index) => Math.max(most, at - (starts[index] ?? at)), 0)
  const categories = new Map(catalog.categories.list().map((one) => [one.name, one]))
  const used = new Map<string, number>()
  for (const { category } of taken) used.set(category, (used.get(category) ?? 0) + 1)
  const ofCategory = (name: string) => taken.filter(({ category }) => category === name)
  for (const [name, n] of used) {
    const category = categories.get(name)
    if (category === undefined) continue
    const vms = `${n} ${n === 1 ? 'VM' : 'VMs'} of the category ${name}`
    // An hour of clock change is no broken promise of a daily backup.
    if (longest > category.rpoMs + 3_600_000)
      out.push(
        `${vms} may lose ${hoursText(category.rpoMs)} by their category; up to ${hoursText(longest)} pass between two starts.`,
      )
    if (plan.targets.length < category.copies.repositories)
      out.push(`${vms} want ${category.copies.repositories} copies; this plan makes ${plan.targets.length}.`)
    out.push(...copyRemarks(catalog, plan, category.copies, vms, new Set(ofCategory(name).map(({ site }) => site))))
  }
  const sites = new Set(taken.map(({ site }) => site))
  const first = plan.targets[0] && catalog.repositories.find(plan.targets[0].repository)
  for (const site of sites)
    if (first && first.site !== site)
      out.push(`VMs at ${site} cannot be backed up to ${first.name}: it is reached from ${first.site}.`)
  const mirrors = plan.targets.filter(({ copy }) => copy === 'mirror').length
  if (mirrors > 0)
    out.push(
      'The first target is where backups go; each point is copied from there to the others after its backup, by runs of their own.',
    )
  return [...out, ...outsideWindow(plan, nowMs)]
}

/** What a category promises of copies beside their number, and the targets of the plan do not give. */
function copyRemarks(
  catalog: Catalog,
  { targets }: PlanSpec,
  { media, offSite, immutable }: Copies,
  vms: string,
  sites: ReadonlySet<string>,
): string[] {
  const known = targets.flatMap(({ repository }) => catalog.repositories.find(repository) ?? [])
  const kinds = new Set(known.map((one) => one.media)).size
  const away = Math.min(...[...sites].map((site) => known.filter((one) => (one.standsAt ?? one.site) !== site).length))
  const locked = known.filter(({ test }) => test?.security?.lock).length
  return [
    ...(kinds < media ? [`${vms} want ${media} kinds of media; the targets are on ${kinds}.`] : []),
    ...(away < offSite ? [`${vms} want ${offSite} off site; of the targets ${away} stand elsewhere.`] : []),
    ...(locked < immutable ? [`${vms} want ${immutable} immutable; ${locked} of the targets lock their points.`] : []),
  ]
}

/** Starts that have to wait for the window, by the first of them. */
function outsideWindow({ window, schedule, timeZone }: PlanSpec, nowMs: number): string[] {
  if (window === null || checkSchedule(schedule, timeZone).length > 0) return []
  const starts = nextOccurrences(schedule, timeZone, nowMs, 50)
  const waits = starts.flatMap(({ atMs }) => {
    const { until } = planWindowAt(window, timeZone, atMs)
    return until === null ? [] : [`the one of ${momentInWords(timeZone, atMs)} waits until ${until}`]
  })
  if (waits.length === 0) return []
  return [`${waits.length} of the next ${starts.length} starts are outside the window: ${waits[0]}.`]
}

function hoursText(ms: number): string {
  const hours = Math.round(ms / 3_600_000)
  return hours >= 72 ? `${Math.round(hours / 24)} days` : `${hours} h`
}
