import type { z } from '@hono/zod-openapi'
import type { Catalog, VmView } from '../../catalog/index.ts'
import { brokenRules, isSelected, type Plan, type SelectableVm, type SelectorRule } from '../../policy/index.ts'
import type { planMembersBody, planMembersSchema } from '../schemas/plans.ts'

type Answer = z.infer<typeof planMembersSchema>

/** How one VM comes into a plan. `refused`: why not. */
type Way =
  | { readonly kind: 'in' }
  | { readonly kind: 'joins'; readonly category: string | null; readonly byName: boolean }
  | { readonly kind: 'refused'; readonly why: string }

/**
 * Lets a plan take these VMs. What Holdfast itself says of a VM is its category, and what a plan says by itself are names:
 * these are changed, and nothing that is the hypervisor's. All or nothing is written. Throws NotFound, StaleRevision.
 */
export function joinPlan(catalog: Catalog, name: string, wish: z.infer<typeof planMembersBody>): Answer {
  const plan = catalog.plans.get(name)
  const vms = [...new Set(wish.vmIds)].map((id) => catalog.vms.get(id))
  const known = catalog.categories.list().map((category) => category.name)
  const ways = vms.map((vm) => ({ vm, way: wayInto(plan, vm, known) }))
  const items = ways.map(({ vm, way }) => ({ vmId: vm.id, vmName: vm.name, state: way.kind, how: inWords(vm, way) }))
  const changed = !wish.dryRun && ways.some(({ way }) => way.kind === 'joins')
  if (changed) write(catalog, plan, ways)
  return { items, changed }
}

function wayInto({ where }: Plan, vm: VmView, known: readonly string[]): Way {
  const asked = selectable(vm)
  if (vm.goneMs !== null) return { kind: 'refused', why: 'its hypervisor no longer lists it' }
  if (vm.excludedReason !== null) return { kind: 'refused', why: 'it is left out on purpose: protect it again first' }
  if (isSelected(where, asked)) return { kind: 'in' }
  const broken = brokenRules(where, asked)
  const categories = broken.filter(({ field }) => field === 'category')
  const names = broken.filter(({ field }) => field === 'name')
  const other = broken.find((rule) => rule.field !== 'category' && rule.field !== 'name')
  if (other !== undefined) return { kind: 'refused', why: `the plan takes only ${ruleInWords(other)}` }
  const category = categories.length === 0 ? null : categoryFor(where, asked, known)
  if (category === undefined) return { kind: 'refused', why: 'no category fits all rules of the plan' }
  // A pattern for this VM alone would be one for others as well.
  if (
    names.length > 0 &&
    (names.some(({ is }) => is === undefined) || /[*?]/.test(vm.name) || isNotByName(names, asked))
  )
    return { kind: 'refused', why: 'the plan leaves its name out' }
  return { kind: 'joins', category, byName: names.length > 0 }
}

/** The first category that some rule names, that there is, and that all of them allow. */
function categoryFor(where: readonly SelectorRule[], vm: SelectableVm, known: readonly string[]): string | undefined {
  const rules = where.filter(({ field }) => field === 'category')
  const named = rules.flatMap(({ is }) => is ?? []).map((category) => category.toLowerCase())
  return named.find((category) => known.includes(category) && brokenRules(rules, { ...vm, category }).length === 0)
}

function isNotByName(names: readonly SelectorRule[], vm: SelectableVm): boolean {
  return names.some(({ isNot }) => isNot !== undefined && brokenRules([{ field: 'name', isNot }], vm).length > 0)
}

function ruleInWords({ field, is, isNot }: SelectorRule): string {
  const said = is ?? isNot ?? []
  return `VMs whose ${field} is ${is === undefined ? 'not ' : ''}${said.join(' or ')}`
}

function inWords(vm: VmView, way: Way): string {
  if (way.kind === 'in') return 'the plan takes it already'
  if (way.kind === 'refused') return way.why
  const parts = [
    way.category === null ? '' : `its category becomes ${way.category}, now ${vm.category}`,
    way.byName ? 'its name is added to the rules of the plan' : '',
  ]
  return parts.filter((part) => part !== '').join('; ')
}

function write(catalog: Catalog, plan: Plan, ways: readonly { readonly vm: VmView; readonly way: Way }[]): void {
  const joining = ways.flatMap(({ vm, way }) => (way.kind === 'joins' ? [{ vm, ...way }] : []))
  const names = joining.filter(({ byName }) => byName).map(({ vm }) => vm.name)
  if (names.length > 0) {
    const { revision, createdMs: _, changedMs: __, ...spec } = plan
    const where = plan.where.map((rule) =>
      rule.field === 'name' && rule.is !== undefined ? { ...rule, is: [...new Set([...rule.is, ...names])] } : rule,
    )
    catalog.plans.put({ ...spec, where }, revision)
  }
  for (const { vm, category } of joining) if (category !== null) catalog.vms.change(vm.id, { category })
}

function selectable(vm: VmView): SelectableVm {
  const { name, tags, category, power, endpointId: hypervisor, site, excludedReason } = vm
  return { name, tags, category, power, hypervisor, site, excludedReason }
}
