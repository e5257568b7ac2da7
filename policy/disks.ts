import { matchesPattern } from './pattern.ts'
import type { DiskRule, DiskSelection } from './plan.ts'

/** What the rules ask about a disk. `skip`: why the platform cannot give it. */
export interface SelectableDisk {
  readonly key: string
  readonly label: string
  readonly size: number
  readonly role: string
  readonly skip: string | null
}

/** Why the policy leaves a disk out: words of `SkipReason`. null: it belongs to the point. */
export type LeftOut = 'excluded-by-plan' | 'nobak-label'

/**
 * Which disks a point has (product P-DISK). A disk that came later is judged like the others, so it joins by itself; its
 * size never decides unless a rule says so. What the platform cannot give stays out with the platform's reason.
 */
export function chooseDisks<D extends SelectableDisk>(
  selection: DiskSelection,
  disks: readonly D[],
): (D & { readonly skip: string | null })[] {
  return disks.map((disk) => ({ ...disk, skip: disk.skip ?? leftOut(selection, disk) }))
}

export function leftOut(selection: DiskSelection, disk: Omit<SelectableDisk, 'skip'>): LeftOut | null {
  if (selection.honourNobak && disk.label.toUpperCase().includes('[NOBAK]')) return 'nobak-label'
  // Firmware and TPM state belong to the system that a data-only plan replaces.
  if (selection.roles === 'data' && disk.role !== 'data') return 'excluded-by-plan'
  if (selection.exclude.some((rule) => fits(rule, disk))) return 'excluded-by-plan'
  const isWanted = selection.include.length === 0 || selection.include.some((rule) => fits(rule, disk))
  return isWanted ? null : 'excluded-by-plan'
}

function fits(rule: DiskRule, { key, label, size }: Omit<SelectableDisk, 'skip'>): boolean {
  return (
    (rule.label === undefined || matchesPattern(rule.label, label)) &&
    (rule.key === undefined || matchesPattern(rule.key, key)) &&
    (rule.minBytes === undefined || size >= rule.minBytes) &&
    (rule.maxBytes === undefined || size <= rule.maxBytes)
  )
}
