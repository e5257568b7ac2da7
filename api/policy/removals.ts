import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { z } from '@hono/zod-openapi'
import type { Candidate, Catalog, MadePoint } from '../../catalog/index.ts'
import {
  isSelected,
  planSweep,
  Rulebook,
  type Category,
  type Keep,
  type PlanSpec,
  type RuleSource,
} from '../../policy/index.ts'
import type { planRemovalSchema } from '../schemas/plans.ts'
import type { PolicyComparison, PolicyDocument } from '../schemas/policy-file.ts'
import { differenceTo } from './difference.ts'
import { knownNames, untouched } from './state.ts'

type Removal = z.infer<typeof planRemovalSchema>

/** An editor asks with every change: of more VMs the first are looked at, and it says so. */
const mostVms = 1000
const atOnce = 50
const listed = 20

/** What follows from a policy file for points that exist, before it is applied. */
export async function comparePolicy(
  catalog: Catalog,
  document: PolicyDocument,
  prune: boolean,
  nowMs: number,
): Promise<PolicyComparison> {
  const difference = differenceTo(catalog, document, prune)
  const removals: PolicyComparison['removals'] = []
  for (const { kind, name, action } of difference.changes) {
    if (action !== 'change') continue
    const plan = kind === 'plan' ? document.plans?.[name] : undefined
    const category = kind === 'category' ? document.categories?.[name] : undefined
    const found =
      plan !== undefined
        ? await removalsOf(catalog, { ...plan, name }, catalog.plans.find(name) ?? null, nowMs)
        : category !== undefined
          ? await categoryRemovals(catalog, name, category, nowMs)
          : []
    for (const one of found) removals.push({ kind: plan === undefined ? 'category' : 'plan', name, ...one })
  }
  // A VM that is no longer in the file is as one that nobody has touched.
  const wishes = new Map(
    difference.changes
      .filter(({ kind }) => kind === 'vm')
      .map(({ name }) => [name, document.vms?.[name] ?? untouched] as const),
  )
  for (const { vmId: name, ...one } of await vmRemovals(catalog, wishes, document.categories, nowMs))
    removals.push({ kind: 'vm', name, ...one })
  return { ...difference, removals }
}

/**
 * Which points of a plan its rules keep as it is saved and would keep no longer, by what the catalog knows of them; none where
 * nothing that decides it is changed. The next sweep of the repository would let them go, and shows them before.
 */
export async function removalsOf(
  catalog: Catalog,
  plan: PlanSpec,
  saved: PlanSpec | null,
  nowMs: number,
): Promise<Removal[]> {
  if (saved === null) return []
  const keepOf = (of: PlanSpec, id: string) => of.targets.find(({ repository }) => repository === id)?.keep ?? null
  const same = (id: string): boolean =>
    plan.timeZone === saved.timeZone && JSON.stringify(keepOf(plan, id)) === JSON.stringify(keepOf(saved, id))
  // What it no longer writes to goes on ageing by what it said last.
  const targets = plan.targets.filter(
    ({ repository }) => saved.targets.some((target) => target.repository === repository) && !same(repository),
  )
  if (targets.length === 0) return []
  const vms = catalog.policy.candidates().filter((vm) => isSelected(saved.where, vm) || isSelected(plan.where, vm))
  const removals: Removal[] = []
  for (const { repository } of targets) {
    const rules = [
      new Rulebook(sourceOf(catalog, repository, saved)),
      new Rulebook(sourceOf(catalog, repository, plan)),
    ] as const
    const madeOf = (vmId: string): Made => catalog.retained.madeBy(saved.name, repository, vmId)
    removals.push(await removalOf(catalog, repository, { rules, vms, madeOf, nowMs }))
  }
  return removals
}

/**
 * Which points the rules of a category keep as it is saved and would keep no longer: those that no plan, and nobody for their
 * VM alone, has rules for. Of VMs that hypervisors list.
 */
export async function categoryRemovals(
  catalog: Catalog,
  name: string,
  { keep }: Pick<Category, 'keep'>,
  nowMs: number,
): Promise<Removal[]> {
  const saved = new Map<string, Pick<Category, 'keep'>>(catalog.categories.list().map((one) => [one.name, one]))
  const before = saved.get(name)
  if (before === undefined || isDeepStrictEqual(before.keep, keep)) return []
  const vms = catalog.policy.candidates().filter(({ category }) => category === name)
  const removals: Removal[] = []
  for (const repositoryId of knownNames(catalog).repositories) {
    const comparison = byCategories(catalog, repositoryId, saved, new Map([...saved, [name, { keep }]]))
    removals.push(await removalOf(catalog, repositoryId, { ...comparison, vms, nowMs }))
  }
  return removals.filter(({ points, lookedAt, ofVms }) => points > 0 || lookedAt < ofVms)
}

/** What somebody wants for a VM alone: its category, and the rules by which its points age (none: those of its plans). */
export interface VmWish {
  readonly category: string
  readonly keep?: Keep | undefined
}

/**
 * Which points the rules of single VMs keep as they are and would keep no longer by what is wished for them, and by these
 * categories where they differ from those that are saved. Repositories of which none would go are not among them.
 */
export async function vmRemovals(
  catalog: Catalog,
  wishes: ReadonlyMap<string, VmWish>,
  categories: PolicyDocument['categories'],
  nowMs: number,
): Promise<(Removal & { readonly vmId: string })[]> {
  const removals: (Removal & { readonly vmId: string })[] = []
  if (wishes.size === 0) return removals
  const saved = new Map<string, Pick<Category, 'keep'>>(catalog.categories.list().map((one) => [one.name, one]))
  const wanted = new Map([...saved, ...Object.entries(categories ?? {})])
  const listed = new Map(catalog.policy.candidates().map((vm) => [vm.id, vm]))
  for (const repositoryId of knownNames(catalog).repositories) {
    const comparison = byCategories(catalog, repositoryId, saved, wanted)
    const guards = guardsOf(catalog, repositoryId)
    for (const [vmId, { category, keep }] of wishes) {
      const vm = listed.get(vmId)
      const become = (point: MadePoint): MadePoint => ({ ...point, category, override: { keep } })
      const vms = vm === undefined ? [] : [vm]
      const removal = await removalOf(catalog, repositoryId, { ...comparison, vms, nowMs, guards, become })
      if (removal.points > 0) removals.push({ vmId, ...removal })
    }
  }
  return removals
}

/** The rules of all points in a repository by these categories and by those; plans are as they are saved. */
function byCategories(
  catalog: Catalog,
  repositoryId: string,
  ...[before, after]: readonly [Categories, Categories]
): Pick<Comparison, 'rules' | 'madeOf'> {
  const plans = new Map<string, string | null>()
  const source = (categories: Categories): RuleSource => ({
    repositoryId,
    category: (of) => categories.get(of),
    plan(of) {
      const found = catalog.plans.last(of)
      return found && { ...found, isDeleted: found.deletedMs !== null }
    },
    planOf: (stem) => plans.get(stem),
    lastRules: () => undefined,
  })
  return {
    rules: [new Rulebook(source(before)), new Rulebook(source(after))],
    madeOf(vmId) {
      const made = catalog.retained.madeBy(null, repositoryId, vmId)
      for (const { stem, plan } of made) plans.set(stem, plan)
      return made
    },
  }
}
type Categories = ReadonlyMap<string, Pick<Category, 'keep'>>

interface Comparison {
  /** Those that hold, and those that would. */
  readonly rules: readonly [Rulebook, Rulebook]
  readonly vms: readonly Candidate[]
  readonly madeOf: (vmId: string) => Made
  readonly nowMs: number
  /** What is known of it already. */
  readonly guards?: Guards
  /** What a point of the VM would be by then. */
  readonly become?: (point: MadePoint) => MadePoint
}
type Made = ReturnType<Catalog['retained']['madeBy']>

async function removalOf(
  catalog: Catalog,
  repositoryId: string,
  { rules: [before, after], vms, madeOf, nowMs, guards = guardsOf(catalog, repositoryId), become }: Comparison,
): Promise<Removal> {
  const looked = vms.slice(0, mostVms)
  const removal: Removal = {
    repository: repositoryId,
    points: 0,
    vms: 0,
    examples: [],
    lookedAt: looked.length,
    ofVms: vms.length,
  }
  for (const [index, { id }] of looked.entries()) {
    // Requests of others are served in between.
    if (index % atOnce === atOnce - 1) await setImmediate()
    const made = madeOf(id)
    const now = stayingBy(before, made, guards, nowMs)
    const then = stayingBy(after, become === undefined ? made : made.map(become), guards, nowMs)
    const going = made.filter(({ stem }) => now.has(stem) && !then.has(stem))
    removal.points += going.length
    removal.vms += going.length > 0 ? 1 : 0
    for (const { vmId, vmName, timeMs } of going)
      if (removal.examples.length < listed) removal.examples.push({ vmId, vmName, timeMs })
  }
  return removal
}

/** Stems of the points of one VM that these rules keep. */
export function stayingBy(
  rulebook: Rulebook,
  made: readonly MadePoint[],
  guards: Guards,
  nowMs: number,
): ReadonlySet<string> {
  const policies = new Map(made.map((point) => [point.stem, rulebook.ofPoint(point, point.stem)]))
  const points = made.map(({ stem, pointId, vmId, timeMs, origin }) => ({
    ...{ id: stem, series: vmId, timeMs, origin, guard: guards.of(pointId), isDamaged: guards.damaged.has(stem) },
    policy: policies.get(stem)?.policy ?? '',
  }))
  const rules = new Map([...policies.values()].map((one) => [one?.policy, one?.rules ?? null]))
  const planned = planSweep(points, (policy) => rules.get(policy) ?? null, nowMs)
  return new Set(planned.flatMap((point) => (point.keptBy.length > 0 ? [point.id] : [])))
}

/** The rules as they are, and of the plan what is said here. */
function sourceOf(catalog: Catalog, repositoryId: string, plan: PlanSpec): RuleSource {
  const categories = new Map<string, Pick<Category, 'keep'>>(catalog.categories.list().map((one) => [one.name, one]))
  return {
    repositoryId,
    category: (name) => categories.get(name),
    plan: () => ({ ...plan, isDeleted: false }),
    planOf: () => plan.name,
    lastRules: () => undefined,
  }
}

interface Guards {
  /** By the id of a point; null: nothing does. */
  readonly of: (pointId: string) => string | null
  /** Stems. */
  readonly damaged: ReadonlySet<string>
}

/** What keeps a point whatever the rules say, as far as the catalog knows. */
export function guardsOf(catalog: Catalog, repositoryId: string): Guards {
  const { retained } = catalog
  const [read, needed, held] = [
    retained.beingRead(),
    retained.neededElsewhere(repositoryId),
    retained.heldPoints(repositoryId),
  ]
  return {
    of: (pointId: string): string | null => read.get(pointId) ?? held.get(pointId) ?? needed.get(pointId) ?? null,
    damaged: retained.damaged(repositoryId),
  }
}
