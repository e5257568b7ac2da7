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
  skippedStarts,
  type Category,
  type PlanSpec,
} from '../../policy/index.ts'
import type { planPreviewSchema } from '../schemas/plans.ts'
import { planBody } from '../schemas/policy.ts'
import { memberChanges } from './difference.ts'
import { writePolicyFile } from './export.ts'
import { removalsOf } from './removals.ts'
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
export async function previewPlan(
  catalog: Catalog,
  plan: PlanSpec,
  nowMs: number,
  wish: PreviewWish,
): Promise<PlanPreview> {
  const saved = catalog.plans.find(plan.name) ?? null
  const { match, taken } = matchOf(catalog, plan, saved)
  const { schedule, timeZone } = plan
  const isSound = checkSchedule(schedule, timeZone).length === 0
  const starts = isSound ? startsOf(catalog, plan, nowMs) : []
  const savedStarts = saved === null ? [] : startsOf(catalog, saved, nowMs)
  const wants = wantedCopies(catalog, plan, taken)
  const { name, ...body } = plan
  return {
    problems: planProblems(plan, knownNames(catalog, { version: 1 })).map(({ path, message, hint }) => ({
      path: path.join('.'),
      message,
      hint,
    })),
    remarks: remarksOf(catalog, plan, taken, starts, wants, nowMs),
    match,
    schedule: {
      words: isSound ? startsInWords(catalog, plan, nowMs) : null,
      next: isSound ? nextOccurrences(schedule, timeZone, nowMs, 10) : [],
      skipped: isSound ? skippedStarts(schedule, timeZone, nowMs) : [],
    },
    copies: copiesOf(catalog, plan, new Set(taken.map(({ site }) => site))),
    copiesMet: wants.every(({ lacks }) => lacks.length === 0),
    targets: simulateTargets(catalog, plan, saved, taken, { starts, savedStarts, nowMs, ...wish }),
    changes: saved === null ? [] : memberChanges(specOf(saved), specOf(plan)),
    removals: await removalsOf(catalog, plan, saved, nowMs),
    file: writePolicyFile({ version: 1, plans: { [name]: planBody.parse(body) } }),
    revision: saved?.revision ?? 0,
  }
}

/** Longer sequences are not followed. */
const longest = 20

/** The starts of the coming year; of a plan that follows others those of the first of them. */
function startsOf(catalog: Catalog, plan: PlanSpec, nowMs: number): readonly number[] {
  let first: PlanSpec | undefined = plan
  for (let left = longest; left > 0 && first?.schedule.kind === 'after'; left -= 1)
    first = catalog.plans.find(first.schedule.plan)
  if (first === undefined || checkSchedule(first.schedule, first.timeZone).length > 0) return []
  return startsOfYear(first.schedule, first.timeZone, nowMs)
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

/** What a plan gives to each VM, by its targets that exist. */
function copiesOf(catalog: Catalog, { targets }: PlanSpec, sites: ReadonlySet<string>): PlanPreview['copies'] {
  const known = targets.flatMap(({ repository }) => catalog.repositories.find(repository) ?? [])
  const away = [...sites].map((site) => known.filter((one) => (one.standsAt ?? one.site) !== site).length)
  return {
    total: targets.length,
    media: new Set(known.map((one) => one.media)).size,
    // From where it is least.
    offSite: Math.min(...(away.length === 0 ? [known.length] : away)),
    immutable: known.filter(({ test }) => test?.security?.lock).length,
  }
}

interface Wanted {
  readonly category: Category
  /** `3 VMs of the category critical` */
  readonly vms: string
  /** What the plan does not give them of the copies that they want. */
  readonly lacks: readonly string[]
}

/** By category, what its VMs are promised of copies and the targets do not give. */
function wantedCopies(catalog: Catalog, plan: PlanSpec, taken: readonly Candidate[]): Wanted[] {
  const categories = new Map(catalog.categories.list().map((one) => [one.name, one]))
  return [...Map.groupBy(taken, ({ category }) => category)].flatMap(([name, own]): Wanted[] => {
    const category = categories.get(name)
    if (category === undefined) return []
    const vms = `${own.length} ${own.length === 1 ? 'VM' : 'VMs'} of the category ${name}`
    const { repositories, media, offSite, immutable } = category.copies
    const has = copiesOf(catalog, plan, new Set(own.map(({ site }) => site)))
    const lacks = [
      ...(has.total < repositories ? [`${vms} want ${repositories} copies; this plan makes ${has.total}.`] : []),
      ...(has.media < media ? [`${vms} want ${media} kinds of media; the targets are on ${has.media}.`] : []),
      ...(has.offSite < offSite
        ? [`${vms} want ${offSite} off site; of the targets ${has.offSite} stand elsewhere.`]
        : []),
      ...(has.immutable < immutable
        ? [`${vms} want ${immutable} immutable; ${has.immutable} of the targets lock their points.`]
        : []),
    ]
    return [{ category, vms, lacks }]
  })
}

/** What is allowed and yet worth knowing before it is saved. */
function remarksOf(
  catalog: Catalog,
  plan: PlanSpec,
  taken: readonly Candidate[],
  starts: readonly number[],
  wants: readonly Wanted[],
  nowMs: number,
): string[] {
  const out: string[] = []
  if (taken.length === 0) out.push('No VM matches now.')
  const longest = starts.slice(1).reduce((most, at, index) => Math.max(most, at - (starts[index] ?? at)), 0)
  for (const { category, vms, lacks } of wants) {
    // An hour of clock change is no broken promise of a daily backup.
    if (longest > category.rpoMs + 3_600_000)
      out.push(
        `${vms} may lose ${hoursText(category.rpoMs)} by their category; up to ${hoursText(longest)} pass between two starts.`,
      )
    out.push(...lacks)
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
