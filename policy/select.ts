import { matchesPattern } from './pattern.ts'
import type { SelectorRule } from './plan.ts'

/** What rules ask about a VM. `excludedReason`: left out on purpose; no plan takes it. */
export interface SelectableVm {
  readonly name: string
  readonly tags: readonly string[]
  readonly category: string
  readonly power: string
  readonly hypervisor: string
  readonly site: string
  readonly excludedReason: string | null
}

export function isSelected(where: readonly SelectorRule[], vm: SelectableVm): boolean {
  return vm.excludedReason === null && where.every((rule) => holds(rule, vm))
}

/** The rules that keep a VM out; empty: it is only left out on purpose, or not out at all. */
export function brokenRules(where: readonly SelectorRule[], vm: SelectableVm): SelectorRule[] {
  return where.filter((rule) => !holds(rule, vm))
}

function holds({ field, is, isNot }: SelectorRule, vm: SelectableVm): boolean {
  const values = field === 'tag' ? vm.tags : [vm[field]]
  const fits = field === 'name' ? matchesPattern : sameWord
  const isOne = (wanted: readonly string[]): boolean =>
    wanted.some((pattern) => values.some((value) => fits(pattern, value)))
  return (is === undefined || isOne(is)) && (isNot === undefined || !isOne(isNot))
}

function sameWord(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
