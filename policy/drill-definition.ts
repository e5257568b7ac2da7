import type { Category, VmOverride } from './categories.ts'
import { withUsual, type DrillCheckSpec } from './drill-checks.ts'
import type { Origin, Sourced } from './effective.ts'

/** What a drill of one VM does, and who said so. */
export interface DrillDefinition {
  readonly checks: Sourced<readonly DrillCheckSpec[]>
  /** How long the guest may take until its agent answers. */
  readonly bootTimeoutMs: Sourced<number>
}

/** Where neither the VM nor its category says how long. */
export const usualBootMs = 300_000

const builtIn: Origin = { from: 'default', name: null }
const own: Origin = { from: 'vm', name: null }

/**
 * What the VM leaves open comes from its category, each value by itself. A list of checks is one value: it names what one
 * machine has, so two of them are never mixed, and a VM without any leaves it open.
 */
export function drillDefinition({
  category,
  override,
  checks,
}: {
  readonly category: Pick<Category, 'drill'> & { readonly name: string }
  readonly override: Pick<VmOverride, 'bootTimeoutMs'>
  /** Those of the VM. */
  readonly checks: readonly DrillCheckSpec[]
}): DrillDefinition {
  const ofCategory: Origin = { from: 'category', name: category.name }
  const inherited = category.drill?.checks ?? []
  const asked: Sourced<readonly DrillCheckSpec[]> =
    checks.length > 0
      ? { value: checks, origin: own }
      : { value: inherited, origin: inherited.length > 0 ? ofCategory : builtIn }
  const { bootTimeoutMs } = category.drill ?? {}
  return {
    checks: { ...asked, value: asked.value.map(withUsual) },
    bootTimeoutMs:
      override.bootTimeoutMs !== undefined
        ? { value: override.bootTimeoutMs, origin: own }
        : bootTimeoutMs === undefined
          ? { value: usualBootMs, origin: builtIn }
          : { value: bootTimeoutMs, origin: ofCategory },
  }
}
